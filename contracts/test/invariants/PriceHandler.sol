// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {OracleTest} from "../OracleTest.sol";

/// @title Four honest reporters who see nearly the same, one liar, and a sender who leaves any two out.
/// @dev Keeps its own history of what came into force, and judges it by the rules as contracts/README.md states them.
contract PriceHandler is OracleTest {
    struct InForce {
        uint256 usdWad;
        uint256 since;
        // The oracle's queue just before: its price, and when it was put there; 0 when there was none.
        uint256 queued;
        uint256 queuedSince;
    }

    uint256 private constant LIAR = 2;

    string public violation;
    uint256 private _clock = START;
    // For each SKU, every version that came into force.
    InForce[][3] private _history;
    // The least and most that an honest reporter said in the report under way, and in the one that queued a price.
    uint256[2] private _honest;
    uint256[2][3] private _honestInQueue;
    mapping(uint32 sku => IPriceOracle.QueuedPrice) private _queue;
    IPriceOracle.PriceReport[] private _last;

    constructor() {
        setUp();
        for (uint32 sku = 0; sku < 3; ++sku) {
            establish(sku, sku == 0 ? 1e18 : PRICE);
            (, uint128 usdWad) = oracle.currentPrice(sku);
            _history[sku].push(InForce(usdWad, vm.getBlockTimestamp(), usdWad, vm.getBlockTimestamp() - QUEUE_DELAY));
        }
        _clock = vm.getBlockTimestamp();
    }

    /// @notice Moves a price by up to 12 %, in the next epoch.
    function drift(uint256 sku, uint256 seed, uint256 lie) external {
        reportMove(uint32(sku % 3), seed, 88, 112, lie);
    }

    /// @notice Moves it by up to a factor of ten either way.
    function leap(uint256 sku, uint256 seed, uint256 lie) external {
        reportMove(uint32(sku % 3), seed, 10, 1000, lie);
    }

    /// @notice What is queued is seen again, once it may come into force or too early.
    function confirm(uint256 sku, uint256 wait, uint256 lie) external {
        uint32 chosen = uint32(sku % 3);
        IPriceOracle.QueuedPrice memory queued = oracle.queuedPriceOf(chosen);
        if (queued.usdWad == 0) chosen = (chosen + 1) % 3;
        queued = oracle.queuedPriceOf(chosen);
        vm.assume(queued.usdWad != 0);
        _clock += wait % 4 == 0 ? EPOCH_LENGTH : QUEUE_DELAY;
        send(chosen, queued.usdWad, lie);
    }

    /// @notice Everybody sees the prices unchanged.
    function heartbeat() external {
        next();
        IPriceOracle.PriceReport[] memory reports = unanimous("", hex"07");
        oracle.report(reports);
        for (uint32 sku = 0; sku < 3; ++sku) {
            if (oracle.refreshedAt(sku) != _clock) fail("a heartbeat did not refresh");
        }
        observe();
    }

    /// @notice An epoch's vectors a second time: refused, whoever sends them.
    function sendAgain() external {
        vm.assume(_last.length != 0);
        vm.warp(_clock);
        try oracle.report(_last) {
            fail("an epoch counted twice");
        } catch {}
    }

    /// @notice The liar alone with one honest reporter is no quorum; nor are three when two say nothing of a SKU.
    function reportWithout(uint256 seed) external {
        next();
        uint32 sku = uint32(seed % 3);
        (uint32 version,) = oracle.currentPrice(sku);
        IPriceOracle.PriceReport[] memory reports = new IPriceOracle.PriceReport[](3);
        for (uint256 i = 0; i < 3; ++i) {
            reports[i] = vector(i, i == 0 ? bytes("") : entry(sku, uint128(PRICE + seed % 1e14)), "");
        }
        oracle.report(reports);
        (uint32 after_,) = oracle.currentPrice(sku);
        if (after_ != version) fail("two of three moved a price");
        observe();
    }

    function veto(uint256 sku) external {
        uint32 chosen = uint32(sku % 3);
        for (uint256 i = 0; i < 2 && oracle.queuedPriceOf(chosen).usdWad == 0; ++i) {
            chosen = (chosen + 1) % 3;
        }
        vm.assume(oracle.queuedPriceOf(chosen).usdWad != 0);
        vm.warp(_clock);
        vm.prank(guardian);
        oracle.vetoPrice(chosen);
        observe();
    }

    function passTime(uint256 duration) external {
        _clock += bound(duration, 1, 12 hours);
    }

    function reportMove(uint32 sku, uint256 seed, uint256 least, uint256 most, uint256 lie) private {
        next();
        (, uint128 inForce) = oracle.currentPrice(sku);
        uint256 start = sku == 0 ? 1e18 : PRICE;
        if (inForce < start / 1000) least = 100;
        if (inForce > start * 1000) most = 100;
        send(sku, uint128(bound(seed, uint256(inForce) * least / 100 + 1, uint256(inForce) * most / 100 + 1)), lie);
    }

    /// @dev Honest reporters are within 1 % of each other. The sender picks three, the liar among them.
    function send(uint32 sku, uint128 usdWad, uint256 lie) private {
        vm.warp(_clock);
        _honest = [type(uint256).max, 0];
        delete _last;
        uint256 leftOut = lie % 4;
        for (uint256 i = 0; i < 5; ++i) {
            uint256 vote = uint256(usdWad) * (1000 + (lie >> (8 * i)) % 10) / 1000;
            if (i == LIAR) {
                vote = bound(lie >> 64, 1, 1e30);
            } else {
                // Two of the honest are left out.
                if (i == leftOut || i == (leftOut + 3) % 5) continue;
                if (vote < _honest[0]) _honest[0] = vote;
                if (vote > _honest[1]) _honest[1] = vote;
            }
            if (_last.length < 3) _last.push(vector(i, entry(sku, uint128(vote)), ""));
        }
        oracle.report(_last);
        if (oracle.queuedPriceOf(sku).since == _clock) _honestInQueue[sku] = _honest;
        observe();
    }

    function next() private {
        _clock += EPOCH_LENGTH;
        vm.warp(_clock);
    }

    /// @dev Writes down what came into force in this call, beside the queue as it was before it.
    function observe() private {
        for (uint32 sku = 0; sku < 3; ++sku) {
            (uint32 version, uint128 usdWad) = oracle.currentPrice(sku);
            InForce[] storage history = _history[sku];
            if (version == history.length + 1) {
                history.push(InForce(usdWad, _clock, _queue[sku].usdWad, _queue[sku].since));
                if (usdWad < _honest[0] || usdWad > _honest[1]) fail("a price that no honest reporter bounds");
            } else if (version != history.length) {
                fail("a report made two versions");
            }
            _queue[sku] = oracle.queuedPriceOf(sku);
        }
    }

    function fail(string memory rule) private {
        if (bytes(violation).length == 0) violation = rule;
    }

    // What must hold

    /// @notice Also what waits was bounded by honest reporters.
    function requireHonest() external view {
        for (uint32 sku = 0; sku < 3; ++sku) {
            uint256 queued = oracle.queuedPriceOf(sku).usdWad;
            if (queued == 0) continue;
            assertGe(queued, _honestInQueue[sku][0], "queued below every honest price");
            assertLe(queued, _honestInQueue[sku][1], "queued above every honest price");
        }
    }

    /// @notice The latest change of each SKU: within 10 % of the price before and 25 % of every price of the 24 h before,
    ///     or queued for an hour and confirmed within 2 %; only a depeg of the asset never waits.
    function requireBounded() external view {
        for (uint32 sku = 0; sku < 3; ++sku) {
            uint256 count = _history[sku].length;
            if (count < 2) continue;
            InForce storage last = _history[sku][count - 1];
            if (sku == 0 && last.usdWad < 0.98e18) continue;
            bool near = within(last.usdWad, _history[sku][count - 2].usdWad, 10);
            for (uint256 i = count - 1; near && i > 0; --i) {
                // In force until the next one came.
                if (_history[sku][i].since + 24 hours < last.since) break;
                near = within(last.usdWad, _history[sku][i - 1].usdWad, 25);
            }
            bool waited =
                last.queued != 0 && last.queuedSince + QUEUE_DELAY <= last.since && within(last.usdWad, last.queued, 2);
            assertTrue(near || waited, "a price moved too far at once");
        }
    }

    function requireHistory() external {
        vm.warp(_clock);
        for (uint32 sku = 0; sku < 3; ++sku) {
            uint256 count = _history[sku].length;
            for (uint32 version = count > 2 ? uint32(count) - 2 : 1; version <= count; ++version) {
                IPriceOracle.Price memory price = oracle.priceOf(sku, version);
                InForce storage seen = _history[sku][version - 1];
                assertEq(uint256(price.usdWad), seen.usdWad, "a version's price changed");
                assertGt(uint256(price.usdWad), 0, "a price of zero");
                uint256 until = version == count ? 0 : _history[sku][version].since;
                assertEq(uint256(price.supersededAt), until, "superseded at another time");
                if (until != 0 && until + 24 hours < _clock) continue;
                assertEq(uint256(oracle.settlementPrice(sku, version)), seen.usdWad, "does not settle for a day");
            }
        }
    }

    function within(uint256 price, uint256 base, uint256 percent) private pure returns (bool) {
        return price * 100 <= base * (100 + percent) && price * 100 >= base * (100 - percent);
    }
}
