// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";

contract RetireTest is VaultTest {
    function test_RevertWhen_TheVaultDidNotOpenTheToken() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.UnknownProject.selector, address(asset)));
        vm.prank(guardian);
        vault.retire(address(asset));
    }

    function test_RevertWhen_TheCallerIsNeitherIssuerNorGuardian() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotIssuerOrGuardian.selector, stranger));
        vm.prank(stranger);
        vault.retire(address(token));
    }

    function test_RevertWhen_TheGuardianMustWait() external {
        vm.prank(admin);
        authority.grantRole(GUARDIAN_ROLE, stranger, 1 hours);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotIssuerOrGuardian.selector, stranger));
        vm.prank(stranger);
        vault.retire(address(token));
    }

    function test_RevertWhen_ItIsRetiredAlready() external {
        vm.prank(issuer);
        vault.retire(address(token));
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProjectRetired.selector, address(token), START));
        vm.prank(issuer);
        vault.retire(address(token));
    }

    function test_TheIssuerRetires() external {
        retireAs(issuer);
    }

    function test_AGuardianRetires() external {
        retireAs(guardian);
    }

    function retireAs(address caller) private {
        vm.expectEmit(address(vault));
        emit IReserveVault.Retired(address(token), caller);
        vm.prank(caller);
        vault.retire(address(token));
        assertEq(vault.projectOf(address(token)).retiredAt, START, "retired at");
        assertTrue(vault.isProject(address(token)), "still a project");
        assertFalse(vault.acceptsDeposits(address(token)), "takes deposits");
        assertEq(vault.mintRoom(address(token)), 0, "mint room");
        assertTrue(vault.acceptsDeposits(address(other)), "the other one takes deposits");
    }
}
