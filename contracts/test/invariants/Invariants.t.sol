// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "../Test.sol";
import {Handler} from "./Handler.sol";

contract InvariantsTest is Test {
    Handler private handler;

    function setUp() external {
        handler = new Handler();
        bytes4[] memory actions = new bytes4[](20);
        actions[0] = handler.mint.selector;
        actions[1] = handler.redeem.selector;
        actions[2] = handler.withdrawMargin.selector;
        actions[3] = handler.withdrawOwed.selector;
        actions[4] = handler.tightenCaps.selector;
        actions[5] = handler.loosen.selector;
        actions[6] = handler.retire.selector;
        actions[7] = handler.donate.selector;
        actions[8] = handler.passTime.selector;
        actions[9] = handler.movePrice.selector;
        actions[10] = handler.send.selector;
        actions[11] = handler.deposit.selector;
        actions[12] = handler.depositByAuthorization.selector;
        actions[13] = handler.startExit.selector;
        actions[14] = handler.startClose.selector;
        actions[15] = handler.cancelExit.selector;
        actions[16] = handler.executeExit.selector;
        actions[17] = handler.settle.selector;
        actions[18] = handler.release.selector;
        actions[19] = handler.trespass.selector;
        populate();
        targetContract(address(handler));
        targetSelector(address(handler), actions);
    }

    /// @dev Every member holds credits of every project, and has some in escrow.
    function populate() private {
        for (uint256 project = 0; project < 3; ++project) {
            for (uint256 member = 0; member < 4; ++member) {
                handler.mint(project, member, 1e22);
                handler.deposit(project, 0, member, member % 2 == 0, 1e12);
            }
            handler.deposit(project, 1, 3, false, 1e12);
        }
    }

    /// @dev One campaign for all rules: forge would run the same calls again for each function. The messages name the rule.
    /// forge-config: default.invariant.runs = 64
    /// forge-config: default.invariant.depth = 128
    function invariant_WhatMustAlwaysHold() external view {
        handler.requireReserves();
        handler.requireClaims();
        handler.requireNoGain();
        handler.requireEscrow();
        string[] memory violations = handler.violations();
        if (violations.length != 0) assertEq(violations[0], "", "broken during a call");
    }

    /// @dev A handler that always gives up would make every invariant hold: one walk through all of it must get there.
    function test_EveryActionIsReached() external {
        handler.depositByAuthorization(0, 1, 1e10, "salt");
        for (uint256 i = 0; i < 64; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            uint256 next = uint256(keccak256(abi.encode(seed)));
            handler.settle(i, i / 3, [seed, next, seed ^ next], next >> 7);
        }
        handler.movePrice(1, 0);
        handler.send(0, 0, 1, 1e18);
        handler.redeem(0, 0, 1e18);
        handler.withdrawMargin(0);
        handler.withdrawOwed(1);
        handler.release(0, 1);
        handler.startExit(0, 5);
        handler.cancelExit(0);
        handler.startClose(0);
        handler.executeExit(0);
        handler.tightenCaps(0, 1e29);
        handler.loosen(0, 1e29, 1e29);
        handler.passTime(12 hours);
        handler.loosen(0, 1e29, 1e29);
        handler.donate(5);
        handler.trespass(0);
        handler.retire(0, 20);

        string[25] memory actions = [
            "mint",
            "deposit",
            "depositByAuthorization",
            "settle",
            "burn",
            "pay",
            "overBurn",
            "movePrice",
            "send",
            "redeem",
            "withdrawMargin",
            "withdrawOwed",
            "release",
            "startExit",
            "cancelExit",
            "startClose",
            "executeExit",
            "tightenCaps",
            "proposeLoosening",
            "applyLoosening",
            "passTime",
            "sweep",
            "trespass",
            "retire",
            "mint"
        ];
        for (uint256 i = 0; i < actions.length; ++i) {
            assertGt(handler.did(actions[i]), 0, actions[i]);
        }
        handler.requireReserves();
        handler.requireClaims();
        handler.requireNoGain();
        handler.requireEscrow();
        assertEq(handler.violations().length, 0, "violations");
    }
}
