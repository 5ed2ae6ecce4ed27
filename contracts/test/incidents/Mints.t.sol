// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAggregatorV3} from "../../interfaces/IAggregatorV3.sol";
import {ICreditToken} from "../../interfaces/ICreditToken.sol";
import {IMinteryFactory} from "../../interfaces/IMinteryFactory.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {IncidentTest} from "./IncidentTest.sol";

/// @title Credits out of nothing, or at a rate that someone moved.
contract MintIncidentsTest is IncidentTest {
    /// @dev Whichever key is stolen, there is no credit without its dollar, and no more of them in a day than the cap.
    function test_UnlimitedMintByAStolenOperatorKey() external {
        address[6] memory stolen = [admin, guardian, issuer, gateway, settler, feeRecipient];
        for (uint256 i; i < stolen.length; ++i) {
            refuseFreeMints(stolen[i]);
        }
        assertEq(token.totalSupply(), 200 * CREDIT, "no credit more");

        // What is left is to buy, as anyone may: at par, up to the day's cap.
        asset.mint(thief, 1_000_000 * DOLLAR);
        vm.startPrank(thief);
        asset.approve(address(vault), type(uint256).max);
        vault.mint(address(token), 1000 * CREDIT, type(uint256).max, thief);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.MintAboveCap.selector, 1200e18 + 1, 1200e18));
        vault.mint(address(token), 1, type(uint256).max, thief);
        vm.stopPrank();
        assertEq(asset.balanceOf(thief), 999_000 * DOLLAR, "a dollar for each credit");
        assertTheSaverIsWhole();
    }

    function test_TheOperatorTypesThreeZerosTooMany() external {
        // In a mint: 5000 credits for 5. The price it was willing to pay stops it, then the day's cap.
        asset.mint(saver, 10_000 * DOLLAR);
        vm.startPrank(saver);
        asset.approve(address(vault), type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.CostAboveMaximum.selector, 5000e6, 5e6));
        vault.mint(address(token), 5000 * CREDIT, 5 * DOLLAR, saver);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.MintAboveCap.selector, 5200e18, 1200e18));
        vault.mint(address(token), 5000 * CREDIT, type(uint256).max, saver);
        vm.stopPrank();

        // In a line: 2100 credits for 2.1. The voucher says 10, so nothing is burned; nor is it if the usage grew with it.
        settle(line(10 * CREDIT, 2100 * CREDIT), 1000);
        settle(line(10 * CREDIT, 2100 * CREDIT), 1_000_000);
        assertEq(balanceOf(key()), 50 * CREDIT, "above the voucher: skipped");

        // In the price that the usage cost: what it burned is above the price of 1000 units and one request's rounding.
        expectSettleReverts(
            line(50 * CREDIT, 2.1e18 + 1000 * NANOCREDIT),
            1000,
            abi.encodeWithSelector(IReserveVault.OverBurn.selector, 2.1e18 + 1000e9, 2.1e18 + 1e9)
        );

        // In the usage: 1,000,000 units for 1000. The provider gets what the burned credits free, and not 2000 USD.
        settle(line(50 * CREDIT, 2.1e18), 1_000_000);
        assertEq(vault.owedTo(acme), 2.1e6, "owed");
        assertEq(vault.projectOf(address(token)).margin, 0, "and no margin");

        // In both, with a voucher wide enough: a day's payouts end at 100 USD.
        mintTo(holder, 200 * CREDIT);
        depositFor(session, 200 * CREDIT);
        expectSettleReverts(
            line(250 * CREDIT, 212.1e18),
            1_000_000,
            abi.encodeWithSelector(IReserveVault.PayoutAboveCap.selector, 212.1e6, 100e6)
        );

        // In the price: all reporters agree on 2 USD for 0.002. It waits for an hour and settles nothing meanwhile.
        reportNext(SKU, 1000 * UNIT_PRICE);
        assertInForce(SKU, UNIT_PRICE);
        vm.prank(guardian);
        oracle.vetoPrice(SKU);
        assertTheSaverIsWhole();
    }

    /// @dev The first depositor's trick: own the smallest share, then give, so that the next one's deposit rounds to nothing.
    function test_ADonationMovesNoRate() external {
        token = open(thief);
        asset.mint(thief, 10_000 * DOLLAR + 1);
        vm.startPrank(thief);
        asset.approve(address(vault), type(uint256).max);
        assertEq(vault.mint(address(token), 1, type(uint256).max, thief), 1, "one base unit costs one");
        asset.transfer(address(vault), 10_000 * DOLLAR);
        vm.stopPrank();

        // The next one pays par, gets what it paid for, and has it back.
        assertEq(vault.previewMint(address(token), 100 * CREDIT), 100 * DOLLAR, "mint's price");
        assertEq(vault.previewRedeem(address(token), 100 * CREDIT), 100 * DOLLAR, "redeem's price");
        mintTo(saver, 100 * CREDIT);
        assertEq(token.balanceOf(saver), 100 * CREDIT, "credits");
        assertTheSaverIsWhole();

        // The giver's share is worth what it was: nothing, rounded down. What was given is the admin's to sweep.
        assertEq(redeem(thief, 1), 0, "the thief's share");
        vm.prank(admin);
        assertEq(vault.sweep(admin), 10_000 * DOLLAR, "swept, and no claim with it");
        assertEq(asset.balanceOf(address(vault)), vault.totalClaims(), "what is left is claimed");
    }

    function test_ADonationOfCreditsFillsNoAccount() external {
        vm.prank(saver);
        token.transfer(address(escrow), 10 * CREDIT);
        assertEq(escrow.totalBalance(address(token)), 50 * CREDIT, "in accounts");
        settle(line(50 * CREDIT, 2.1e18), 1000);
        assertEq(balanceOf(key()), 47.9e18, "the holder's");
        assertSound();
    }

    /// @dev Borrow, mint the day's cap, redeem, repay: all in one block, before anyone else.
    function test_AFlashLoanUsesUpNoMintWindow() external {
        uint256 loan = 1000 * DOLLAR;
        asset.mint(thief, loan);
        vm.startPrank(thief);
        asset.approve(address(vault), loan);
        vault.mint(address(token), 1000 * CREDIT, loan, thief);
        assertEq(vault.mintRoom(address(token)), 0, "while the loan runs");
        assertEq(vault.redeem(address(token), 1000 * CREDIT, loan, thief), loan, "repaid");
        vm.stopPrank();
        assertEq(vault.mintRoom(address(token)), MINT_CAP, "the window is whole again");

        // The other way round, with credits that were there: the first of a day redeems, and buys back.
        vm.warp(vm.getBlockTimestamp() + 1 days);
        redeem(saver, 100 * CREDIT);
        mintTo(saver, 100 * CREDIT);
        assertEq(vault.mintRoom(address(token)), MINT_CAP, "and again");
        mintTo(holder, MINT_CAP);
        assertTheSaverIsWhole();
    }

    /// @dev Own gateway, own voucher: the thief settles a day's cap with itself, and the next gateway's window is untouched.
    function test_AFlashLoanUsesUpNoPayoutWindowOfAnother() external {
        (address drainer, uint256 drainerKey) = account("drainer");
        mintTo(drainer, 100 * CREDIT);
        vm.startPrank(drainer);
        escrow.appointSettler(drainer);
        token.approve(address(escrow), 100 * CREDIT);
        escrow.deposit(address(token), drainer, drainer, 100 * CREDIT);
        (address honest, address victim, uint256 victimKey) = (gateway, holder, sessionKey);
        (gateway, holder) = (drainer, drainer);
        ISpendEscrow.TokenBatch[] memory batches = batchOf(line(drainerKey, 100 * CREDIT, 100 * CREDIT, 0), 50_000);
        escrow.settle(drainer, 1, ROOT, batches);
        vm.stopPrank();
        (gateway, holder, sessionKey) = (honest, victim, victimKey);
        assertEq(vault.payoutRoom(address(token), drainer), 0, "the thief's day is over");

        assertEq(vault.payoutRoom(address(token), gateway), PAYOUT_CAP, "the gateway's has not begun");
        settle(line(50 * CREDIT, 50 * CREDIT), 25_000);
        assertEq(balanceOf(key()), 0, "settled");
        assertTheSaverIsWhole();
    }

    /// @dev Everything has 18 decimals but the asset, which has 6; and someone takes one for the other, or for 8.
    function test_EightAgainstEighteenDecimals() external {
        // The asset itself, as a bitcoin or an ether.
        IMinteryFactory factory = IMinteryFactory(deploy("MinteryFactory.sol:MinteryFactory", ""));
        bytes memory code = bytes.concat(
            vm.getCode("ReserveVault.sol:ReserveVault"), abi.encode(asset, oracle, registry, EXIT_DELAY, authority)
        );
        uint8[2] memory wrong = [8, 18];
        for (uint256 i; i < wrong.length; ++i) {
            vm.mockCall(address(asset), abi.encodeCall(asset.decimals, ()), abi.encode(wrong[i]));
            vm.expectRevert(abi.encodeWithSelector(IReserveVault.WrongAssetDecimals.selector, wrong[i], 6));
            factory.deploy("", code);
            vm.clearMockedCalls();
        }

        // A par as of an asset of 18.
        IReserveVault.Terms memory wide = terms();
        wide.par = 1e18;
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ParOutOfRange.selector, 1e18, 1e3, 1e9));
        vault.openProject(wide);

        // A deposit of one credit of 8 decimals.
        vm.startPrank(holder);
        token.approve(address(escrow), CREDIT);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.NotWholeNanocredits.selector, 1e8));
        escrow.deposit(address(token), gateway, session, 1e8);
        vm.stopPrank();

        // A price of 8 decimals, ten thousand million times too low: it waits, and settles nothing.
        reportNext(SKU, UNIT_PRICE / 1e10);
        assertInForce(SKU, UNIT_PRICE);
        assertQueued(SKU, UNIT_PRICE / 1e10);

        // And who reads the price elsewhere is told how many it has.
        IAggregatorV3 feed = IAggregatorV3(deploy("PriceFeed.sol:PriceFeed", abi.encode(oracle, SKU)));
        (, int256 answer,,,) = feed.latestRoundData();
        assertEq(uint256(answer) * 1000 / 10 ** feed.decimals(), 2, "1000 units cost 2 USD");
        assertTheSaverIsWhole();
    }

    /// @dev Every way to credits that costs nothing, tried with one stolen key.
    function refuseFreeMints(address key_) private {
        vm.startPrank(key_);
        vm.expectRevert(abi.encodeWithSelector(ICreditToken.NotVault.selector, key_, address(vault)));
        token.mint(thief, 1e30);

        // The escrow's own door, for which the vault takes the nonce on trust.
        IReserveVault.AssetAuthorization memory nothing =
            IReserveVault.AssetAuthorization(saver, 1000 * DOLLAR, 0, type(uint256).max, "");
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotEscrow.selector, key_, address(escrow)));
        vault.mintToEscrow(address(token), "", nothing);

        // An escrow of the thief's own.
        vm.expectRevert(
            key_ == admin
                ? abi.encodeWithSelector(IReserveVault.EscrowAlreadySet.selector, address(escrow))
                : abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, key_)
        );
        vault.setEscrow(thief);

        // The vault's door, without paying.
        vm.expectRevert();
        vault.mint(address(token), CREDIT, type(uint256).max, thief);

        // And nothing lies about to be swept.
        vm.expectRevert(
            key_ == admin
                ? abi.encodeWithSelector(IReserveVault.NothingToSweep.selector)
                : abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, key_)
        );
        vault.sweep(thief);
        vm.stopPrank();
    }
}
