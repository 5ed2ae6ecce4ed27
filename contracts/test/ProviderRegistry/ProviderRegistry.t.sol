// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IProviderRegistry, Kind} from "../../interfaces/IProviderRegistry.sol";
import {VaultTest} from "../VaultTest.sol";

contract ProviderRegistryTest is VaultTest {
    function test_RegistersUnderTheNextId() external {
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderRegistered(4, "cusp", stranger, Kind.Official, true);
        vm.prank(admin);
        uint32 id = registry.register("cusp", stranger, Kind.Official, true);
        assertEq(id, 4, "id");
        assertEq(registry.count(), 4, "count");
        assertEq(registry.idOf("cusp"), 4, "id by name");
        assertEq(registry.idOf("nobody"), 0, "id of an unknown name");
        assertEq(registry.payoutOf(4), stranger, "payout");
        assertTrue(registry.kindOf(4) == Kind.Official, "kind");
        IProviderRegistry.Provider memory provider = registry.providerOf(4);
        assertEq(provider.name, "cusp", "name");
        assertTrue(provider.active, "active");
        assertTrue(provider.resaleAllowed, "resale");
    }

    function test_RevertWhen_ARegistrationIsNotSound() external {
        vm.startPrank(admin);
        vm.expectRevert(IProviderRegistry.EmptyProviderName.selector);
        registry.register("", stranger, Kind.Routed, true);
        vm.expectRevert(IProviderRegistry.ZeroPayout.selector);
        registry.register("cusp", address(0), Kind.Routed, true);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.ProviderNameTaken.selector, "acme", acme));
        registry.register("acme", stranger, Kind.Routed, true);
        vm.stopPrank();
    }

    function test_RevertWhen_TheAuthorityDoesNotLetTheCaller() external {
        bytes memory refused = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(refused);
        registry.register("cusp", stranger, Kind.Routed, true);
        vm.expectRevert(refused);
        registry.activate(acme);
        vm.expectRevert(refused);
        registry.deactivate(acme);
        vm.expectRevert(refused);
        registry.allowResale(acme);
        vm.expectRevert(refused);
        registry.forbidResale(acme);
        vm.stopPrank();
    }

    function test_RevertWhen_TheIdIsUnknown() external {
        for (uint32 id = 0; id < 5; id += 4) {
            bytes memory unknown = abi.encodeWithSelector(IProviderRegistry.UnknownProvider.selector, id);
            vm.expectRevert(unknown);
            registry.payoutOf(id);
            vm.expectRevert(unknown);
            registry.kindOf(id);
            vm.expectRevert(unknown);
            registry.providerOf(id);
            vm.expectRevert(unknown);
            registry.changePayout(id, stranger);
            vm.expectRevert(unknown);
            vm.prank(admin);
            registry.deactivate(id);
        }
    }

    function test_OnlyThePayoutAddressMovesIt() external {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.NotPayout.selector, admin, acmePayout));
        vm.prank(admin);
        registry.changePayout(acme, admin);

        vm.startPrank(acmePayout);
        vm.expectRevert(IProviderRegistry.ZeroPayout.selector);
        registry.changePayout(acme, address(0));
        vm.expectEmit(address(registry));
        emit IProviderRegistry.PayoutChanged(acme, acmePayout, stranger);
        registry.changePayout(acme, stranger);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.NotPayout.selector, acmePayout, stranger));
        registry.changePayout(acme, acmePayout);
        vm.stopPrank();
        assertEq(registry.payoutOf(acme), stranger, "payout");
    }

    function test_SwitchesActiveAndResale() external {
        vm.startPrank(admin);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderDeactivated(acme);
        registry.deactivate(acme);
        assertFalse(registry.providerOf(acme).active, "inactive");
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderActivated(acme);
        registry.activate(acme);
        assertTrue(registry.providerOf(acme).active, "active");
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ResaleForbidden(acme);
        registry.forbidResale(acme);
        assertFalse(registry.providerOf(acme).resaleAllowed, "resale forbidden");
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ResaleAllowed(acme);
        registry.allowResale(acme);
        assertTrue(registry.providerOf(acme).resaleAllowed, "resale allowed");
        vm.stopPrank();
    }

    function test_TighteningCanBeAnotherRolesThanLoosening() external {
        bytes4[] memory tightening = new bytes4[](1);
        tightening[0] = registry.deactivate.selector;
        vm.prank(admin);
        authority.setTargetFunctionRole(address(registry), tightening, GUARDIAN_ROLE);
        vm.startPrank(guardian);
        registry.deactivate(acme);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, guardian));
        registry.activate(acme);
        vm.stopPrank();
    }
}
