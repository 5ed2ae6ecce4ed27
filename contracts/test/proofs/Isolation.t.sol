// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultProof} from "./VaultProof.sol";

/// @title S4: whatever one project's reserve, margin, terms and credits are, a call on another leaves them as they are.
contract IsolationProof is VaultProof {
    /// @notice Slots of the other project, and what its token says of supply and balances.
    struct Other {
        uint256[6] slots;
        uint128 supply;
        uint128 held;
        uint128 escrowed;
    }

    function check_MintTouchesNoOther(State calldata s, Other calldata o, uint128 credits) external {
        assume(s);
        assumeRich();
        vm.prank(HOLDER);
        untouched(o, abi.encodeCall(vault.mint, (address(token), credits, type(uint256).max, HOLDER)));
    }

    function check_RedeemTouchesNoOther(State calldata s, Other calldata o, uint128 credits) external {
        assume(s);
        vm.prank(HOLDER);
        untouched(o, abi.encodeCall(vault.redeem, (address(token), credits, 0, HOLDER)));
    }

    function check_SettleTouchesNoOther(
        State calldata s,
        Other calldata o,
        uint128 burned,
        uint128 price,
        uint64 quantity
    ) external {
        assumeEscrowed(s);
        vm.assume(price != 0);
        oracle.setPrice(SKU, 1, price);
        bytes memory usage = abi.encodePacked(PROVIDER, SKU, uint32(1), uint128(quantity));
        bytes memory call_ = abi.encodeCall(vault.settle, (address(token), GATEWAY, 1, burned, usage, 1));
        vm.prank(ESCROW);
        untouched(o, call_);
    }

    function check_WithdrawMarginTouchesNoOther(State calldata s, Other calldata o) external {
        assume(s);
        vm.prank(FEES);
        untouched(o, abi.encodeCall(vault.withdrawMargin, (address(token), 0)));
    }

    function check_WithdrawOwedTouchesNoOther(State calldata s, Other calldata o) external {
        assume(s);
        vm.prank(PAYOUT);
        untouched(o, abi.encodeCall(vault.withdrawOwed, (PROVIDER, 0)));
    }

    function check_TermsTouchNoOther(State calldata s, Other calldata o, uint128 mintCap, uint128 payoutCap) external {
        assumeEscrowed(s);
        untouched(o, abi.encodeCall(vault.tightenCaps, (address(token), mintCap, payoutCap)));
        untouched(o, abi.encodeCall(vault.removeProvider, (address(token), PROVIDER)));
        untouched(o, abi.encodeCall(vault.retire, (address(token))));
        untouched(o, abi.encodeCall(vault.proposeLoosening, (address(token), mintCap, payoutCap, new uint32[](0))));
        vm.warp(START + 3 hours);
        untouched(o, abi.encodeCall(vault.applyLoosening, (address(token))));
    }

    function untouched(Other calldata o, bytes memory call_) private {
        storeOther(o.slots, o.supply, o.held, o.escrowed);
        (bool taken,) = address(vault).call(call_);
        vm.assume(taken);
        for (uint256 i = 0; i < 6; ++i) {
            assert(otherSlot(i) == o.slots[i]);
        }
        assert(other.totalSupply() == o.supply);
        assert(other.balanceOf(HOLDER) == o.held);
        assert(other.balanceOf(ESCROW) == o.escrowed);
    }
}
