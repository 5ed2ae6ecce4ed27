// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {OracleTest} from "../OracleTest.sol";

/// @title One liar of five, who also sends transactions first; and an asset that falls fast.
contract OracleAttackTest is OracleTest {
    function setUp() public override {
        super.setUp();
        establish(SKU, PRICE);
        vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
    }

    function test_OneLiarCannotUseUpAnEpochWithAnEmptyVector() external {
        IPriceOracle.PriceReport[] memory honest = unanimous(entry(SKU, PRICE + 1), "");
        IPriceOracle.PriceReport[] memory first = unanimous(entry(SKU, PRICE + 1), "");
        first[2] = vector(2, "", "");
        oracle.report(first);
        assertInForce(SKU, PRICE);

        oracle.report(honest);
        assertInForce(SKU, PRICE + 1);
        assertEq(oracle.refreshedAt(SKU), vm.getBlockTimestamp(), "seen by a quorum of honest reporters");
    }

    function test_WhoPicksTheVectorsCannotLeaveASkuOutOfItsEpoch() external {
        establish(SECOND_SKU, PRICE);
        vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
        bytes memory both = hex"06";
        IPriceOracle.PriceReport[] memory honest = unanimous("", both);
        IPriceOracle.PriceReport[] memory first = unanimous("", both);
        first[2] = vector(2, "", hex"02");
        oracle.report(first);
        oracle.report(honest);
        assertEq(oracle.refreshedAt(SECOND_SKU), vm.getBlockTimestamp(), "refreshed");
    }

    function test_ASecondReportOfAnEpochMovesNoSkuAgain() external {
        IPriceOracle.PriceReport[] memory again = unanimous(entry(SKU, PRICE + 2), "");
        oracle.report(unanimous(entry(SKU, PRICE + 1), ""));
        uint32 epoch = epochNow();
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.EpochAlreadyReported.selector, epoch, epoch));
        oracle.report(again);

        // Nor in the company of a SKU that the epoch has not seen.
        bytes memory both = bytes.concat(entry(SKU, PRICE + 2), entry(SECOND_SKU, PRICE));
        oracle.report(unanimous(both, ""));
        assertInForce(SKU, PRICE + 1);
        assertQueued(SECOND_SKU, PRICE);
    }

    function test_AQueuedPriceIsNotConfirmedByItsOwnEpoch() external {
        oracle.report(unanimous(entry(SECOND_SKU, PRICE), ""));
        uint32 epoch = epochNow();
        IPriceOracle.PriceReport[] memory again = unanimous(entry(SECOND_SKU, PRICE), "");
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.EpochAlreadyReported.selector, epoch, epoch));
        oracle.report(again);

        vm.prank(guardian);
        oracle.vetoPrice(SECOND_SKU);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.EpochAlreadyReported.selector, epoch, epoch));
        oracle.report(again);
        assertQueued(SECOND_SKU, 0);
    }

    function test_AFastDepegStopsMintAsFastAsASlowOne() external {
        establish(ASSET, 1e18);
        reportNext(ASSET, 0.6e18);
        assertTrue(oracle.depegged(), "40 % below par is below the floor");

        // Back to par is a leap and waits.
        reportNext(ASSET, 1e18);
        assertTrue(oracle.depegged(), "not yet back");
        assertQueued(ASSET, 1e18);
    }

    function test_AFirstPriceOfTheAssetBelowItsFloorDoesNotWait() external {
        reportNext(ASSET, 0.5e18);
        assertTrue(oracle.depegged(), "half of par");
    }
}
