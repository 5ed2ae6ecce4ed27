// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAggregatorV3} from "../../interfaces/IAggregatorV3.sol";
import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {OracleTest} from "../OracleTest.sol";

contract PriceFeedTest is OracleTest {
    IAggregatorV3 private _feed;

    function setUp() public override {
        super.setUp();
        _feed = feedOf(SKU);
    }

    function test_SaysWhatItIs() external view {
        assertEq(uint256(_feed.decimals()), 18, "USD per unit in 1e-18");
        assertEq(_feed.description(), "acme/large:output_token / USD", "description");
        assertEq(_feed.version(), 1, "version of the interface");
    }

    function test_RevertWhen_TheOracleDoesNotKnowTheSku() external {
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.UnknownSku.selector, 3));
        feedOf(3);
    }

    function test_RevertWhen_ThereIsNoPriceYet() external {
        vm.expectRevert(unknown(0));
        _feed.latestRoundData();
        reportNext(SKU, PRICE);
        assertQueued(SKU, PRICE);
        vm.expectRevert(unknown(0));
        _feed.latestRoundData();
    }

    function test_ARoundIsAPriceVersion() external {
        establish(SKU, PRICE);
        uint256 first = vm.getBlockTimestamp();
        assertRound(_feed.latestRoundData, 1, PRICE, first, first);

        reportNext(SKU, PRICE + PRICE / 20);
        uint256 second = vm.getBlockTimestamp();
        assertRound(_feed.latestRoundData, 2, PRICE + PRICE / 20, second, second);
        assertRound(2, PRICE + PRICE / 20, second, second);
        assertRound(1, PRICE, first, first);
    }

    function test_UpdatedAtIsTheLastConfirmation() external {
        establish(SKU, PRICE);
        uint256 since = vm.getBlockTimestamp();
        vm.warp(since + EPOCH_LENGTH);
        // Bit 1 of the bitmap is SKU 1.
        oracle.report(unanimous("", hex"02"));
        assertRound(_feed.latestRoundData, 1, PRICE, since, since + EPOCH_LENGTH);

        vm.warp(since + 7 days);
        assertRound(_feed.latestRoundData, 1, PRICE, since, since + EPOCH_LENGTH);
    }

    function test_RevertWhen_TheRoundNeverWas() external {
        establish(SKU, PRICE);
        refuse(0);
        refuse(2);
        // Not cut down to a version that there is.
        refuse((uint80(1) << 32) + 1);
        refuse(type(uint80).max);
    }

    function test_AFeedReadsItsOwnSkuAlone() external {
        establish(SECOND_SKU, 3 * PRICE);
        vm.expectRevert(unknown(0));
        _feed.latestRoundData();
        uint256 since = vm.getBlockTimestamp();
        assertRound(feedOf(SECOND_SKU).latestRoundData, 1, 3 * PRICE, since, since);
    }

    function test_TheLargestPriceIsNoNegativeAnswer() external {
        establish(SKU, type(uint128).max);
        (, int256 answer,,,) = _feed.latestRoundData();
        assertTrue(answer == int256(uint256(type(uint128).max)), "answer");
    }

    function feedOf(uint32 sku) private returns (IAggregatorV3) {
        return IAggregatorV3(deploy("PriceFeed.sol:PriceFeed", abi.encode(oracle, sku)));
    }

    function unknown(uint80 roundId) private pure returns (bytes memory) {
        return abi.encodeWithSignature("UnknownRound(uint80)", roundId);
    }

    function refuse(uint80 roundId) private {
        vm.expectRevert(unknown(roundId));
        _feed.getRoundData(roundId);
    }

    function assertRound(uint80 roundId, uint256 price, uint256 since, uint256 updated) private view {
        (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredIn) =
            _feed.getRoundData(roundId);
        assertEq(
            abi.encode(id, answer, startedAt, updatedAt, answeredIn), round(roundId, price, since, updated), "round"
        );
    }

    function assertRound(
        function() external view returns (uint80, int256, uint256, uint256, uint80) latest,
        uint80 roundId,
        uint256 price,
        uint256 since,
        uint256 updated
    ) private view {
        (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredIn) = latest();
        assertEq(
            abi.encode(id, answer, startedAt, updatedAt, answeredIn), round(roundId, price, since, updated), "latest"
        );
    }

    function round(uint80 roundId, uint256 price, uint256 since, uint256 updated) private pure returns (bytes memory) {
        return abi.encode(roundId, price, since, updated, roundId);
    }
}
