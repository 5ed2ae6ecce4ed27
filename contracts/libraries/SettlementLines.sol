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

    /// @dev Reads a line into `voucher`, which keeps its type hash, token and gateway. `index` must be below the count.
    /// @return spentAfter Credits (18 decimals) the account has spent once this line is settled.
    /// @return r Signature, first half.
    /// @return vs Signature, second half in the form of EIP-2098.
    function read(bytes calldata lines, uint256 index, Vouchers.Voucher memory voucher)
        internal
        pure
        returns (uint96 spentAfter, bytes32 r, bytes32 vs)
    {
        // The offsets in memory are those of Vouchers.Voucher's members, one word each, every word clean.
        assembly ("memory-safe") {
            let line := add(lines.offset, mul(index, LINE_BYTES))
            let holderAndMaxSpend := calldataload(line)
            mstore(add(voucher, 0x60), shr(96, holderAndMaxSpend))
            mstore(add(voucher, 0xa0), and(holderAndMaxSpend, 0xffffffffffffffffffffffff))
            let counters := calldataload(add(line, 32))
            spentAfter := shr(160, counters)
            mstore(add(voucher, 0xc0), shr(216, shl(96, counters)))
            mstore(add(voucher, 0x80), shr(224, shl(136, counters)))
            mstore(add(voucher, 0xe0), shl(128, shr(128, calldataload(add(line, 53)))))
            r := calldataload(add(line, 69))
            vs := calldataload(add(line, 101))
        }
    }

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
