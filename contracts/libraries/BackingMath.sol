// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;
library BackingMath { function f(uint256 a) internal pure returns (uint256) { return a; } }
