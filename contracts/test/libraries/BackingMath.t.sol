// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {BackingMath} from "../../libraries/BackingMath.sol";
import {Test} from "../Test.sol";

/// @dev Each rounding against its definition by multiplication: q = floor(a / b) exactly when q·b <= a < (q + 1)·b.
contract BackingMathTest is Test {
    uint256 private constant SUPPLY_LIMIT = uint256(uint64(type(int64).max)) * 1e9;

    function testFuzz_ToAssetsUpAndDown(uint256 par, uint256 credits) external pure {
        par = bound(par, 1e3, 1e9);
        credits = bound(credits, 0, SUPPLY_LIMIT);
        uint256 up = BackingMath.toAssetsUp(par, credits);
        uint256 down = BackingMath.toAssetsDown(par, credits);
        assertLe(down * 1e18, credits * par, "down above");
        assertGt((down + 1) * 1e18, credits * par, "down too low");
        assertEq(up, (credits * par) % 1e18 == 0 ? down : down + 1, "up");
    }

    /// @dev What mint would have taken for those credits is the payment, to the last unit.
    function testFuzz_ToCreditsDownSpendsAllThatIsPaid(uint256 par, uint256 assets) external pure {
        par = bound(par, 1e3, 1e9);
        assets = bound(assets, 0, type(uint128).max);
        uint256 credits = BackingMath.toCreditsDown(par, assets);
        assertLe(credits * par, assets * 1e18, "above");
        assertGt((credits + 1) * par, assets * 1e18, "too low");
        assertEq(BackingMath.toAssetsUp(par, credits), assets, "nothing left over (S1, S3)");
    }

    function testFuzz_SplittingNeverHelps(uint256 par, uint256 a, uint256 b) external pure {
        par = bound(par, 1e3, 1e9);
        a = bound(a, 0, SUPPLY_LIMIT);
        b = bound(b, 0, SUPPLY_LIMIT);
        assertLe(
            BackingMath.toAssetsDown(par, a) + BackingMath.toAssetsDown(par, b),
            BackingMath.toAssetsDown(par, a + b),
            "redeem"
        );
        assertGe(
            BackingMath.toAssetsUp(par, a) + BackingMath.toAssetsUp(par, b), BackingMath.toAssetsUp(par, a + b), "mint"
        );
        assertGe(
            BackingMath.toAssetsUp(par, a + b) - BackingMath.toAssetsDown(par, a),
            BackingMath.toAssetsUp(par, b),
            "S1 after a redemption"
        );
    }

    function testFuzz_UsdToAssetsDown(uint256 usdWad) external pure {
        usdWad = bound(usdWad, 0, type(uint256).max - 1e12);
        uint256 assets = BackingMath.usdToAssetsDown(usdWad);
        assertLe(assets * 1e12, usdWad, "above");
        assertGt((assets + 1) * 1e12, usdWad, "too low");
    }

    function testFuzz_ProRataSharesNeverPassTheAmount(uint128 amount, uint64 a, uint64 b, uint64 c) external pure {
        uint256 whole = uint256(a) + b + c;
        uint256 shared = BackingMath.proRataDown(amount, a, whole) + BackingMath.proRataDown(amount, b, whole)
            + BackingMath.proRataDown(amount, c, whole);
        assertLe(shared, amount, "above");
        if (whole != 0) assertLt(uint256(amount) - shared, 3, "more than a base unit each is left");
        else assertEq(shared, 0, "shares of nothing");
    }

    function testFuzz_HaircutGainsInNoOrder(uint128 balance, uint128 a, uint128 b) external pure {
        uint256 claims = uint256(a) + b;
        uint256 first = BackingMath.haircutDown(a, balance, claims);
        assertLe(first, a, "above the claim");
        if (balance >= claims) return assertEq(first, a, "no loss, no haircut");

        uint256 second = BackingMath.haircutDown(b, balance - first, claims - a);
        assertLe(first + second, balance, "above the balance");
        assertGe(second, BackingMath.haircutDown(b, balance, claims), "the later lost by waiting");
    }

    function testFuzz_BurnLimitIsExact(uint128 usdWad, uint256 par, uint16 markupBps, uint24 requests) external pure {
        par = bound(par, 1e3, 1e9);
        uint256 limit = BackingMath.burnLimitDown(usdWad, par, markupBps, requests);
        // Multiplied out: burned × par × 1e4 <= usdWad × 1e6 × (1e4 + markup) + requests × 1e9 × par × 1e4.
        uint256 right = uint256(usdWad) * 1e6 * (1e4 + uint256(markupBps)) + uint256(requests) * 1e9 * par * 1e4;
        assertLe(limit * par * 1e4, right, "limit too high");
        assertGt((limit + 1) * par * 1e4, right, "limit too low");
    }

    function test_WindowsAreDaysSince1970() external pure {
        assertEq(BackingMath.windowDown(0), 0, "first");
        assertEq(BackingMath.windowDown(1 days - 1), 0, "last second");
        assertEq(BackingMath.windowDown(1 days), 1, "next");
    }

    function test_EntriesAreWhole() external pure {
        assertEq(BackingMath.entriesDown(55, 28), 1, "one and a rest");
        assertEq(BackingMath.entriesDown(56, 28), 2, "two");
    }
}
