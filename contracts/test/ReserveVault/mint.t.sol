// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";

contract MintTest is VaultTest {
    function setUp() public override {
        super.setUp();
        asset.mint(holder, 1e30);
        vm.prank(holder);
        asset.approve(address(vault), type(uint256).max);
    }

    function test_RevertWhen_CreditsAreZero() external {
        vm.expectRevert(IReserveVault.ZeroCredits.selector);
        mintAsHolder(0);
    }

    function test_RevertWhen_TheReceiverIsZero() external {
        vm.expectRevert(IReserveVault.ZeroReceiver.selector);
        vm.prank(holder);
        vault.mint(address(token), CREDIT, type(uint256).max, address(0));
    }

    function test_RevertWhen_TheVaultDidNotOpenTheToken() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.UnknownProject.selector, address(asset)));
        vm.prank(holder);
        vault.mint(address(asset), CREDIT, type(uint256).max, holder);
    }

    function test_RevertWhen_TheProjectIsRetired() external {
        vm.prank(issuer);
        vault.retire(address(token));
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProjectRetired.selector, address(token), START));
        mintAsHolder(CREDIT);
    }

    function test_OnlyTheIssuerMints_WhenMintIsNotPublic() external {
        IReserveVault.Terms memory closed = terms();
        closed.publicMint = false;
        token = open(closed);

        vm.expectRevert(abi.encodeWithSelector(IReserveVault.MintNotPublic.selector, holder, issuer));
        mintAsHolder(CREDIT);

        mintTo(token, issuer, CREDIT);
        assertEq(token.balanceOf(issuer), CREDIT, "issuer's credits");
    }

    function test_RevertWhen_TheAssetIsDepegged() external {
        oracle.setDepegged(true);
        vm.expectRevert(IReserveVault.AssetDepegged.selector);
        mintAsHolder(CREDIT);
    }

    function test_RevertWhen_TheOracleIsDead() external {
        vm.mockCallRevert(address(oracle), abi.encodeCall(oracle.depegged, ()), "dead");
        vm.expectRevert(bytes("dead"));
        mintAsHolder(CREDIT);
    }

    function test_RevertWhen_TheVaultHoldsLessThanAllClaims() external {
        mintAsHolder(10 * CREDIT);
        loseAssets(1);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.Undercollateralised.selector, 11e6 - 1, 11e6));
        mintAsHolder(CREDIT);
    }

    function test_RevertWhen_LessArrivesThanWasTaken() external {
        vm.mockCall(address(asset), abi.encodePacked(asset.transferFrom.selector), abi.encode(true));
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.Undercollateralised.selector, 0, 1e6));
        mintAsHolder(CREDIT);
    }

    function test_RevertWhen_LessArrives_AlsoWhereADonationWouldCoverIt() external {
        asset.mint(address(vault), 1e6);
        vm.mockCall(address(asset), abi.encodePacked(asset.transferFrom.selector), abi.encode(true));
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.AssetsNotReceived.selector, 1e6, 2e6));
        mintAsHolder(CREDIT);
    }

    function test_RevertWhen_TheSupplyWouldPassTheCap() external {
        openCapped(100e18);
        mintAsHolder(100e18);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.MintAboveCap.selector, 100e18 + 1, 100e18));
        mintAsHolder(1);
    }

    function test_ARedemptionGivesTheRoomBack() external {
        openCapped(100e18);
        mintAsHolder(100e18);
        vm.prank(holder);
        vault.redeem(address(token), 60e18, 0, holder);
        assertEq(vault.mintRoom(address(token)), 60e18, "room");
        mintAsHolder(60e18);
    }

    function test_TheCapCountsFromTheSupplyBeforeTheWindowsFirstRedemption() external {
        openCapped(100e18);
        mintAsHolder(100e18);
        vm.warp(START + 1 days);
        vm.prank(holder);
        vault.redeem(address(token), 40e18, 0, holder);
        assertEq(vault.mintRoom(address(token)), 140e18, "room");
        mintAsHolder(140e18);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.MintAboveCap.selector, 200e18 + 1, 200e18));
        mintAsHolder(1);
    }

    function test_TheNextWindowMintsUpToTheCapAgain() external {
        openCapped(100e18);
        mintAsHolder(100e18);
        assertEq(vault.mintRoom(address(token)), 0, "room before");
        // Windows are days since 1970, so this one began before START.
        vm.warp(START - START % 1 days + 1 days);
        assertEq(vault.mintRoom(address(token)), 100e18, "room after");
        mintAsHolder(100e18);
    }

    function test_RevertWhen_TheSupplyWouldPassTheLimit() external {
        uint256 limit = uint256(uint64(type(int64).max)) * 1e9;
        mintAsHolder(limit);
        assertEq(vault.mintRoom(address(token)), 0, "room");
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.SupplyAboveLimit.selector, limit + 1, limit));
        mintAsHolder(1);
    }

    function test_RevertWhen_ItCostsMoreThanTheMaximum() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.CostAboveMaximum.selector, 1e6, 1e6 - 1));
        vm.prank(holder);
        vault.mint(address(token), CREDIT, 1e6 - 1, holder);
    }

    function test_RevertWhen_TheCostIsNotApproved() external {
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(vault), 0, 1e6)
        );
        vm.prank(stranger);
        vault.mint(address(token), CREDIT, type(uint256).max, stranger);
        assertEq(token.totalSupply(), 0, "supply");
    }

    function testFuzz_TakesTheCostRoundedUp(uint64 par, uint256 credits) external {
        IReserveVault.Terms memory priced = terms();
        priced.par = uint64(bound(par, 1e3, 1e9));
        token = open(priced);
        credits = bound(credits, 1, uint256(uint64(type(int64).max)) * 1e9);
        uint256 before = asset.balanceOf(holder);
        uint256 exact = credits * priced.par;
        uint256 cost = exact / 1e18 + (exact % 1e18 == 0 ? 0 : 1);

        vm.expectEmit(address(vault));
        emit IReserveVault.Minted(address(token), holder, stranger, credits, cost);
        vm.prank(holder);
        uint256 assets = vault.mint(address(token), credits, cost, stranger);

        assertEq(assets, cost, "cost");
        assertEq(vault.previewMint(address(token), credits), cost, "preview");
        assertEq(before - asset.balanceOf(holder), cost, "taken");
        assertEq(token.balanceOf(stranger), credits, "credits");
        assertEq(vault.projectOf(address(token)).reserve, cost, "reserve");
        assertEq(vault.projectOf(address(other)).reserve, 0, "other project's reserve");
        assertEq(vault.totalClaims(), cost, "claims");
        assertEq(asset.balanceOf(address(vault)), cost, "vault's balance");
    }

    function mintAsHolder(uint256 credits) private {
        vm.prank(holder);
        vault.mint(address(token), credits, type(uint256).max, holder);
    }

    function openCapped(uint128 mintCap) private {
        IReserveVault.Terms memory capped = terms();
        capped.mintCap = mintCap;
        token = open(capped);
    }
}
