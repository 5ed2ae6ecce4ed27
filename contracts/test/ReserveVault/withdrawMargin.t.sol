// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";

contract WithdrawMarginTest is VaultTest {
    function setUp() public override {
        super.setUp();
        mintTo(token, escrow, 4 * CREDIT);
        settle(token, 2.1e18, usageOf(acme, 1000), 0);
    }

    function test_RevertWhen_TheVaultDidNotOpenTheToken() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.UnknownProject.selector, address(asset)));
        vault.withdrawMargin(address(asset), 0);
    }

    function test_RevertWhen_TheCallerIsNotTheFeeRecipient() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotFeeRecipient.selector, issuer, feeRecipient));
        vm.prank(issuer);
        vault.withdrawMargin(address(token), 0);
    }

    function test_RevertWhen_ThereIsNoMargin() external {
        vm.expectRevert(IReserveVault.NothingToWithdraw.selector);
        vm.prank(feeRecipient);
        vault.withdrawMargin(address(other), 0);
    }

    function test_PaysTheMargin() external {
        vm.expectEmit(address(vault));
        emit IReserveVault.MarginWithdrawn(address(token), feeRecipient, 0.1e6, 0.1e6);
        vm.prank(feeRecipient);
        assertEq(vault.withdrawMargin(address(token), 0.1e6), 0.1e6, "paid");
        assertEq(asset.balanceOf(feeRecipient), 0.1e6, "received");
        assertEq(vault.projectOf(address(token)).margin, 0, "margin");
        assertEq(vault.totalClaims(), 3.9e6, "claims");
    }

    function test_SharesALoss() external {
        loseAssets(2e6);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.PayoutBelowMinimum.selector, 0.05e6, 0.05e6 + 1));
        vm.prank(feeRecipient);
        vault.withdrawMargin(address(token), 0.05e6 + 1);

        vm.prank(feeRecipient);
        assertEq(vault.withdrawMargin(address(token), 0.05e6), 0.05e6, "paid");
        assertEq(vault.totalClaims(), 3.9e6, "claims");
    }
}
