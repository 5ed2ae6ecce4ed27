// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "../Test.sol";
import {Handler} from "./Handler.sol";

/// @title One rule's campaign. Each has its own order of actions, so that no two walk the same calls from one seed.
/// @dev Reverts fail a campaign: an action that cannot be done discards its call, and what must be refused is caught and
///     looked at. So forge's table says how often each action was done.
abstract contract InvariantTest is Test {
    uint256 internal constant ISOLATION = 1;
    uint256 internal constant ACCOUNTS = 2;
    uint256 internal constant WEALTH = 4;
    uint256 internal constant LOSSES = 8;

    Handler internal handler;

    /// @notice No call was seen to break a rule, this one or another.
    function requireNothingBroken() internal view {
        assertEq(handler.violation(), "", "broken during a call");
    }

    /// @param rule Rotates the actions.
    function begin(uint256 rule, uint256 watched) internal {
        handler = Handler(vm.deployCode("Handler.sol:Handler", abi.encode(watched)));
        bytes4[] memory all = watched & LOSSES == 0 ? soundActions() : lossActions();
        bytes4[] memory actions = new bytes4[](all.length);
        for (uint256 i = 0; i < all.length; ++i) {
            actions[i] = all[(i * 7 + rule) % all.length];
        }
        targetContract(address(handler));
        targetSelector(address(handler), actions);
    }

    /// @dev 50 of them, which 7 does not divide.
    function soundActions() private view returns (bytes4[] memory actions) {
        actions = new bytes4[](50);
        actions[0] = handler.mint.selector;
        actions[1] = handler.mintAboveRoom.selector;
        actions[2] = handler.flash.selector;
        actions[3] = handler.redeem.selector;
        actions[4] = handler.send.selector;
        actions[5] = handler.lose.selector;
        actions[6] = handler.donate.selector;
        actions[7] = handler.sweep.selector;
        actions[8] = handler.passTime.selector;
        actions[9] = handler.topUp.selector;
        actions[10] = handler.mintByAuthorization.selector;
        actions[11] = handler.topUp.selector;
        for (uint256 i = 0; i < 38; ++i) {
            actions[12 + i] = commonActions()[i];
        }
    }

    function lossActions() private view returns (bytes4[] memory actions) {
        actions = new bytes4[](46);
        actions[0] = handler.loseAssets.selector;
        actions[1] = handler.makeGood.selector;
        actions[2] = handler.depeg.selector;
        actions[3] = handler.repeg.selector;
        actions[4] = handler.mintIfSound.selector;
        actions[5] = handler.redeem.selector;
        actions[6] = handler.send.selector;
        actions[7] = handler.passTime.selector;
        for (uint256 i = 0; i < 38; ++i) {
            actions[8 + i] = commonActions()[i];
        }
    }

    function commonActions() private view returns (bytes4[38] memory) {
        return [
            handler.withdrawMargin.selector,
            handler.withdrawOwed.selector,
            handler.passTime.selector,
            handler.deposit.selector,
            handler.depositByPermit.selector,
            handler.depositByAuthorization.selector,
            handler.startExit.selector,
            handler.startClose.selector,
            handler.cancelExit.selector,
            handler.executeExit.selector,
            handler.leaveEarly.selector,
            handler.settle.selector,
            handler.settleShort.selector,
            handler.settleFaulty.selector,
            handler.settleForTooLittle.selector,
            handler.settleTwo.selector,
            handler.overBurn.selector,
            handler.settleAboveCap.selector,
            handler.resend.selector,
            handler.release.selector,
            handler.tightenCaps.selector,
            handler.guardCaps.selector,
            handler.removeProvider.selector,
            handler.proposeLoosening.selector,
            handler.applyLoosening.selector,
            handler.retire.selector,
            handler.movePrice.selector,
            handler.leapPrice.selector,
            handler.vetoPrice.selector,
            handler.openAnother.selector,
            handler.rotateSettler.selector,
            handler.pauseSettlement.selector,
            handler.changePayout.selector,
            handler.deactivateProvider.selector,
            handler.trespassOnVault.selector,
            handler.trespassOnEscrow.selector,
            handler.trespassOnOthers.selector,
            handler.settle.selector
        ];
    }
}
