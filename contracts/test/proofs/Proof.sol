// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Vm} from "../Vm.sol";

/// @title Base of what halmos proves: whatever the arguments of a check are, within what it assumes, what it asserts holds.
/// @dev Amounts have 127 bits, so that a sum of two fits what the contracts store, and par is any that they take.
abstract contract Proof {
    // halmos looks for checks where a contract says so.
    bool public constant IS_TEST = true;

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant MOST = 1 << 127;

    function assumeInRange(uint256 first, uint256 second, uint256 par) internal pure {
        vm.assume(first < MOST && second < MOST && par >= 1e3 && par <= 1e9);
    }
}
