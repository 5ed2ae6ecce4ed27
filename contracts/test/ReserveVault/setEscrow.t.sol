// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";

contract SetEscrowTest is VaultTest {
    function test_RevertWhen_TheAuthorityDoesNotLetTheCaller() external {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, guardian));
        vm.prank(guardian);
        vault.setEscrow(guardian);
    }

    function test_RevertWhen_ItIsSetAlready() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.EscrowAlreadySet.selector, escrow));
        vm.prank(admin);
        vault.setEscrow(stranger);
    }

    function test_SetsIt() external {
        vault = IReserveVault(
            deploy("ReserveVault.sol:ReserveVault", abi.encode(asset, oracle, registry, EXIT_DELAY, authority))
        );
        assertEq(vault.escrow(), address(0), "before");
        vm.expectEmit(address(vault));
        emit IReserveVault.EscrowSet(escrow);
        vm.prank(admin);
        vault.setEscrow(escrow);
        assertEq(vault.escrow(), escrow, "after");
    }
}
