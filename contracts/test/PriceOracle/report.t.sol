// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IPriceOracle as PriceOracle} from "../../interfaces/IPriceOracle.sol";
import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {OracleTest} from "../OracleTest.sol";

contract ReportTest is OracleTest {
    // Who signed what, and when

    function test_NeedsAQuorum() external {
        IPriceOracle.PriceReport[] memory reports = new IPriceOracle.PriceReport[](2);
        reports[0] = vector(0, entry(SKU, PRICE), "");
        reports[1] = vector(1, entry(SKU, PRICE), "");
        refuse(reports, abi.encodeWithSelector(IPriceOracle.QuorumTooSmall.selector, 2, QUORUM));
        refuse(
            new IPriceOracle.PriceReport[](0), abi.encodeWithSelector(IPriceOracle.QuorumTooSmall.selector, 0, QUORUM)
        );
    }

    function test_AnyoneMaySendIt() external {
        IPriceOracle.PriceReport[] memory reports = unanimous(entry(SKU, PRICE), "");
        vm.expectEmit(address(oracle));
        emit IPriceOracle.EpochReported(epochNow(), QUORUM);
        vm.prank(stranger);
        oracle.report(reports);
        assertEq(uint256(oracle.lastEpoch()), epochNow(), "last epoch");
    }

    function test_TakesThePresentEpochAndTheOneBefore() external {
        IPriceOracle.PriceReport[] memory early = unanimous(entry(SKU, PRICE), "");
        uint32 epoch = epochNow();
        vm.warp(START + 2 * EPOCH_LENGTH - 1);
        oracle.report(early);
        assertEq(uint256(oracle.lastEpoch()), epoch, "the one before");
    }

    function test_RefusesOldAndFutureEpochs() external {
        IPriceOracle.PriceReport[] memory old = unanimous(entry(SKU, PRICE), "");
        uint32 epoch = epochNow();
        vm.warp(START + 2 * EPOCH_LENGTH);
        refuse(old, abi.encodeWithSelector(IPriceOracle.WrongEpoch.selector, epoch, epoch + 2));

        IPriceOracle.PriceReport[] memory ahead = unanimous(entry(SKU, PRICE), "");
        vm.warp(START);
        refuse(ahead, abi.encodeWithSelector(IPriceOracle.WrongEpoch.selector, epoch + 2, epoch));
    }

    function test_TakesAnEpochOnce() external {
        IPriceOracle.PriceReport[] memory reports = unanimous(entry(SKU, PRICE), "");
        uint32 epoch = epochNow();
        oracle.report(reports);
        bytes memory reason = abi.encodeWithSelector(IPriceOracle.EpochAlreadyReported.selector, epoch, epoch);
        refuse(reports, reason);
        refuse(votes(3 * PRICE, 3 * PRICE, 3 * PRICE), reason);
    }

    function test_AReplayOfAnOlderEpochIsRefused() external {
        IPriceOracle.PriceReport[] memory older = unanimous(entry(SKU, 2 * PRICE), "");
        uint32 epoch = epochNow();
        reportNext(SKU, PRICE);
        refuse(older, abi.encodeWithSelector(IPriceOracle.EpochAlreadyReported.selector, epoch, epoch + 1));
    }

    function test_RefusesVectorsOfSeveralEpochs() external {
        IPriceOracle.PriceReport[] memory reports = unanimous(entry(SKU, PRICE), "");
        uint32 epoch = epochNow();
        vm.warp(START + EPOCH_LENGTH);
        reports[2] = vector(2, entry(SKU, PRICE), "");
        refuse(reports, abi.encodeWithSelector(IPriceOracle.WrongEpoch.selector, epoch + 1, epoch));
    }

    function test_RefusesObservationsOutsideTheEpochOrAhead() external {
        vm.warp(START + 10);
        IPriceOracle.PriceReport[] memory reports = unanimous(entry(SKU, PRICE), "");
        uint32 epoch = epochNow();
        uint40[3] memory moments = [START - 1, START + EPOCH_LENGTH, START + 11];
        for (uint256 i; i < moments.length; ++i) {
            reports[1] = vector(1, epoch, moments[i], entry(SKU, PRICE), "");
            refuse(reports, abi.encodeWithSelector(IPriceOracle.ObservedOutsideEpoch.selector, moments[i], epoch));
        }
    }

    function test_RefusesStrangersAndBadSignatures() external {
        IPriceOracle.PriceReport[] memory reports = unanimous(entry(SKU, PRICE), "");
        reports[1].r = bytes32(0);
        refuse(reports, abi.encodeWithSelector(IPriceOracle.NotReporter.selector, address(0)));

        // A stranger in the place where its address belongs in the ascending order.
        (, uint256 strangerKey) = account("stranger");
        uint256 place;
        while (place < 4 && reporters[place + 1] < stranger) ++place;
        if (place > 2) place = 2;
        reporterKeys[place] = strangerKey;
        refuse(unanimous(entry(SKU, PRICE), ""), abi.encodeWithSelector(IPriceOracle.NotReporter.selector, stranger));
    }

    function test_RefusesVectorsSignedForAnotherConfiguration() external {
        IPriceOracle.PriceReport[] memory reports = unanimous(entry(SKU, PRICE), "");
        vm.prank(admin);
        oracle.addSku("acme/voice:second");
        vm.expectRevert();
        oracle.report(reports);
        oracle.report(unanimous(entry(SKU, PRICE), ""));
    }

    function test_RefusesOneReporterTwiceAndDisorder() external {
        IPriceOracle.PriceReport[] memory reports = unanimous(entry(SKU, PRICE), "");
        reports[1] = reports[0];
        refuse(reports, abi.encodeWithSelector(IPriceOracle.ReportersNotAscending.selector, reporters[0], reporters[0]));
        reports[1] = vector(3, entry(SKU, PRICE), "");
        refuse(reports, abi.encodeWithSelector(IPriceOracle.ReportersNotAscending.selector, reporters[3], reporters[2]));
    }

    // What a vector must be

    function test_RefusesMalformedVectors() external {
        bytes memory malformed = abi.encodeWithSelector(IPriceOracle.MalformedReport.selector);
        refuseVector(hex"00", "", malformed);
        refuseVector(bytes.concat(entry(SKU, PRICE), hex"00"), "", malformed);
        // Bit 3 is the first without a SKU; a second byte has none at all.
        refuseVector("", hex"08", malformed);
        refuseVector("", hex"80", malformed);
        refuseVector("", hex"0000", malformed);
        // SKU 1 both changed and not.
        refuseVector(entry(SKU, PRICE), hex"02", malformed);
        refuseVector(entry(3, PRICE), "", abi.encodeWithSelector(IPriceOracle.UnknownSku.selector, 3));
        refuseVector(entry(SKU, 0), "", abi.encodeWithSelector(IPriceOracle.ZeroPrice.selector, SKU));
        refuseVector(
            bytes.concat(entry(2, PRICE), entry(1, PRICE)),
            "",
            abi.encodeWithSelector(IPriceOracle.SkusNotAscending.selector, 2, 1)
        );
        refuseVector(
            bytes.concat(entry(1, PRICE), entry(1, PRICE)),
            "",
            abi.encodeWithSelector(IPriceOracle.SkusNotAscending.selector, 1, 1)
        );
    }

    function test_TheSenderLeavesAMalformedVectorOut() external {
        IPriceOracle.PriceReport[] memory reports = unanimous(entry(SKU, PRICE), "");
        reports[0] = vector(0, entry(SKU, 0), "");
        refuse(reports, abi.encodeWithSelector(IPriceOracle.ZeroPrice.selector, SKU));
        for (uint256 i; i < QUORUM; ++i) {
            reports[i] = vector(i + 1, entry(SKU, PRICE), "");
        }
        oracle.report(reports);
        assertQueued(SKU, PRICE);
    }

    function test_ABitmapOfWholeBytesIsFine() external {
        vm.startPrank(admin);
        for (uint256 i = 3; i < 8; ++i) {
            oracle.addSku(vm.toString(i));
        }
        vm.stopPrank();
        oracle.report(unanimous("", hex"ff"));
        oracle.currentPrice(7);
    }

    // Medians

    function test_ALiarMovesNothing() external {
        establish(SKU, PRICE);
        vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
        oracle.report(votes(type(uint128).max, PRICE + 2, PRICE + 1));
        assertInForce(SKU, PRICE + 2);
        vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
        oracle.report(votes(PRICE + 4, 1, PRICE + 3));
        assertInForce(SKU, PRICE + 3);
    }

    function testFuzz_TheMedianLiesBetweenHonestVotes(uint128[5] memory honest, uint128 lie, uint256 count) external {
        count = bound(count, 3, 5);
        uint128[] memory prices = new uint128[](count);
        (uint128 least, uint128 most) = (type(uint128).max, 0);
        for (uint256 i; i < count; ++i) {
            prices[i] = uint128(bound(honest[i], 1, type(uint128).max));
            if (i == 1) continue;
            if (prices[i] < least) least = prices[i];
            if (prices[i] > most) most = prices[i];
        }
        prices[1] = uint128(bound(lie, 1, type(uint128).max));
        oracle.report(votes(prices));
        uint128 median = oracle.queuedPriceOf(SKU).usdWad;
        assertGe(uint256(median), least, "not below the honest");
        assertLe(uint256(median), most, "not above the honest");
    }

    function test_OfAnEvenCountTheLowerMiddle() external {
        uint128[] memory prices = new uint128[](4);
        (prices[0], prices[1], prices[2], prices[3]) = (40, 10, 30, 20);
        oracle.report(votes(prices));
        assertQueued(SKU, 20);
    }

    function test_ASkuThatFewerThanAQuorumNameStays() external {
        IPriceOracle.PriceReport[] memory reports = unanimous(entry(SKU, PRICE), "");
        reports[2] = vector(2, entry(SECOND_SKU, PRICE), "");
        oracle.report(reports);
        assertQueued(SKU, 0);
        assertQueued(SECOND_SKU, 0);
        assertEq(uint256(oracle.lastEpoch()), epochNow(), "the epoch is taken all the same");
    }

    function test_SeveralSkusInOneReport() external {
        bytes memory all = bytes.concat(entry(ASSET, 1e18), entry(SKU, PRICE), entry(SECOND_SKU, 2 * PRICE));
        oracle.report(unanimous(all, ""));
        assertQueued(ASSET, 1e18);
        assertQueued(SKU, PRICE);
        assertQueued(SECOND_SKU, 2 * PRICE);
    }

    // Unchanged

    function test_AnUnchangedPriceIsRefreshedAndMakesNoVersion() external {
        establish(SKU, PRICE);
        (uint32 version,) = oracle.currentPrice(SKU);
        vm.warp(vm.getBlockTimestamp() + 3 * EPOCH_LENGTH);
        oracle.report(unanimous("", hex"02"));
        assertEq(oracle.refreshedAt(SKU), vm.getBlockTimestamp(), "refreshed by the bit");

        reportNext(SKU, PRICE);
        assertEq(oracle.refreshedAt(SKU), vm.getBlockTimestamp(), "refreshed by the same price");
        (uint32 after_,) = oracle.currentPrice(SKU);
        assertEq(uint256(after_), version, "no new version");
    }

    function test_ABitIsAVoteForThePriceInForce() external {
        establish(SKU, PRICE);
        vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
        IPriceOracle.PriceReport[] memory reports = votes(PRICE + 10, 1, PRICE + 20);
        reports[1] = vector(1, "", hex"02");
        oracle.report(reports);
        assertInForce(SKU, PRICE + 10);
    }

    function test_ABitWithoutAPriceIsNoVote() external {
        IPriceOracle.PriceReport[] memory reports = unanimous(entry(SKU, PRICE), "");
        reports[1] = vector(1, "", hex"02");
        oracle.report(reports);
        assertQueued(SKU, 0);
        assertEq(oracle.refreshedAt(SKU), 0, "never seen");
    }

    function test_ABitFromBeforeThePriceCameIsNoVote() external {
        establish(SKU, PRICE);
        vm.warp(START + 1 days);
        uint32 epoch = epochNow();
        IPriceOracle.PriceReport[] memory earlier = unanimous(entry(SKU, PRICE + 1), "");
        vm.warp(START + 1 days + EPOCH_LENGTH);
        // Looked at PRICE, which is in force still; the report of the epoch before comes a second later.
        IPriceOracle.PriceReport[] memory looked = unanimous("", hex"02");
        vm.warp(START + 1 days + EPOCH_LENGTH + 1);
        oracle.report(earlier);
        uint40 seen = oracle.refreshedAt(SKU);
        oracle.report(looked);
        assertEq(uint256(oracle.lastEpoch()), epoch + 1, "taken");
        assertInForce(SKU, PRICE + 1);
        assertEq(oracle.refreshedAt(SKU), seen, "nobody saw the new price");
    }

    // Bounds and the queue

    function test_AFirstPriceWaits() external {
        vm.expectEmit(address(oracle));
        emit IPriceOracle.PriceQueued(SKU, PRICE, 0);
        oracle.report(unanimous(entry(SKU, PRICE), ""));
        IPriceOracle.QueuedPrice memory queued = oracle.queuedPriceOf(SKU);
        assertEq(uint256(queued.usdWad), PRICE, "queued");
        assertEq(queued.since, START, "since");
        assertEq(uint256(queued.epoch), START / EPOCH_LENGTH, "epoch");

        vm.warp(START + QUEUE_DELAY - 1);
        oracle.report(unanimous(entry(SKU, PRICE), ""));
        assertInForce(SKU, 0);
        assertEq(oracle.queuedPriceOf(SKU).since, START, "the timer goes on");

        vm.warp(START + QUEUE_DELAY);
        vm.expectEmit(address(oracle));
        emit IPriceOracle.PriceInForce(SKU, 1, PRICE);
        oracle.report(unanimous(entry(SKU, PRICE), ""));
        assertInForce(SKU, PRICE);
        assertQueued(SKU, 0);
    }

    function test_TimeAloneConfirmsNothing() external {
        oracle.report(unanimous(entry(SKU, PRICE), ""));
        vm.warp(START + 30 days);
        assertInForce(SKU, 0);
        assertQueued(SKU, PRICE);
    }

    function testFuzz_TenPercentAtOnce(uint128 from, uint128 to) external {
        from = uint128(bound(from, 100, 1e30));
        to = uint128(bound(to, 1, 2 * uint256(from)));
        establish(SKU, from);
        reportNext(SKU, to);
        bool within = uint256(to) * 10 <= uint256(from) * 11 && uint256(to) * 10 >= uint256(from) * 9;
        assertInForce(SKU, within ? to : from);
        assertQueued(SKU, within ? 0 : to);
    }

    function test_ARealCutOfEightyPercentGetsThrough() external {
        establish(SKU, PRICE);
        vm.warp(START + 2 days);
        reportNext(SKU, PRICE / 5);
        assertInForce(SKU, PRICE);
        for (uint256 waited; waited < QUEUE_DELAY - EPOCH_LENGTH; waited += EPOCH_LENGTH) {
            reportNext(SKU, PRICE / 5);
            assertInForce(SKU, PRICE);
        }
        reportNext(SKU, PRICE / 5);
        assertInForce(SKU, PRICE / 5);
    }

    function test_CreepingUpTripsTheTrailingBound() external {
        establish(SKU, 1000e12);
        reportNext(SKU, 1100e12);
        reportNext(SKU, 1200e12);
        reportNext(SKU, 1250e12);
        assertInForce(SKU, 1250e12);
        reportNext(SKU, 1251e12);
        assertInForce(SKU, 1250e12);
        assertQueued(SKU, 1251e12);
    }

    function test_CreepingDownTripsTheTrailingBound() external {
        establish(SKU, 1000e12);
        reportNext(SKU, 910e12);
        reportNext(SKU, 830e12);
        reportNext(SKU, 750e12);
        assertInForce(SKU, 750e12);
        reportNext(SKU, 749e12);
        assertInForce(SKU, 750e12);
        assertQueued(SKU, 749e12);
    }

    function test_TheTrailingBoundForgetsAfterADay() external {
        establish(SKU, 1000e12);
        reportNext(SKU, 1100e12);
        uint256 superseded = vm.getBlockTimestamp();
        reportNext(SKU, 1200e12);
        vm.warp(superseded + 24 hours);
        oracle.report(unanimous(entry(SKU, 1300e12), ""));
        assertInForce(SKU, 1200e12);
        assertQueued(SKU, 1300e12);

        reportNext(SKU, 1300e12);
        assertInForce(SKU, 1300e12);
        assertQueued(SKU, 0);
    }

    function test_AQueuedPriceIsConfirmedWithinTwoPercent() external {
        establish(SKU, 1000e12);
        reportNext(SKU, 2000e12);
        vm.warp(vm.getBlockTimestamp() + QUEUE_DELAY);
        reportNext(SKU, 1960e12);
        assertInForce(SKU, 1960e12);
    }

    function test_BeyondTwoPercentItIsQueuedAnew() external {
        establish(SKU, 1000e12);
        reportNext(SKU, 2000e12);
        vm.warp(vm.getBlockTimestamp() + QUEUE_DELAY);
        reportNext(SKU, 2041e12);
        assertInForce(SKU, 1000e12);
        assertQueued(SKU, 2041e12);
        assertEq(oracle.queuedPriceOf(SKU).since, vm.getBlockTimestamp(), "the timer starts again");
        vm.warp(vm.getBlockTimestamp() + QUEUE_DELAY);
        reportNext(SKU, 2041e12);
        assertInForce(SKU, 2041e12);
    }

    function test_BackInsideTheBoundsDropsTheQueue() external {
        establish(SKU, 1000e12);
        reportNext(SKU, 2000e12);
        vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
        vm.expectEmit(address(oracle));
        emit IPriceOracle.PriceDequeued(SKU, 2000e12);
        oracle.report(unanimous(entry(SKU, 1050e12), ""));
        assertInForce(SKU, 1050e12);
        assertQueued(SKU, 0);

        reportNext(SKU, 2000e12);
        vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
        oracle.report(unanimous("", hex"02"));
        assertInForce(SKU, 1050e12);
        assertQueued(SKU, 0);
    }

    function test_AQueuedMoveDoesNotRefreshThePriceInForce() external {
        establish(SKU, PRICE);
        uint40 seen = oracle.refreshedAt(SKU);
        reportNext(SKU, 2 * PRICE);
        assertEq(oracle.refreshedAt(SKU), seen, "nobody saw it");
    }

    /// @dev More versions in a day than the loop looks back on: the move queues instead of slipping through.
    function test_TooManyVersionsInADayQueue() external {
        oracle = PriceOracle(
            deploy("PriceOracle.sol:PriceOracle", abi.encode(reporters, QUORUM, uint40(1), uint40(2), authority))
        );
        reportAt(START + 1, 1e18);
        reportAt(START + 3, 1e18);
        for (uint40 i = 1; i <= 290; ++i) {
            reportAt(START + 3 + i, 1e18 + i);
        }
        assertInForce(ASSET, 1e18 + 289);
        assertQueued(ASSET, 1e18 + 290);
    }

    /// @dev With epochs of one second.
    function reportAt(uint40 moment, uint128 usdWad) private {
        vm.warp(moment);
        IPriceOracle.PriceReport[] memory reports = new IPriceOracle.PriceReport[](QUORUM);
        for (uint256 i; i < QUORUM; ++i) {
            reports[i] = vector(i, uint32(moment), moment, entry(ASSET, usdWad), "");
        }
        oracle.report(reports);
    }

    function refuse(IPriceOracle.PriceReport[] memory reports, bytes memory reason) private {
        vm.expectRevert(reason);
        oracle.report(reports);
    }

    function refuseVector(bytes memory changed, bytes memory unchanged, bytes memory reason) private {
        IPriceOracle.PriceReport[] memory reports = unanimous(entry(SKU, PRICE), "");
        reports[2] = vector(2, changed, unchanged);
        refuse(reports, reason);
    }
}
