// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IMinteryFactory} from "../../interfaces/IMinteryFactory.sol";
import {Test} from "../Test.sol";

contract MinteryFactoryFuzz is Test {
    /// @dev The address depends on salt and code alone, never on who sends it.
    function testFuzz_DeploysWhereSaltAndCodeSay(bytes32 salt, bytes32 tail, address one, address another) external {
        IMinteryFactory factory = IMinteryFactory(deploy("MinteryFactory.sol:MinteryFactory", ""));
        // Returns one byte, STOP, as its code; what follows only changes the hash.
        bytes memory code = bytes.concat(hex"60015ff3", tail);
        address expected = factory.addressOf(salt, keccak256(code));
        vm.prank(one);
        assertEq(factory.deploy(salt, code), expected, "where it said");
        vm.prank(another);
        assertEq(factory.deploy(salt, code), expected, "the same again is where it stands");
        assertEq(expected.code.length, 1, "code");
        assertNotEq(factory.addressOf(~salt, keccak256(code)), expected, "another salt");
    }
}
