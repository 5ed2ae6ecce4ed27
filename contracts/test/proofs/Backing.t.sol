// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultProof} from "./VaultProof.sol";

/// @title S1 and S2: from any state in which they hold, every single call that moves money ends in one in which they do.
contract BackingProof is VaultProof {
    function check_StateIsWhatTheVaultReads(State calldata s) external {
        assume(s);
        IReserveVault.Project memory project = vault.projectOf(address(token));
        assert(project.par == s.par && project.reserve == s.reserve && project.margin == s.margin);
        assert(project.feeRecipient == FEES && project.markupBps == 500 && project.publicMint);
        assert(project.mintCap == type(uint128).max && project.payoutCap == type(uint128).max);
        assert(vault.owedTo(PROVIDER) == s.owed && asset.balanceOf(address(vault)) == s.balance);
        assert(token.totalSupply() == s.supply && token.balanceOf(HOLDER) == s.supply);
        assert(addsUp(s) && backed(s) && covered(s));
    }

    function check_Mint(State calldata s, uint128 credits) external {
        assume(s);
        assumeRich();
        vm.prank(HOLDER);
        after_(s, address(vault), abi.encodeCall(vault.mint, (address(token), credits, type(uint256).max, HOLDER)));
    }

    /// @dev Of ecrecover nothing is known, so this is any signature that is HOLDER's.
    function check_MintByAuthorization(State calldata s, uint128 assets, bytes32 r, bytes32 s_, uint8 v) external {
        assume(s);
        assumeRich();
        IReserveVault.AssetAuthorization memory paid =
            IReserveVault.AssetAuthorization(HOLDER, assets, 0, type(uint256).max, abi.encodePacked(r, s_, v));
        after_(s, address(vault), abi.encodeCall(vault.mintWithAuthorization, (address(token), HOLDER, 0, "", paid)));
    }

    function check_Redeem(State calldata s, uint128 credits) external {
        assume(s);
        vm.prank(HOLDER);
        after_(s, address(vault), abi.encodeCall(vault.redeem, (address(token), credits, 0, HOLDER)));
    }

    function check_Settle(State calldata s, uint128 burned, uint64 quantity, uint24 requests) external {
        assumeEscrowed(s);
        oracle.setPrice(SKU, 1, PRICE);
        bytes memory usage = abi.encodePacked(PROVIDER, SKU, uint32(1), uint128(quantity));
        bytes memory call_ = abi.encodeCall(vault.settle, (address(token), GATEWAY, 1, burned, usage, requests));
        vm.prank(ESCROW);
        after_(s, address(vault), call_);
        // S5.
        uint256 paid = vault.owedTo(PROVIDER) - s.owed;
        assert(paid <= down(burned, s.par));
        assert(paid <= uint256(PRICE) * quantity / 1e12);
    }

    function check_WithdrawOwed(State calldata s) external {
        assume(s);
        vm.prank(PAYOUT);
        after_(s, address(vault), abi.encodeCall(vault.withdrawOwed, (PROVIDER, 0)));
        assert(asset.balanceOf(PAYOUT) <= s.owed);
    }

    function check_WithdrawMargin(State calldata s) external {
        assume(s);
        vm.prank(FEES);
        after_(s, address(vault), abi.encodeCall(vault.withdrawMargin, (address(token), 0)));
        assert(asset.balanceOf(FEES) <= s.margin);
    }

    function check_Sweep(State calldata s) external {
        assume(s);
        after_(s, address(vault), abi.encodeCall(vault.sweep, (HOLDER)));
        assert(asset.balanceOf(address(vault)) == vault.totalClaims());
    }

    /// @dev A call that is refused changes nothing.
    function after_(State calldata s, address target, bytes memory call_) private {
        (bool taken,) = target.call(call_);
        vm.assume(taken);
        assert(backed(s));
        assert(addsUp(s));
        assert(covered(s));
    }
}

/// @title What is not so: none of these calls is ever taken. A proof of one of them would say that the proofs above are empty.
contract UntrueBackingProof is VaultProof {
    function check_NoMintIsTaken(State calldata s, uint128 credits) external {
        assume(s);
        assumeRich();
        vm.prank(HOLDER);
        never(abi.encodeCall(vault.mint, (address(token), credits, type(uint256).max, HOLDER)));
    }

    function check_NoRedemptionIsTaken(State calldata s, uint128 credits) external {
        assume(s);
        vm.prank(HOLDER);
        never(abi.encodeCall(vault.redeem, (address(token), credits, 0, HOLDER)));
    }

    function check_NoWithdrawalIsTaken(State calldata s) external {
        assume(s);
        vm.prank(FEES);
        never(abi.encodeCall(vault.withdrawMargin, (address(token), 0)));
    }

    function check_NoSweepIsTaken(State calldata s) external {
        assume(s);
        never(abi.encodeCall(vault.sweep, (HOLDER)));
    }

    function never(bytes memory call_) private {
        (bool taken,) = address(vault).call(call_);
        assert(!taken);
    }
}
