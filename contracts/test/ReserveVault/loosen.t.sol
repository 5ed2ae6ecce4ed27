// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Kind} from "../../interfaces/IProviderRegistry.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";

contract LoosenTest is VaultTest {
    function setUp() public override {
        super.setUp();
        IReserveVault.Terms memory narrow = terms();
        narrow.mintCap = 100e18;
        narrow.payoutCap = 50e6;
        narrow.providers = only(acme);
        token = open(narrow);
    }

    function test_RevertWhen_TheCallerIsNotTheIssuer() external {
        vm.startPrank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotIssuer.selector, guardian, issuer));
        vault.proposeLoosening(address(token), 1, 1, new uint32[](0));
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotIssuer.selector, guardian, issuer));
        vault.applyLoosening(address(token));
        vm.stopPrank();
    }

    function test_RevertWhen_AProviderIsOfTheOtherKind() external {
        vm.expectRevert(
            abi.encodeWithSelector(IReserveVault.ProviderKindMismatch.selector, official, Kind.Official, Kind.Routed)
        );
        propose(200e18, 60e6, official);
    }

    function test_RevertWhen_ACapIsBelowThePresentOne() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.CapNotHigher.selector, 100e18 - 1, 100e18));
        propose(100e18 - 1, 50e6, bole);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.CapNotHigher.selector, 50e6 - 1, 50e6));
        propose(100e18, 50e6 - 1, bole);
        propose(100e18, 50e6, bole);
    }

    function test_RevertWhen_AProviderIsInactive() external {
        propose(100e18, 50e6, bole);
        vm.prank(admin);
        registry.deactivate(bole);
        vm.warp(START + 2 * EXIT_DELAY);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderInactive.selector, bole));
        applyIt();
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderInactive.selector, bole));
        propose(100e18, 50e6, bole);
    }

    function test_RevertWhen_AProviderForbidsResale() external {
        propose(100e18, 50e6, bole);
        vm.prank(admin);
        registry.forbidResale(bole);
        vm.warp(START + 2 * EXIT_DELAY);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ResaleForbidden.selector, bole));
        applyIt();
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ResaleForbidden.selector, bole));
        propose(100e18, 50e6, bole);
        assertFalse(vault.hasProvider(address(token), bole), "admitted");
    }

    function test_AdmitsAgainAProviderThatWasRemoved() external {
        mintTo(token, escrow, 10e18);
        vm.prank(issuer);
        vault.removeProvider(address(token), acme);
        propose(100e18, 50e6, acme);
        vm.warp(START + 2 * EXIT_DELAY);
        applyIt();
        assertTrue(vault.hasProvider(address(token), acme), "in the terms");
        settle(token, 2e18, usageOf(acme, 1000), 0);
    }

    function test_RevertWhen_NothingIsProposed() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NoLooseningProposed.selector, address(token)));
        applyIt();
    }

    function test_TwoExitDelaysPassFirst() external {
        uint40 readyAt = uint40(START) + 2 * EXIT_DELAY;
        vm.expectEmit(address(vault));
        emit IReserveVault.LooseningProposed(address(token), 200e18, 60e6, only(bole), readyAt);
        propose(200e18, 60e6, bole);
        assertEq(vault.projectOf(address(token)).mintCap, 100e18, "cap before");
        assertFalse(vault.hasProvider(address(token), bole), "provider before");

        vm.warp(readyAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.LooseningNotReady.selector, readyAt - 1, readyAt));
        applyIt();

        vm.warp(readyAt);
        vm.expectEmit(address(vault));
        emit IReserveVault.Loosened(address(token), 200e18, 60e6);
        vm.expectEmit(address(vault));
        emit IReserveVault.ProviderAdded(address(token), bole);
        applyIt();
        assertEq(vault.projectOf(address(token)).mintCap, 200e18, "mint cap");
        assertEq(vault.projectOf(address(token)).payoutCap, 60e6, "payout cap");
        assertTrue(vault.hasProvider(address(token), acme), "provider of old");
        assertTrue(vault.hasProvider(address(token), bole), "provider added");

        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NoLooseningProposed.selector, address(token)));
        applyIt();
    }

    function test_ANewProposalWaitsAgain() external {
        propose(200e18, 60e6, bole);
        vm.warp(START + 2 * EXIT_DELAY);
        propose(300e18, 70e6, acme);
        vm.expectRevert(
            abi.encodeWithSelector(
                IReserveVault.LooseningNotReady.selector, START + 2 * EXIT_DELAY, START + 4 * EXIT_DELAY
            )
        );
        applyIt();
        vm.warp(START + 4 * EXIT_DELAY);
        applyIt();
        assertEq(vault.projectOf(address(token)).mintCap, 300e18, "mint cap");
        assertFalse(vault.hasProvider(address(token), bole), "first proposal's provider");
    }

    function test_ADayAfterItIsReadyIsItsLast() external {
        uint256 last = START + 2 * EXIT_DELAY + 1 days;
        propose(200e18, 60e6, bole);
        vm.warp(last + 1);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NoLooseningProposed.selector, address(token)));
        applyIt();

        vm.warp(last);
        applyIt();
        assertEq(vault.projectOf(address(token)).mintCap, 200e18, "applied in the last second");
    }

    function propose(uint128 mintCap, uint128 payoutCap, uint32 provider) private {
        uint32[] memory providers = only(provider);
        vm.prank(issuer);
        vault.proposeLoosening(address(token), mintCap, payoutCap, providers);
    }

    function applyIt() private {
        vm.prank(issuer);
        vault.applyLoosening(address(token));
    }

    function only(uint32 provider) private pure returns (uint32[] memory providers) {
        providers = new uint32[](1);
        providers[0] = provider;
    }
}
