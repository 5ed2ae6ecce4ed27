// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IProviderRegistry, Kind} from "../../interfaces/IProviderRegistry.sol";
import {VaultTest} from "../VaultTest.sol";

/// @title Callers, names and ids of every kind, where the tests beside each function give examples.
contract ProviderRegistryFuzz is VaultTest {
    function testFuzz_ANameIsRegisteredOnce(string calldata name, address payout, bool routed, bool resale) external {
        bool sound = bytes(name).length != 0 && payout != address(0) && registry.idOf(name) == 0;
        vm.startPrank(admin);
        Kind kind = routed ? Kind.Routed : Kind.Official;
        (bool done,) = address(registry).call(abi.encodeCall(registry.register, (name, payout, kind, resale)));
        assertEq(done, sound, "registered");
        if (!done) return;
        uint32 id = registry.idOf(name);
        assertEq(uint256(id), registry.count(), "the newest");
        assertEq(registry.payoutOf(id), payout, "payout");
        assertTrue(registry.kindOf(id) == kind, "kind");
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.ProviderNameTaken.selector, name, id));
        registry.register(name, payout, kind, resale);
        vm.stopPrank();
    }

    function testFuzz_OnlyThePayoutMovesItself(address caller, address payout, uint32 id) external {
        bool known = id != 0 && id <= registry.count();
        address before = known ? registry.payoutOf(id) : address(0);
        vm.prank(caller);
        (bool done,) = address(registry).call(abi.encodeCall(registry.changePayout, (id, payout)));
        assertEq(done, known && caller == before && payout != address(0), "changed");
        vm.prank(acmePayout);
        (done,) = address(registry).call(abi.encodeCall(registry.changePayout, (acme, payout)));
        assertEq(done, payout != address(0), "changed by itself");
        if (done) assertEq(registry.payoutOf(acme), payout, "payout");
    }

    /// @dev Each flag has its two calls, which touch nothing else; kind and payout stay.
    function testFuzz_FlagsAreTheAdmins(uint256 seed, address caller) external {
        vm.assume(caller != admin);
        bytes[4] memory calls = [
            abi.encodeCall(registry.activate, (acme)),
            abi.encodeCall(registry.deactivate, (acme)),
            abi.encodeCall(registry.allowResale, (acme)),
            abi.encodeCall(registry.forbidResale, (acme))
        ];
        (bool active, bool resale) = (true, true);
        for (uint256 i = 0; i < 8; ++i) {
            uint256 chosen = (seed >> (2 * i)) % 4;
            vm.prank(caller);
            (bool done,) = address(registry).call(calls[chosen]);
            assertFalse(done, "let a stranger");
            vm.prank(admin);
            (done,) = address(registry).call(calls[chosen]);
            assertTrue(done, "refused the admin");
            if (chosen < 2) active = chosen == 0;
            else resale = chosen == 2;
            IProviderRegistry.Provider memory provider = registry.providerOf(acme);
            assertEq(provider.active, active, "active");
            assertEq(provider.resaleAllowed, resale, "resale");
            assertEq(provider.payout, acmePayout, "payout");
        }
    }

    function testFuzz_OnlyTheAuthorityNamesAnother(address caller) external {
        vm.assume(caller != address(authority));
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller));
        IAccessManaged(address(registry)).setAuthority(stranger);
    }
}
