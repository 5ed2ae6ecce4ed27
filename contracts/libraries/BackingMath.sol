// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Every division between amounts, each named for the way it rounds.
/// @notice Credits are 1e-18 credit, assets 1e-6 USD, `usdWad` 1e-18 USD, `par` asset base units per whole credit.
/// @dev Mint's price rounds up, every payout rounds down: always for the reserve (S1, S3).
library BackingMath {
    uint256 internal constant ONE_CREDIT = 1e18;
    uint256 internal constant NANOCREDIT = 1e9;
    uint256 internal constant USD_WAD_PER_ASSET_UNIT = 1e12;
    uint256 internal constant ONE_IN_BPS = 10_000;

    /// @notice What mint takes for `credits`.
    function toAssetsUp(uint256 par, uint256 credits) internal pure returns (uint256 assets) {
        return Math.mulDiv(credits, par, ONE_CREDIT, Math.Rounding.Ceil);
    }

    /// @notice The most credits that `assets` pay for.
    /// @dev toAssetsUp of it is `assets` again, because par is at most 1e18: nothing of a payment is left over (S1, S3).
    function toCreditsDown(uint256 par, uint256 assets) internal pure returns (uint256 credits) {
        return Math.mulDiv(assets, ONE_CREDIT, par);
    }

    /// @notice What redeem claims, and what a burn frees, for `credits`.
    /// @dev ceil(a) - floor(b) >= ceil(a - b), so a reserve that covers the supply covers what is left of it (S1).
    function toAssetsDown(uint256 par, uint256 credits) internal pure returns (uint256 assets) {
        return Math.mulDiv(credits, par, ONE_CREDIT);
    }

    /// @notice What a provider is due for a cost in 1e-18 USD, the asset taken at par with USD.
    function usdToAssetsDown(uint256 usdWad) internal pure returns (uint256 assets) {
        return usdWad / USD_WAD_PER_ASSET_UNIT;
    }

    /// @notice `amount` × `part` / `whole`, 0 when the whole is 0.
    function proRataDown(uint256 amount, uint256 part, uint256 whole) internal pure returns (uint256) {
        return whole == 0 ? 0 : Math.mulDiv(amount, part, whole);
    }

    /// @notice `claim` × min(1, `balance` / `claims`): a loss of the asset is shared equally.
    /// @dev floor leaves balance' / claims' no lower than before, so no order of payouts gains on another.
    function haircutDown(uint256 claim, uint256 balance, uint256 claims) internal pure returns (uint256 assets) {
        return balance < claims ? Math.mulDiv(claim, balance, claims) : claim;
    }

    /// @notice S5: the most credits that usage costing `usdWad` may burn: with markup, unrounded, and one nanocredit for
    ///     each request's own rounding up.
    /// @dev A whole number of credits is at most x exactly when it is at most floor(x), so flooring loses nothing.
    function burnLimitDown(uint256 usdWad, uint256 par, uint256 markupBps, uint256 requests)
        internal
        pure
        returns (uint256 credits)
    {
        // One credit costs par × 1e12 usdWad; the 1e18 of its base units over the 1e12 leaves 1e6.
        uint256 scale = 1e6 * (ONE_IN_BPS + markupBps);
        return Math.mulDiv(usdWad, scale, par * ONE_IN_BPS) + requests * NANOCREDIT;
    }

    /// @notice How many entries of `width` bytes fit in `length` bytes.
    function entriesDown(uint256 length, uint256 width) internal pure returns (uint256) {
        return length / width;
    }

    /// @notice The number of the fixed 24 h window (a UTC day) that holds a time in unix seconds.
    function windowDown(uint256 timestamp) internal pure returns (uint32) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint32(timestamp / 1 days);
    }

    /// @notice The number of the epoch of `length` seconds that holds a time in unix seconds.
    function epochDown(uint256 timestamp, uint40 length) internal pure returns (uint256) {
        return timestamp / length;
    }
}
