// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {OracleTest} from "../OracleTest.sol";

contract VetoPriceTest is OracleTest {
    function test_DropsWhatIsQueued() external {
        oracle.report(unanimous(entry(SKU, PRICE), ""));
        vm.prank(guardian);
        vm.expectEmit(address(oracle));
        emit IPriceOracle.PriceVetoed(SKU, PRICE);
        oracle.vetoPrice(SKU);
        assertQueued(SKU, 0);

        vm.warp(START + QUEUE_DELAY);
        oracle.report(unanimous(entry(SKU, PRICE), ""));
        assertInForce(SKU, 0);
        assertEq(oracle.queuedPriceOf(SKU).since, START + QUEUE_DELAY, "it waits all over");
    }

    function test_RevertsWithNothingQueued() external {
        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.NothingQueued.selector, SKU));
        oracle.vetoPrice(SKU);
    }

    function test_OnlyTheGuardian() external {
        oracle.report(unanimous(entry(SKU, PRICE), ""));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        oracle.vetoPrice(SKU);
    }
}
