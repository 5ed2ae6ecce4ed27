// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAggregatorV3} from "../../interfaces/IAggregatorV3.sol";
import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {IncidentTest} from "./IncidentTest.sol";

/// @title A price that is wrong: frozen, a thousand times off, without one of its factors, or of too few sources.
contract PriceIncidentsTest is IncidentTest {
    /// @dev The model has come to cost ten times as much, and the feed still says 0.002 USD. In the lending markets that this
    ///     happened to, the wrong price bought real money. Here it buys calls alone: a credit costs and pays its par.
    function test_APriceFeedFrozenLowPaysNobody() external {
        IAggregatorV3 feed = IAggregatorV3(deploy("PriceFeed.sol:PriceFeed", abi.encode(oracle, SKU)));
        uint256 lastSeen = oracle.refreshedAt(SKU);
        vm.warp(vm.getBlockTimestamp() + 30 days);

        // In and out by the vault: par both ways.
        asset.mint(thief, 100 * DOLLAR);
        vm.startPrank(thief);
        asset.approve(address(vault), 100 * DOLLAR);
        vault.mint(address(token), 100 * CREDIT, 100 * DOLLAR, thief);
        assertEq(vault.redeem(address(token), 100 * CREDIT, 0, thief), 100 * DOLLAR, "what it paid");
        vm.stopPrank();

        // Spent at the frozen price, what leaves is what the burned credits cost: 2.1 USD of 2.1 credits.
        settle(line(50 * CREDIT, 2.1e18), 1000);
        assertEq(vault.owedTo(acme) + vault.projectOf(address(token)).margin, 2.1e6, "left the reserve");

        // Whoever reads the price sees how old it is; the gateway lends one dollar on it after 2 h, and nothing after 6.
        (,,, uint256 updatedAt,) = feed.latestRoundData();
        assertEq(updatedAt, lastSeen, "nobody has confirmed it since");
        assertGe(vm.getBlockTimestamp() - updatedAt, 6 hours, "hard stale");

        // When reports return, so does the price, an hour later.
        establish(SKU, 10 * UNIT_PRICE);
        assertTheSaverIsWhole();
    }

    /// @dev Vectors of today, kept until they are wrong, or two reporters who say no more.
    function test_NobodyCanFreezeAPrice() external {
        IPriceOracle.PriceReport[] memory saved = unanimous(entry(SKU, UNIT_PRICE), "");
        vm.warp(vm.getBlockTimestamp() + 2 * EPOCH_LENGTH);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.WrongEpoch.selector, saved[0].epoch, epochNow()));
        oracle.report(saved);

        // Three of five are left, and enough.
        IPriceOracle.PriceReport[] memory rest = new IPriceOracle.PriceReport[](3);
        for (uint256 i; i < 3; ++i) {
            rest[i] = vector(i + 2, entry(SKU, UNIT_PRICE * 105 / 100), "");
        }
        oracle.report(rest);
        assertInForce(SKU, UNIT_PRICE * 105 / 100);
    }

    /// @dev Nobody has a price yet that the new one could be compared with.
    function test_TheFirstPriceOfANewSkuOffByAThousand() external {
        uint128[2] memory wrong = [1000 * UNIT_PRICE, UNIT_PRICE / 1000];
        for (uint256 i; i < wrong.length; ++i) {
            reportNext(SECOND_SKU, wrong[i]);
            assertInForce(SECOND_SKU, 0);
            assertQueued(SECOND_SKU, wrong[i]);

            // A gateway that used it all the same has no version to settle.
            expectSettleRevertsAt(SECOND_SKU, 1);
            vm.prank(guardian);
            oracle.vetoPrice(SECOND_SKU);
        }

        // Nor does it come into force by itself: an hour and a second epoch of the same price must pass.
        reportNext(SECOND_SKU, 1000 * UNIT_PRICE);
        reportNext(SECOND_SKU, 1000 * UNIT_PRICE);
        assertInForce(SECOND_SKU, 0);
        vm.warp(vm.getBlockTimestamp() + 1 hours);
        expectSettleRevertsAt(SECOND_SKU, 1);
        reportNext(SECOND_SKU, UNIT_PRICE);
        assertInForce(SECOND_SKU, 0);
        vm.warp(vm.getBlockTimestamp() + 1 hours);
        reportNext(SECOND_SKU, UNIT_PRICE);
        assertInForce(SECOND_SKU, UNIT_PRICE);
        assertTheSaverIsWhole();
    }

    /// @dev The admin changes what is reported, and the new feed forgets to multiply: a ratio stands where a price was.
    function test_AFeedThatMissesAFactorAfterAConfigurationChange() external {
        uint128 withoutFactor = UNIT_PRICE / 2200;
        IPriceOracle.PriceReport[] memory old = unanimous(entry(SKU, UNIT_PRICE), "");
        vm.prank(admin);
        oracle.addSku("acme/large:input_token");
        IPriceOracle.PriceReport[] memory changed = unanimous(entry(SKU, withoutFactor), "");

        // Who signed for the configuration before is not read under the one after.
        vm.expectPartialRevert(IPriceOracle.NotReporter.selector);
        oracle.report(old);

        // A whole quorum that forgot the factor moves the price by a factor of 2200: it waits.
        oracle.report(changed);
        assertInForce(SKU, UNIT_PRICE);
        assertQueued(SKU, withoutFactor);
        settle(line(50 * CREDIT, 2.1e18), 1000);
        assertEq(vault.owedTo(acme), 2 * DOLLAR, "the provider is paid as before");

        // Whoever notices within the hour ends it: the guardian, or the reporters with the factor again.
        reportNext(SKU, UNIT_PRICE);
        assertQueued(SKU, 0);
        reportNext(SKU, withoutFactor);
        vm.prank(guardian);
        oracle.vetoPrice(SKU);
        vm.warp(vm.getBlockTimestamp() + 2 hours);
        assertInForce(SKU, UNIT_PRICE);
        assertTheSaverIsWhole();
    }

    /// @dev Five sources, of whom one may lie; it also chooses which vectors are sent, and when.
    function test_AMinorityOfSourcesDecidesNothing() external {
        vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
        uint128 lie = UNIT_PRICE * 109 / 100;
        IPriceOracle.PriceReport[] memory two = new IPriceOracle.PriceReport[](2);
        (two[0], two[1]) = (vector(0, entry(SKU, lie), ""), vector(1, entry(SKU, lie), ""));
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.QuorumTooSmall.selector, 2, 3));
        oracle.report(two);

        // One of them twice makes no third.
        IPriceOracle.PriceReport[] memory three = new IPriceOracle.PriceReport[](3);
        (three[0], three[1], three[2]) = (two[0], two[1], two[1]);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.ReportersNotAscending.selector, reporters[1], reporters[1]));
        oracle.report(three);

        // Whatever one says, above or below, the median lies between two who are honest.
        uint128[2] memory lies = [type(uint128).max, 1];
        for (uint256 i; i < lies.length; ++i) {
            vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
            oracle.report(votes(lies[i], UNIT_PRICE, UNIT_PRICE));
            assertInForce(SKU, UNIT_PRICE);
            assertQueued(SKU, 0);
        }

        // No set is taken in which one source decides, or that one could silence.
        uint8[4] memory refused = [1, 2, 4, 5];
        vm.startPrank(admin);
        for (uint256 i; i < refused.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IPriceOracle.InvalidQuorum.selector, 5, refused[i]));
            oracle.setReporters(reporters, refused[i]);
        }
        vm.stopPrank();
        assertTheSaverIsWhole();
    }

    /// @dev One liar more than the set of five is made for. What two do is bounded by the steps, and undone by an honest epoch.
    function test_TwoLiarsOfFiveMoveATenthAtMostBeforeTheyAreSeen() external {
        vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
        uint128 tenth = UNIT_PRICE * 110 / 100;
        oracle.report(votes(tenth + 1, tenth + 1, UNIT_PRICE));
        assertInForce(SKU, UNIT_PRICE);
        assertQueued(SKU, tenth + 1);

        vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
        oracle.report(votes(tenth, tenth, UNIT_PRICE));
        assertInForce(SKU, tenth);

        // Step by step it ends at a quarter above the day's lowest; the next step waits.
        uint128 quarter = UNIT_PRICE * 125 / 100;
        vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
        oracle.report(votes(tenth * 109 / 100, tenth * 109 / 100, UNIT_PRICE));
        vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
        oracle.report(votes(quarter + 1, quarter + 1, UNIT_PRICE));
        assertInForce(SKU, tenth * 109 / 100);
        assertQueued(SKU, quarter + 1);

        // The honest three are back within two epochs, and a holder has never been charged above its voucher.
        reportHonest(tenth);
        reportHonest(UNIT_PRICE);
        assertInForce(SKU, UNIT_PRICE);
        assertTheSaverIsWhole();
    }

    function reportHonest(uint128 price) private {
        vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
        IPriceOracle.PriceReport[] memory honest = new IPriceOracle.PriceReport[](3);
        for (uint256 i; i < 3; ++i) {
            honest[i] = vector(i + 2, entry(SKU, price), "");
        }
        oracle.report(honest);
    }

    /// @dev 1000 units of a SKU at a version that is not in force.
    function expectSettleRevertsAt(uint32 sku, uint32 version) private {
        ISpendEscrow.TokenBatch[] memory batches = batchOf(line(50 * CREDIT, CREDIT), 0);
        batches[0].usage = abi.encodePacked(acme, sku, version, uint128(1000));
        uint64 batchId = escrow.nextBatchId(gateway);
        vm.prank(settler);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.UnknownPriceVersion.selector, sku, version));
        escrow.settle(gateway, batchId, ROOT, batches);
    }
}
