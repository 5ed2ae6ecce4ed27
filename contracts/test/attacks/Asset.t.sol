// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";
import {HostileAsset} from "../mocks/HostileAsset.sol";

/// @title An asset that says it paid, pays less than it says, or calls back while it pays.
contract AssetAttackTest is VaultTest {
    uint256 private constant DONATION = 5e6;

    HostileAsset private hostile;

    function setUp() public override {
        super.setUp();
        hostile = HostileAsset(payable(deploy("HostileAsset.sol:HostileAsset", "")));
        vault = IReserveVault(
            deploy("ReserveVault.sol:ReserveVault", abi.encode(hostile, oracle, registry, EXIT_DELAY, authority))
        );
        vm.prank(admin);
        vault.setEscrow(escrow);
        token = open(terms());
        hostile.mint(address(vault), DONATION);
        hostile.mint(holder, 10e6);
        vm.prank(holder);
        hostile.approve(address(vault), type(uint256).max);
    }

    function test_AnAuthorizationThatTheAssetIgnoresMintsNothingOutOfADonation() external {
        IReserveVault.AssetAuthorization memory nothing =
            IReserveVault.AssetAuthorization(stranger, DONATION, 0, type(uint256).max, "");
        bytes memory missing =
            abi.encodeWithSelector(IReserveVault.AssetsNotReceived.selector, DONATION, DONATION + DONATION);
        vm.expectRevert(missing);
        vm.prank(stranger);
        vault.mintWithAuthorization(address(token), stranger, 0, "", nothing);

        vm.expectRevert(missing);
        vm.prank(escrow);
        vault.mintToEscrow(address(token), "", nothing);
        assertEq(token.totalSupply(), 0, "no credit exists");
    }

    function test_AFeeOnTheWayIsNotPaidOutOfADonation() external {
        hostile.keep(1);
        vm.expectRevert(
            abi.encodeWithSelector(IReserveVault.AssetsNotReceived.selector, DONATION + 1e6 - 1, DONATION + 1e6)
        );
        vm.prank(holder);
        vault.mint(address(token), CREDIT, 1e6, holder);

        hostile.keep(0);
        vm.prank(holder);
        vault.mint(address(token), CREDIT, 1e6, holder);
        assertEq(hostile.balanceOf(address(vault)), DONATION + 1e6, "the donation is still to be swept");
    }

    function test_NothingThatMovesMoneyIsEnteredWhileTheAssetMoves() external {
        IReserveVault.AssetAuthorization memory nothing =
            IReserveVault.AssetAuthorization(holder, 1e6, 0, type(uint256).max, "");
        refused(abi.encodeCall(vault.mint, (address(token), CREDIT, 1e6, holder)));
        refused(abi.encodeCall(vault.mintWithAuthorization, (address(token), holder, 0, "", nothing)));
        refused(abi.encodeCall(vault.mintToEscrow, (address(token), "", nothing)));
        refused(abi.encodeCall(vault.redeem, (address(token), CREDIT, 0, holder)));
        refused(abi.encodeCall(vault.settle, (address(token), gateway, 1, 0, "", 0)));
        refused(abi.encodeCall(vault.withdrawOwed, (acme, 0)));
    }

    /// @dev The call comes from the asset, on the way in and on the way out.
    function refused(bytes memory call_) private {
        bytes memory locked = abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        hostile.callOut(address(vault), call_);
        vm.startPrank(holder);
        vault.mint(address(token), CREDIT, 1e6, holder);
        assertEq(hostile.answer(), locked, "while it is paid in");
        vault.redeem(address(token), CREDIT, 0, holder);
        assertEq(hostile.answer(), locked, "while it is paid out");
        vm.stopPrank();
    }
}
