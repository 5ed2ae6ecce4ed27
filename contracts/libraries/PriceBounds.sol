// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title How far a price may move without waiting.
/// @dev Ratios are compared by cross-multiplication, so nothing rounds. Prices are below 2^128, percentages small.
library PriceBounds {
    uint256 private constant WHOLE = 100;
    uint256 private constant AT_ONCE = 10;
    uint256 private constant IN_WINDOW = 25;
    uint256 private constant CONFIRMATION = 2;

    /// @notice Whether `price` is more than 10 % above or below the one in force.
    function leapsFrom(uint256 price, uint256 inForce) internal pure returns (bool) {
        return isAboveBy(price, inForce, AT_ONCE) || isBelowBy(price, inForce, AT_ONCE);
    }

    /// @notice Whether `price` is more than 25 % above or below one that was in force in the trailing window.
    function driftsFrom(uint256 price, uint256 earlier) internal pure returns (bool) {
        return isAboveBy(price, earlier, IN_WINDOW) || isBelowBy(price, earlier, IN_WINDOW);
    }

    /// @notice Whether `price` is at most 2 % above or below the queued one.
    function confirms(uint256 price, uint256 queued) internal pure returns (bool) {
        return !isAboveBy(price, queued, CONFIRMATION) && !isBelowBy(price, queued, CONFIRMATION);
    }

    function isAboveBy(uint256 price, uint256 base, uint256 percent) private pure returns (bool) {
        return price * WHOLE > base * (WHOLE + percent);
    }

    function isBelowBy(uint256 price, uint256 base, uint256 percent) private pure returns (bool) {
        return price * WHOLE < base * (WHOLE - percent);
    }
}
