// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";

/// @title Callers, times and amounts of every kind, where the tests beside each function give examples.
contract ReserveVaultFuzz is VaultTest {
    function setUp() public override {
        super.setUp();
        IReserveVault.Terms memory narrow = terms();
        (narrow.mintCap, narrow.payoutCap) = (1000e18, 500e6);
        token = open(narrow);
        mintTo(token, escrow, 100e18);
    }

    function testFuzz_ALooseningAppliesFromTwoExitDelaysOnForADay(uint256 wait) external {
        wait = bound(wait, 0, 3 days);
        vm.startPrank(issuer);
        vault.proposeLoosening(address(token), 2000e18, 600e6, new uint32[](0));
        vm.warp(START + wait);
        bool ripe = wait >= 2 * EXIT_DELAY && wait <= 2 * EXIT_DELAY + 1 days;
        (bool done,) = address(vault).call(abi.encodeCall(vault.applyLoosening, (address(token))));
        vm.stopPrank();
        assertEq(done, ripe, "applied when ripe, and only then");
        assertEq(uint256(vault.projectOf(address(token)).mintCap), ripe ? 2000e18 : 1000e18, "mint cap");
        assertEq(uint256(vault.projectOf(address(token)).payoutCap), ripe ? 600e6 : 500e6, "payout cap");
    }

    function testFuzz_ALooseningLowersNoCap(uint128 mintCap, uint128 payoutCap, address caller) external {
        bool fair = caller == issuer && mintCap >= 1000e18 && payoutCap >= 500e6;
        vm.prank(caller);
        (bool done,) = address(vault)
            .call(abi.encodeCall(vault.proposeLoosening, (address(token), mintCap, payoutCap, new uint32[](0))));
        assertEq(done, fair, "proposed");
        vm.prank(issuer);
        (done,) = address(vault)
            .call(abi.encodeCall(vault.proposeLoosening, (address(token), mintCap, payoutCap, new uint32[](0))));
        assertEq(done, mintCap >= 1000e18 && payoutCap >= 500e6, "proposed by the issuer");
    }

    function testFuzz_ARemovedProviderSettlesForAnExitDelayByTheIssuerAndNotByTheGuardian(uint256 wait, bool guarded)
        external
    {
        wait = bound(wait, 0, 3 * EXIT_DELAY);
        vm.prank(guarded ? guardian : issuer);
        vault.removeProvider(address(token), acme);
        assertFalse(vault.hasProvider(address(token), acme), "nothing new is taken on");
        vm.warp(START + wait);
        vm.prank(escrow);
        (bool done,) = address(vault)
            .call(abi.encodeCall(vault.settle, (address(token), gateway, 1, 1e18, usageOf(acme, 1000), 0)));
        assertEq(done, !guarded && wait < EXIT_DELAY, "settled");
    }

    function testFuzz_OnlyIssuerAndGuardianRemoveRetireAndUnlist(address caller) external {
        vm.assume(caller != issuer && caller != guardian);
        bytes[4] memory calls = [
            abi.encodeCall(vault.removeProvider, (address(token), acme)),
            abi.encodeCall(vault.retire, (address(token))),
            abi.encodeCall(vault.tightenCaps, (address(token), 0, 0)),
            abi.encodeCall(vault.setListMember, (address(token), holder, false))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(caller);
            vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotIssuerOrGuardian.selector, caller));
            (bool done,) = address(vault).call(calls[i]);
            assertTrue(done, "expectRevert looked at it");
        }
    }

    function testFuzz_ARetiredProjectSettlesForTwoExitDelaysAndRedeemsForever(uint256 wait, uint256 credits) external {
        wait = bound(wait, 0, 400 days);
        credits = bound(credits, 1, 50e18);
        vm.prank(escrow);
        token.transfer(holder, 50e18);
        vm.prank(issuer);
        vault.retire(address(token));
        vm.warp(START + wait);
        assertEq(vault.mintRoom(address(token)), 0, "no mint");
        assertFalse(vault.acceptsDeposits(address(token)), "no deposit");

        vm.prank(holder);
        assertEq(vault.redeem(address(token), credits, 0, holder), credits / 1e12, "redeems at par");
        vm.prank(escrow);
        (bool done,) = address(vault)
            .call(abi.encodeCall(vault.settle, (address(token), gateway, 1, 1e18, usageOf(acme, 1000), 0)));
        assertEq(done, wait < 2 * EXIT_DELAY, "settled");
    }

    function testFuzz_OnlyTheIssuerPutsOnTheList(address caller, address member) external {
        vm.prank(caller);
        (bool done,) = address(vault).call(abi.encodeCall(vault.setListMember, (address(token), member, true)));
        assertEq(done, caller == issuer, "put on the list");
        assertEq(vault.isListed(address(token), member), caller == issuer, "listed");
    }

    function testFuzz_TheEscrowIsSetOnce(address caller, address another) external {
        vm.prank(caller);
        (bool done,) = address(vault).call(abi.encodeCall(vault.setEscrow, (another)));
        assertFalse(done, "set by someone");
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.EscrowAlreadySet.selector, escrow));
        vault.setEscrow(another);
    }

    function testFuzz_OnlyTheEscrowSettlesAndHasItMintedTo(address caller) external {
        vm.assume(caller != escrow);
        IReserveVault.AssetAuthorization memory nothing;
        vm.startPrank(caller);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotEscrow.selector, caller, escrow));
        vault.mintToEscrow(address(token), bytes32(0), nothing);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotEscrow.selector, caller, escrow));
        vault.settle(address(token), gateway, 1, 0, "", 0);
        vm.stopPrank();
    }

    function testFuzz_MarginGoesToItsRecipientAlone(address caller, uint256 minAssets) external {
        minAssets = bound(minAssets, 0, 12e6);
        settle(token, 10e18, usageOf(acme, 5000), 0);
        uint256 margin = vault.projectOf(address(token)).margin;
        if (caller != feeRecipient) {
            vm.prank(caller);
            vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotFeeRecipient.selector, caller, feeRecipient));
            vault.withdrawMargin(address(token), 0);
        }
        vm.prank(feeRecipient);
        (bool done,) = address(vault).call(abi.encodeCall(vault.withdrawMargin, (address(token), minAssets)));
        assertEq(done, margin != 0 && margin >= minAssets, "withdrawn");
        assertEq(asset.balanceOf(feeRecipient), done ? margin : 0, "paid");
    }

    function testFuzz_WhoeverSendsItOwedGoesToThePayoutInFull(address caller, uint256 loss, uint256 minAssets)
        external
    {
        settle(token, 8.4e18, usageOf(acme, 4000), 0);
        loss = bound(loss, 0, 50e6);
        minAssets = bound(minAssets, 0, 10e6);
        if (loss != 0) loseAssets(loss);
        (uint256 owed, uint256 claims) = (vault.owedTo(acme), vault.totalClaims());
        uint256 share = owed * asset.balanceOf(address(vault)) / claims;
        vm.prank(caller);
        (bool done, bytes memory answer) = address(vault).call(abi.encodeCall(vault.withdrawOwed, (acme, minAssets)));
        assertEq(done, share >= (caller == acmePayout ? minAssets : owed), "a stranger makes no haircut final");
        if (!done) return;
        assertEq(abi.decode(answer, (uint256)), share, "paid");
        assertEq(asset.balanceOf(acmePayout), share, "to the payout address");
        assertEq(vault.totalClaims(), claims - owed, "the claim went in full");
    }

    function testFuzz_OnlyTheAuthorityNamesAnother(address caller) external {
        vm.assume(caller != address(authority));
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller));
        IAccessManaged(address(vault)).setAuthority(stranger);
    }
}
