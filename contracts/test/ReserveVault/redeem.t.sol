// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";

contract RedeemTest is VaultTest {
    uint256 private constant SUPPLY_LIMIT = uint256(uint64(type(int64).max)) * 1e9;

    function test_RevertWhen_CreditsAreZero() external {
        vm.expectRevert(IReserveVault.ZeroCredits.selector);
        redeemAs(holder, 0);
    }

    function test_RevertWhen_TheReceiverIsZero() external {
        vm.expectRevert(IReserveVault.ZeroReceiver.selector);
        vault.redeem(address(token), 1, 0, address(0));
    }

    function test_RevertWhen_TheVaultDidNotOpenTheToken() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.UnknownProject.selector, address(asset)));
        vault.redeem(address(asset), 1, 0, holder);
    }

    function test_RevertWhen_TheCallerHoldsLess() external {
        mintTo(token, holder, 10 * CREDIT);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, stranger, 0, CREDIT));
        redeemAs(stranger, CREDIT);
    }

    function test_RevertWhen_ThePayoutIsBelowTheMinimum() external {
        mintTo(token, holder, CREDIT);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.PayoutBelowMinimum.selector, 1e6, 1e6 + 1));
        vm.prank(holder);
        vault.redeem(address(token), CREDIT, 1e6 + 1, holder);
    }

    function test_PaysWithEverythingElseDead() external {
        mintTo(token, holder, CREDIT);
        oracle.setDepegged(true);
        vm.etch(address(oracle), "");
        vm.etch(address(registry), "");
        vm.etch(address(authority), "");
        vm.prank(issuer);
        vault.retire(address(token));
        vm.warp(START + 3650 days);
        assertEq(redeemAs(holder, CREDIT), 1e6, "paid");
    }

    function testFuzz_PaysTheParRoundedDown(uint64 par, uint256 minted, uint256 credits) external {
        openAt(par);
        minted = bound(minted, 1, SUPPLY_LIMIT);
        credits = bound(credits, 1, minted);
        uint256 cost = mintTo(token, holder, minted);
        uint256 expected = credits * vault.projectOf(address(token)).par / 1e18;
        assertEq(vault.previewRedeem(address(token), credits), expected, "preview");

        vm.expectEmit(address(vault));
        emit IReserveVault.Redeemed(address(token), holder, stranger, credits, expected);
        vm.prank(holder);
        uint256 assets = vault.redeem(address(token), credits, expected, stranger);

        assertEq(assets, expected, "payout");
        assertEq(asset.balanceOf(stranger), expected, "received");
        assertEq(token.totalSupply(), minted - credits, "supply");
        assertEq(vault.projectOf(address(token)).reserve, cost - expected, "reserve");
        assertEq(vault.totalClaims(), cost - expected, "claims");
        assertCovered();
    }

    function testFuzz_SplittingPaysNoMore(uint64 par, uint256 credits, uint256 part) external {
        openAt(par);
        credits = bound(credits, 2, SUPPLY_LIMIT);
        part = bound(part, 1, credits - 1);
        mintTo(token, holder, credits);
        uint256 whole = vault.previewRedeem(address(token), credits);
        assertLe(redeemAs(holder, part) + redeemAs(holder, credits - part), whole, "split above whole");
    }

    function testFuzz_MintAndRedeemNeverGain(uint64 par, uint256[4] memory parts) external {
        openAt(par);
        uint256 paid;
        uint256 credits;
        for (uint256 i = 0; i < parts.length; ++i) {
            parts[i] = bound(parts[i], 1, SUPPLY_LIMIT >> 2);
            credits += parts[i];
            paid += mintTo(token, holder, parts[i]);
        }
        assertLe(redeemAs(holder, credits), paid, "more out than in");
    }

    function testFuzz_ALossIsSharedInAnyOrder(uint256 first, uint256 second, uint256 loss) external {
        first = bound(first, CREDIT, 1e9 * CREDIT);
        second = bound(second, CREDIT, 1e9 * CREDIT);
        mintTo(token, holder, first);
        mintTo(other, stranger, second);
        loss = bound(loss, 1, vault.totalClaims());
        loseAssets(loss);
        uint256 left = asset.balanceOf(address(vault));
        uint256 claims = vault.totalClaims();
        uint256 reserve = vault.projectOf(address(token)).reserve;
        uint256 claim = first / 1e12;

        uint256 state = vm.snapshotState();
        uint256 firstBefore = redeemAs(holder, first);
        assertEq(firstBefore, claim * left / claims, "haircut");
        assertEq(vault.totalClaims(), claims - claim, "claim taken in full");
        assertEq(vault.projectOf(address(token)).reserve, reserve - claim, "reserve");

        vm.revertToState(state);
        vm.prank(stranger);
        vault.redeem(address(other), second, 0, stranger);
        assertApproxEqAbs(redeemAs(holder, first), firstBefore, 1, "order matters");
    }

    function redeemAs(address caller, uint256 credits) private returns (uint256 assets) {
        vm.prank(caller);
        return vault.redeem(address(token), credits, 0, caller);
    }

    function openAt(uint64 par) private {
        IReserveVault.Terms memory priced = terms();
        priced.par = uint64(bound(par, 1e3, 1e9));
        token = open(priced);
    }

    function assertCovered() private view {
        IReserveVault.Project memory project = vault.projectOf(address(token));
        assertGe(uint256(project.reserve) * 1e18, token.totalSupply() * project.par, "S1");
    }
}
