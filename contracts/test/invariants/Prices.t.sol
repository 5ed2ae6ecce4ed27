// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "../Test.sol";
import {PriceHandler} from "./PriceHandler.sol";

/// @title The oracle with one liar of five, who also chooses which vectors are sent.
abstract contract PriceTest is Test {
    PriceHandler internal handler;

    /// @param rule Rotates the actions, as in InvariantTest.
    function begin(uint256 rule) internal {
        handler = PriceHandler(vm.deployCode("PriceHandler.sol:PriceHandler", ""));
        bytes4[9] memory all = [
            handler.drift.selector,
            handler.drift.selector,
            handler.leap.selector,
            handler.confirm.selector,
            handler.heartbeat.selector,
            handler.sendAgain.selector,
            handler.veto.selector,
            handler.passTime.selector,
            handler.reportWithout.selector
        ];
        bytes4[] memory actions = new bytes4[](all.length);
        for (uint256 i = 0; i < all.length; ++i) {
            actions[i] = all[(i * 5 + rule) % all.length];
        }
        targetContract(address(handler));
        targetSelector(address(handler), actions);
    }

    function requireNothingBroken() internal view {
        assertEq(handler.violation(), "", "broken during a call");
    }
}

contract Prices_HonestTest is PriceTest {
    function setUp() external {
        begin(0);
    }

    function invariant_Prices_EveryPriceLiesBetweenTwoHonestOnes() external view {
        handler.requireHonest();
        requireNothingBroken();
    }
}

contract Prices_BoundedTest is PriceTest {
    function setUp() external {
        begin(1);
    }

    function invariant_Prices_NoLeapWithoutQueueAndSecondEpoch() external view {
        handler.requireBounded();
        requireNothingBroken();
    }
}

contract Prices_HistoryTest is PriceTest {
    function setUp() external {
        begin(2);
    }

    function invariant_Prices_VersionsAreNeverRewrittenAndSettleForADay() external {
        handler.requireHistory();
        requireNothingBroken();
    }
}
