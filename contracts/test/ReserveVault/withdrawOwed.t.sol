// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IProviderRegistry} from "../../interfaces/IProviderRegistry.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";

contract WithdrawOwedTest is VaultTest {
    function setUp() public override {
        super.setUp();
        mintTo(token, escrow, 4 * CREDIT);
        settle(token, 4e18, bytes.concat(usageOf(acme, 1000), usageOf(bole, 1000)), 0);
    }

    function test_RevertWhen_TheProviderIsNotRegistered() external {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.UnknownProvider.selector, 99));
        vault.withdrawOwed(99, 0);
    }

    function test_RevertWhen_NothingIsOwed() external {
        vm.expectRevert(IReserveVault.NothingToWithdraw.selector);
        vault.withdrawOwed(official, 0);
    }

    function test_PaysThePayoutAddressWhoeverSendsIt() external {
        vm.expectEmit(address(vault));
        emit IReserveVault.ProviderWithdrawn(acme, acmePayout, 2e6, 2e6);
        vm.prank(stranger);
        assertEq(vault.withdrawOwed(acme, 0), 2e6, "paid");
        assertEq(asset.balanceOf(acmePayout), 2e6, "received");
        assertEq(vault.owedTo(acme), 0, "owed");
        assertEq(vault.owedTo(bole), 2e6, "owed to the other");
        assertEq(vault.totalClaims(), 2e6, "claims");

        vm.expectRevert(IReserveVault.NothingToWithdraw.selector);
        vault.withdrawOwed(acme, 0);
    }

    function test_PaysWhereTheProviderMovedItsPayout() external {
        vm.prank(acmePayout);
        registry.changePayout(acme, stranger);
        vault.withdrawOwed(acme, 0);
        assertEq(asset.balanceOf(stranger), 2e6, "received");
    }

    function test_ThePayeeMayAcceptAHaircut() external {
        loseAssets(1e6);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.PayoutBelowMinimum.selector, 1.5e6, 1.5e6 + 1));
        vm.prank(acmePayout);
        vault.withdrawOwed(acme, 1.5e6 + 1);

        vm.prank(acmePayout);
        assertEq(vault.withdrawOwed(acme, 1.5e6), 1.5e6, "paid");
        assertEq(vault.owedTo(acme), 0, "owed");
        assertEq(vault.totalClaims(), 2e6, "claims");
    }

    function test_NobodyElseMakesAHaircutFinal() external {
        loseAssets(1e6);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.PayoutBelowMinimum.selector, 1.5e6, 2e6));
        vm.prank(stranger);
        vault.withdrawOwed(acme, 0);
    }

    function test_OneProvidersBlocklistingStopsNobodyElse() external {
        vm.mockCallRevert(address(asset), abi.encodeCall(asset.transfer, (acmePayout, 2e6)), "blocked");
        vm.expectRevert(bytes("blocked"));
        vault.withdrawOwed(acme, 0);
        assertEq(vault.owedTo(acme), 2e6, "still owed");
        assertEq(vault.withdrawOwed(bole, 0), 2e6, "the other is paid");
    }
}
