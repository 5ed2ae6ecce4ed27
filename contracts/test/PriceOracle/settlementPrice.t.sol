// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {OracleTest} from "../OracleTest.sol";

contract SettlementPriceTest is OracleTest {
    function test_AVersionSettlesADayAfterItWasSuperseded() external {
        establish(SKU, PRICE);
        uint40 since = uint40(vm.getBlockTimestamp());
        reportNext(SKU, PRICE + 1);
        uint40 superseded = uint40(vm.getBlockTimestamp());

        IPriceOracle.Price memory first = oracle.priceOf(SKU, 1);
        assertEq(uint256(first.usdWad), PRICE, "price");
        assertEq(first.since, since, "since");
        assertEq(first.supersededAt, superseded, "superseded");
        assertEq(oracle.priceOf(SKU, 2).supersededAt, 0, "in force");

        vm.warp(superseded + 24 hours);
        assertEq(uint256(oracle.settlementPrice(SKU, 1)), PRICE, "the last second");
        vm.warp(superseded + 24 hours + 1);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.PriceVersionExpired.selector, SKU, 1, superseded));
        oracle.settlementPrice(SKU, 1);
    }

    function test_TheVersionInForceSettlesHoweverOldItIs() external {
        establish(SKU, PRICE);
        vm.warp(START + 365 days);
        assertEq(uint256(oracle.settlementPrice(SKU, 1)), PRICE, "staleness never blocks settlement");
    }

    function test_UnknownVersionsRevert() external {
        establish(SKU, PRICE);
        refuse(SKU, 0);
        refuse(SKU, 2);
        refuse(99, 1);
    }

    function refuse(uint32 sku, uint32 version) private {
        bytes memory reason = abi.encodeWithSelector(IPriceOracle.UnknownPriceVersion.selector, sku, version);
        vm.expectRevert(reason);
        oracle.settlementPrice(sku, version);
        vm.expectRevert(reason);
        oracle.priceOf(sku, version);
    }
}
