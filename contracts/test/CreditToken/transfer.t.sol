// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ICreditToken} from "../../interfaces/ICreditToken.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";

contract TransferTest is VaultTest {
    ICreditToken private limited;

    function setUp() public override {
        super.setUp();
        IReserveVault.Terms memory listed = terms();
        listed.allowlist = true;
        limited = open(listed);
        mintTo(limited, holder, 10 * CREDIT);
        mintTo(token, holder, 10 * CREDIT);
    }

    function test_MovesFreelyWithoutAList() external {
        vm.prank(holder);
        token.transfer(stranger, CREDIT);
        vm.prank(stranger);
        token.transfer(gateway, CREDIT);
        assertEq(token.balanceOf(gateway), CREDIT, "received");
    }

    function test_RevertWhen_TheSenderIsNotListed() external {
        list(stranger);
        vm.expectRevert(abi.encodeWithSelector(ICreditToken.TransferNotAllowed.selector, holder));
        vm.prank(holder);
        limited.transfer(stranger, CREDIT);
    }

    function test_RevertWhen_TheReceiverIsNotListed() external {
        list(holder);
        vm.expectRevert(abi.encodeWithSelector(ICreditToken.TransferNotAllowed.selector, stranger));
        vm.prank(holder);
        limited.transfer(stranger, CREDIT);
    }

    function test_ListedMembersMoveTheirCredits() external {
        list(holder);
        list(stranger);
        vm.prank(holder);
        limited.transfer(stranger, CREDIT);
        assertEq(limited.balanceOf(stranger), CREDIT, "received");

        vm.prank(guardian);
        vault.setListMember(address(limited), stranger, false);
        vm.expectRevert(abi.encodeWithSelector(ICreditToken.TransferNotAllowed.selector, stranger));
        vm.prank(stranger);
        limited.transfer(holder, CREDIT);
    }

    function test_AnotherProjectsListDoesNotCount() external {
        vm.startPrank(issuer);
        vault.setListMember(address(token), holder, true);
        vault.setListMember(address(token), stranger, true);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(ICreditToken.TransferNotAllowed.selector, holder));
        vm.prank(holder);
        limited.transfer(stranger, CREDIT);
    }

    function test_MintRedeemDepositAndExitPassTheList() external {
        vm.prank(holder);
        limited.transfer(escrow, 4 * CREDIT);
        vm.prank(escrow);
        limited.transfer(holder, CREDIT);
        vm.prank(holder);
        vault.redeem(address(limited), CREDIT, 1e6, holder);
        settle(limited, 2e18, usageOf(acme, 1000), 0);
        assertEq(limited.balanceOf(holder), 6 * CREDIT, "holder");
        assertEq(limited.balanceOf(escrow), CREDIT, "escrow");
    }

    function list(address member) private {
        vm.prank(issuer);
        vault.setListMember(address(limited), member, true);
    }
}
