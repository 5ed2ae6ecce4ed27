// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow, LineStatus} from "../../interfaces/ISpendEscrow.sol";
import {EscrowTest} from "../EscrowTest.sol";
import {VaultTest} from "../VaultTest.sol";

/// @title An issuer who keeps a loosening in store, or changes the terms just before a settlement.
contract IssuerAttackTest is VaultTest {
    function test_AProposalOfOldCannotBeAppliedOnHoldersWhoCameLater() external {
        IReserveVault.Terms memory narrow = terms();
        narrow.providers = new uint32[](1);
        narrow.providers[0] = acme;
        narrow.payoutCap = 1e6;
        token = open(narrow);
        uint32[] memory own = new uint32[](1);
        own[0] = bole;
        vm.prank(issuer);
        vault.proposeLoosening(address(token), type(uint128).max, type(uint128).max, own);

        // Months later a holder reads the terms: one provider, 1 USD a day.
        vm.warp(START + 90 days);
        mintTo(token, escrow, 1000e18);

        vm.prank(issuer);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NoLooseningProposed.selector, address(token)));
        vault.applyLoosening(address(token));
        vm.prank(escrow);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderNotInTerms.selector, address(token), bole));
        vault.settle(address(token), gateway, 1, 1000e18, usageOf(bole, 1e6), 0);
    }

    function test_WhatIsInFlightStaysPayableForAnExitDelay() external {
        mintTo(token, escrow, 100e18);
        vm.startPrank(issuer);
        vault.tightenCaps(address(token), 0, 0);
        vault.removeProvider(address(token), acme);
        vm.stopPrank();

        // Nothing new is taken on it.
        assertEq(vault.mintRoom(address(token)), 0, "mint room");
        assertEq(vault.payoutRoom(address(token), gateway), 0, "payout room");
        assertEq(vault.projectOf(address(token)).payoutCap, 0, "payout cap");
        assertFalse(vault.hasProvider(address(token), acme), "provider");

        settle(token, 2e18, usageOf(acme, 1000), 0);
        vm.warp(START + EXIT_DELAY - 1);
        settle(token, 2e18, usageOf(acme, 1000), 0);
        assertEq(vault.owedTo(acme), 4e6, "owed");

        vm.warp(START + EXIT_DELAY);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderNotInTerms.selector, address(token), acme));
        settle(token, 2e18, usageOf(acme, 1000), 0);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.PayoutAboveCap.selector, 6e6, 0));
        settle(token, 2e18, usageOf(bole, 1000), 0);
    }

    /// @dev A first, harmless step must not let the next one bind sooner than an exit delay after it.
    function test_ASmallStepFirstDoesNotBringTheNextForward() external {
        mintTo(token, escrow, 100e18);
        vm.startPrank(issuer);
        vault.tightenCaps(address(token), 0, 50e6);
        vm.warp(START + EXIT_DELAY - 1);
        (bool taken,) = address(vault).call(abi.encodeCall(vault.tightenCaps, (address(token), 0, 0)));
        vm.stopPrank();
        assertFalse(taken, "a second step");
        vm.warp(START + EXIT_DELAY);
        settle(token, 50e18, usageOf(acme, 25_000), 0);
    }

    function test_ALooseningCannotLowerACap() external {
        vm.prank(issuer);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.CapNotHigher.selector, 0, type(uint128).max));
        vault.proposeLoosening(address(token), type(uint128).max, 0, new uint32[](0));
    }

    function test_TakingAMemberOffTheListStopsNeitherSettlementNorExit() external {
        IReserveVault.Terms memory listed = terms();
        listed.allowlist = true;
        token = open(listed);
        mintTo(token, holder, 100e18);
        vm.prank(holder);
        token.transfer(escrow, 100e18);
        vm.startPrank(issuer);
        vault.setListMember(address(token), holder, true);
        vault.setListMember(address(token), holder, false);
        vault.setListMember(address(token), escrow, false);
        vm.stopPrank();

        settle(token, 2e18, usageOf(acme, 1000), 0);
        vm.prank(escrow);
        token.transfer(holder, 98e18);
        vm.prank(holder);
        assertEq(vault.redeem(address(token), 98e18, 98e6, holder), 98e6, "redeemed");
    }
}

/// @title An issuer who is a holder too, and would have its spending back.
contract IssuerHolderAttackTest is EscrowTest {
    function test_TighteningBeforeTheSettlementSavesNothing() external {
        (holder, holderKey) = account("issuer and holder");
        issuer = holder;
        token = open();
        fund(100 * CREDIT);
        fund(other, holder, signer, 100 * CREDIT);
        bool sorted = address(token) < address(other);
        ISpendEscrow.TokenBatch[] memory batches = new ISpendEscrow.TokenBatch[](2);
        batches[sorted ? 0 : 1] = batchOf(token, line(60 * CREDIT, 60 * CREDIT), 60);
        batches[sorted ? 1 : 0] =
            batchOf(other, line(other, holder, signerKey, 60 * CREDIT, 60 * CREDIT, DEADLINE, 0), 60);

        vm.startPrank(holder);
        escrow.startClose(address(token), gateway, signer);
        vault.tightenCaps(address(token), 0, 0);
        vault.removeProvider(address(token), acme);
        vm.stopPrank();

        vm.warp(START + EXIT_DELAY - 1);
        expectOutcomes(bytes.concat(outcome(LineStatus.Settled, 60 * CREDIT), outcome(LineStatus.Settled, 60 * CREDIT)));
        settle(batches);
        vm.warp(START + EXIT_DELAY);
        assertEq(escrow.executeExit(key()), 40 * CREDIT, "what it did not spend");
        assertEq(vault.owedTo(acme), 120e6, "owed");
    }
}
