// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";

contract TightenTest is VaultTest {
    function setUp() public override {
        super.setUp();
        IReserveVault.Terms memory capped = terms();
        capped.mintCap = 100e18;
        capped.payoutCap = 50e6;
        token = open(capped);
    }

    function test_RevertWhen_TheCallerIsNeitherIssuerNorGuardian() external {
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotIssuerOrGuardian.selector, stranger));
        vault.tightenCaps(address(token), 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotIssuerOrGuardian.selector, stranger));
        vault.removeProvider(address(token), acme);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotIssuerOrGuardian.selector, stranger));
        vault.setListMember(address(token), holder, false);
        vm.stopPrank();
    }

    function test_RevertWhen_ACapIsAboveThePresentOne() external {
        vm.startPrank(issuer);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.CapNotLower.selector, 100e18 + 1, 100e18));
        vault.tightenCaps(address(token), 100e18 + 1, 50e6);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.CapNotLower.selector, 50e6 + 1, 50e6));
        vault.tightenCaps(address(token), 100e18, 50e6 + 1);
        vm.stopPrank();
    }

    function testFuzz_CapsActAtOnce(uint128 mintCap, uint128 payoutCap, bool byGuardian) external {
        mintCap = uint128(bound(mintCap, 0, 100e18));
        payoutCap = uint128(bound(payoutCap, 0, 50e6));
        address by = byGuardian ? guardian : issuer;
        vm.expectEmit(address(vault));
        emit IReserveVault.TermsTightened(address(token), by, mintCap, payoutCap);
        vm.prank(by);
        vault.tightenCaps(address(token), mintCap, payoutCap);
        assertEq(vault.mintRoom(address(token)), mintCap, "mint room");
        assertEq(vault.payoutRoom(address(token), gateway), payoutCap, "payout room");
    }

    function test_AGuardiansCapBindsSettlementAtOnce() external {
        mintTo(token, escrow, 100e18);
        vm.prank(guardian);
        vault.tightenCaps(address(token), 0, 1e6);
        expectAboveCap(2e6, 1e6);
    }

    function test_TheIssuersCapBindsSettlementAnExitDelayLater() external {
        mintTo(token, escrow, 100e18);
        lowerAsIssuer(1e6);
        vm.warp(START + EXIT_DELAY - 1);
        settle(token, 2e18, usageOf(acme, 1000), 0);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.PayoutAboveCap.selector, 52e6, 50e6));
        settle(token, 50e18, usageOf(acme, 25_000), 0);
        vm.warp(START + EXIT_DELAY);
        expectAboveCap(4e6, 1e6);
    }

    function test_RevertWhen_TheIssuersEarlierCapIsPending() external {
        lowerAsIssuer(40e6);
        vm.warp(START + EXIT_DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.TighteningPending.selector, START + EXIT_DELAY));
        lowerAsIssuer(30e6);

        // The mint cap goes down all the same, and the pending moment stays where it is.
        vm.prank(issuer);
        vault.tightenCaps(address(token), 60e18, 40e6);
        assertEq(vault.projectOf(address(token)).mintCap, 60e18, "mint cap");
        mintTo(token, escrow, 60e18);
        vm.warp(START + EXIT_DELAY);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.PayoutAboveCap.selector, 41e6, 40e6));
        settle(token, 41e18, usageOf(acme, 25_000), 0);
    }

    function test_TheNextCapWaitsFromTheOneThenInForce() external {
        mintTo(token, escrow, 100e18);
        lowerAsIssuer(40e6);
        vm.warp(START + EXIT_DELAY);
        lowerAsIssuer(30e6);
        vm.warp(START + 2 * EXIT_DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.PayoutAboveCap.selector, 41e6, 40e6));
        settle(token, 41e18, usageOf(acme, 25_000), 0);
        settle(token, 35e18, usageOf(acme, 25_000), 0);
        vm.warp(START + 2 * EXIT_DELAY);
        expectAboveCap(37e6, 30e6);
    }

    function test_AGuardianEndsWhatTheIssuerLeftPending() external {
        mintTo(token, escrow, 100e18);
        lowerAsIssuer(1e6);
        vm.prank(issuer);
        vault.removeProvider(address(token), acme);
        vm.startPrank(guardian);
        vault.tightenCaps(address(token), 0, 1e6);
        vault.removeProvider(address(token), acme);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderNotInTerms.selector, address(token), acme));
        vault.removeProvider(address(token), acme);
        vm.stopPrank();

        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderNotInTerms.selector, address(token), acme));
        settle(token, 2e18, usageOf(acme, 1000), 0);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.PayoutAboveCap.selector, 2e6, 1e6));
        settle(token, 2e18, usageOf(bole, 1000), 0);
    }

    function test_TheIssuerRemovesAProviderOnce() external {
        mintTo(token, escrow, 100e18);
        vm.startPrank(issuer);
        vault.removeProvider(address(token), acme);
        vm.warp(START + EXIT_DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderNotInTerms.selector, address(token), acme));
        vault.removeProvider(address(token), acme);
        vm.stopPrank();

        assertFalse(vault.hasProvider(address(token), acme), "in the terms");
        settle(token, 2e18, usageOf(acme, 1000), 0);
        vm.warp(START + EXIT_DELAY);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderNotInTerms.selector, address(token), acme));
        settle(token, 2e18, usageOf(acme, 1000), 0);
    }

    function test_RoomIsZeroWhereACapFellBelowWhatWasUsed() external {
        mintTo(token, escrow, 100e18);
        settle(token, 20e18, usageOf(acme, 10_000), 0);
        vm.prank(guardian);
        vault.tightenCaps(address(token), 10e18, 10e6);
        assertEq(vault.mintRoom(address(token)), 0, "mint room");
        assertEq(vault.payoutRoom(address(token), gateway), 0, "payout room");
    }

    function test_RevertWhen_TheProviderIsNotInTheTerms() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderNotInTerms.selector, address(token), official));
        vm.prank(issuer);
        vault.removeProvider(address(token), official);
    }

    function test_ARemovedProviderKeepsWhatItIsOwed() external {
        mintTo(token, escrow, 10e18);
        settle(token, 2e18, usageOf(acme, 1000), 0);

        vm.expectEmit(address(vault));
        emit IReserveVault.ProviderRemoved(address(token), acme, guardian);
        vm.prank(guardian);
        vault.removeProvider(address(token), acme);

        assertFalse(vault.hasProvider(address(token), acme), "in this project");
        assertTrue(vault.hasProvider(address(other), acme), "in the other");
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderNotInTerms.selector, address(token), acme));
        settle(token, 2e18, usageOf(acme, 1000), 0);
        assertEq(vault.withdrawOwed(acme, 0), 2e6, "paid");
    }

    function test_TighteningDropsAPendingLoosening() external {
        proposeMore();
        vm.prank(guardian);
        vault.tightenCaps(address(token), 1, 1);
        assertNothingToApply();

        proposeMore();
        vm.prank(guardian);
        vault.removeProvider(address(token), acme);
        assertNothingToApply();
    }

    function test_OnlyTheIssuerLists() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotIssuer.selector, guardian, issuer));
        vm.prank(guardian);
        vault.setListMember(address(token), holder, true);

        vm.expectEmit(address(vault));
        emit IReserveVault.ListMemberChanged(address(token), holder, true);
        vm.prank(issuer);
        vault.setListMember(address(token), holder, true);
        assertTrue(vault.isListed(address(token), holder), "listed");
        assertFalse(vault.isListed(address(other), holder), "listed by the other");

        vm.expectEmit(address(vault));
        emit IReserveVault.ListMemberChanged(address(token), holder, false);
        vm.prank(guardian);
        vault.setListMember(address(token), holder, false);
        assertFalse(vault.isListed(address(token), holder), "taken off");
    }

    function lowerAsIssuer(uint128 payoutCap) private {
        vm.prank(issuer);
        vault.tightenCaps(address(token), 100e18, payoutCap);
    }

    /// @notice Two credits more would take the window to `payoutAfter`.
    function expectAboveCap(uint256 payoutAfter, uint256 cap) private {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.PayoutAboveCap.selector, payoutAfter, cap));
        settle(token, 2e18, usageOf(acme, 1000), 0);
    }

    function proposeMore() private {
        uint32[] memory providers = new uint32[](1);
        providers[0] = acme;
        vm.prank(issuer);
        vault.proposeLoosening(address(token), 1000e18, 1000e6, providers);
    }

    function assertNothingToApply() private {
        vm.warp(vm.getBlockTimestamp() + 2 * EXIT_DELAY);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NoLooseningProposed.selector, address(token)));
        vm.prank(issuer);
        vault.applyLoosening(address(token));
    }
}
