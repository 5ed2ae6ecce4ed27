// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice What settlement knows of an account, in one word: (uint96 balance, uint96 spent, uint32 epoch) from the lowest
///     bit up, credits with 18 decimals. The 32 highest bits are free.
/// @dev A struct of the three would be written field by field; the word costs one read and one write a line.
type Spending is uint256;

using {balance, spent, epoch, withBalance} for Spending global;

function spendingOf(uint96 balance_, uint96 spent_, uint32 epoch_) pure returns (Spending) {
    return Spending.wrap(uint256(balance_) | (uint256(spent_) << 96) | (uint256(epoch_) << 192));
}

// Each cast keeps the field and drops those above it.
// forge-lint: disable-start(unsafe-typecast)
function balance(Spending self) pure returns (uint96) {
    return uint96(Spending.unwrap(self));
}

function spent(Spending self) pure returns (uint96) {
    return uint96(Spending.unwrap(self) >> 96);
}

function epoch(Spending self) pure returns (uint32) {
    return uint32(Spending.unwrap(self) >> 192);
}
// forge-lint: disable-end(unsafe-typecast)

function withBalance(Spending self, uint96 balance_) pure returns (Spending) {
    return spendingOf(balance_, spent(self), epoch(self));
}
