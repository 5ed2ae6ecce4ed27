// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title The median of a quorum's votes.
library Medians {
    /// @notice The middle vote; of an even count the lower of the two in the middle.
    /// @dev With at most f liars among at least 2f+1 votes it lies between two honest ones. It is always a price that
    ///     someone signed, never an average. Sorts the first `count` votes in place; quorums are small.
    /// @param count How many of `votes` count, at least 1.
    function lowerMedian(uint256[] memory votes, uint256 count) internal pure returns (uint256) {
        for (uint256 i = 1; i < count; ++i) {
            uint256 vote = votes[i];
            uint256 j = i;
            for (; j > 0 && votes[j - 1] > vote; --j) {
                votes[j] = votes[j - 1];
            }
            votes[j] = vote;
        }
        return votes[(count - 1) >> 1];
    }
}
