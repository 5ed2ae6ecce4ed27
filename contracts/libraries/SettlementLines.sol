// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LineStatus} from "../interfaces/ISpendEscrow.sol";
import {BackingMath} from "./BackingMath.sol";
import {Vouchers} from "./Vouchers.sol";

/// @title Reads packed settlement lines and writes packed outcomes.
/// @dev A line is (address holder, uint96 maxSpend, uint96 spentAfter, uint40 deadline, uint32 epoch, bytes16 keyHash,
///     bytes32 r, bytes32 vs); an outcome is (uint8 LineStatus, uint96 burned).
library SettlementLines {
    uint256 internal constant LINE_BYTES = 133;
    uint256 internal constant OUTCOME_BYTES = 13;

    /// @dev How many whole lines `length` bytes hold.
    function count(uint256 length) internal pure returns (uint256) {
        return BackingMath.entriesDown(length, LINE_BYTES);
    }

    // forge-lint: disable-start(unsafe-typecast)
    /// @dev Reads a line into `voucher`, which keeps its type hash, token and gateway. `index` must be below the count.
    /// @return spentAfter Credits (18 decimals) the account has spent once this line is settled.
    /// @return r Signature, first half.
    /// @return vs Signature, second half in the form of EIP-2098.
    function read(bytes calldata lines, uint256 index, Vouchers.Voucher memory voucher)
        internal
        pure
        returns (uint96 spentAfter, bytes32 r, bytes32 vs)
    {
        bytes32 holderAndMaxSpend;
        bytes32 counters;
        bytes32 keyHash;
        assembly ("memory-safe") {
            let line := add(lines.offset, mul(index, LINE_BYTES))
            holderAndMaxSpend := calldataload(line)
            counters := calldataload(add(line, 32))
            keyHash := calldataload(add(line, 53))
            r := calldataload(add(line, 69))
            vs := calldataload(add(line, 101))
        }
        voucher.holder = address(bytes20(holderAndMaxSpend));
        voucher.maxSpend = uint96(uint256(holderAndMaxSpend));
        spentAfter = uint96(bytes12(counters));
        voucher.deadline = uint40(bytes5(counters << 96));
        voucher.epoch = uint32(bytes4(counters << 136));
        voucher.keyHash = bytes16(keyHash);
    }

    // forge-lint: disable-end(unsafe-typecast)

    /// @dev Room for as many outcomes as there are lines.
    function newOutcomes(uint256 lines) internal pure returns (bytes memory outcomes) {
        // A word of slack: `writeOutcome` stores whole words, and the last one reaches past the outcomes.
        outcomes = new bytes(lines * OUTCOME_BYTES + 32);
        assembly ("memory-safe") {
            mstore(outcomes, mul(lines, OUTCOME_BYTES))
        }
    }

    /// @dev Outcomes are written in ascending order: each store clears 19 bytes beyond its own 13.
    /// @param burned Credits (18 decimals).
    function writeOutcome(bytes memory outcomes, uint256 index, LineStatus status, uint96 burned) internal pure {
        bytes32 outcome = bytes32((uint256(status) << 248) | (uint256(burned) << 152));
        assembly ("memory-safe") {
            mstore(add(add(outcomes, 0x20), mul(index, OUTCOME_BYTES)), outcome)
        }
    }
}
