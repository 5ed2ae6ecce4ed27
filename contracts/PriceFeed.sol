// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAggregatorV3} from "./interfaces/IAggregatorV3.sol";
import {IPriceOracle} from "./interfaces/IPriceOracle.sol";

/// @title One SKU's price for contracts that read AggregatorV3 feeds.
/// @notice A round is a price version, counted from 1; the answer is USD per unit with 18 decimals. Holds nothing, owns
///     nothing and decides nothing: deployed by CREATE2 under the oracle and the SKU, by whoever wants it.
/// @dev A price that nobody confirms keeps its answer and its old `updatedAt`: the reader decides how old is too old (the
///     heartbeat is an hour). A queued price is no round.
contract PriceFeed is IAggregatorV3 {
    /// @notice Rounds count from 1 to the version in force; before the first price there is none.
    error UnknownRound(uint80 roundId);

    IPriceOracle public immutable ORACLE;
    uint32 public immutable SKU;

    /// @dev Reverts for a SKU that the oracle does not know.
    constructor(IPriceOracle oracle, uint32 sku) {
        oracle.skuName(sku);
        (ORACLE, SKU) = (oracle, sku);
    }

    /// @inheritdoc IAggregatorV3
    function decimals() external pure returns (uint8) {
        return 18;
    }

    /// @inheritdoc IAggregatorV3
    function version() external pure returns (uint256) {
        return 1;
    }

    /// @inheritdoc IAggregatorV3
    function description() external view returns (string memory) {
        return string.concat(ORACLE.skuName(SKU), " / USD");
    }

    /// @inheritdoc IAggregatorV3
    /// @dev A round that is over was updated when it began: when it was last confirmed is not kept.
    function getRoundData(uint80 roundId)
        external
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        (uint32 inForce,) = ORACLE.currentPrice(SKU);
        return _round(roundId, inForce);
    }

    /// @inheritdoc IAggregatorV3
    /// @dev `updatedAt` is when a quorum last confirmed the price.
    function latestRoundData()
        external
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        (uint32 inForce,) = ORACLE.currentPrice(SKU);
        return _round(inForce, inForce);
    }

    function _round(uint80 roundId, uint32 inForce) private view returns (uint80, int256, uint256, uint256, uint80) {
        if (roundId == 0 || roundId > inForce) revert UnknownRound(roundId);
        // At most the version in force, which has 32 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        IPriceOracle.Price memory price = ORACLE.priceOf(SKU, uint32(roundId));
        uint256 updatedAt = roundId == inForce ? ORACLE.refreshedAt(SKU) : price.since;
        // A price has 128 bits.
        return (roundId, int256(uint256(price.usdWad)), price.since, updatedAt, roundId);
    }
}
