// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";

contract SweepTest is VaultTest {
    function setUp() public override {
        super.setUp();
        mintTo(token, holder, 5 * CREDIT);
    }

    function test_RevertWhen_TheAuthorityDoesNotLetTheCaller() external {
        asset.mint(address(vault), 3);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        vm.prank(stranger);
        vault.sweep(stranger);
    }

    function test_RevertWhen_TheReceiverIsZero() external {
        vm.expectRevert(IReserveVault.ZeroReceiver.selector);
        vm.prank(admin);
        vault.sweep(address(0));
    }

    function test_RevertWhen_ThereIsNoExcess() external {
        vm.expectRevert(IReserveVault.NothingToSweep.selector);
        vm.prank(admin);
        vault.sweep(stranger);

        loseAssets(1);
        vm.expectRevert(IReserveVault.NothingToSweep.selector);
        vm.prank(admin);
        vault.sweep(stranger);
    }

    function testFuzz_SendsTheExcessOnly(uint128 donation) external {
        donation = uint128(bound(donation, 1, type(uint128).max));
        asset.mint(address(vault), donation);
        vm.expectEmit(address(vault));
        emit IReserveVault.Swept(stranger, donation);
        vm.prank(admin);
        assertEq(vault.sweep(stranger), donation, "swept");
        assertEq(asset.balanceOf(address(vault)), 5e6, "left");
        assertEq(vault.totalClaims(), 5e6, "claims");
    }
}
