// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {WalletSignatures} from "../../libraries/WalletSignatures.sol";
import {Test} from "../Test.sol";

contract WalletSignaturesTest is Test {
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    // Answers ERC-1271's word to whatever it is asked: 14 bytes, and zeros up to as many as a delegation has.
    bytes private constant YES_OF_23_BYTES = hex"631626ba7e60e01b5f5260205ff3000000000000000000";

    address private _eoa;
    uint256 private _key;

    function setUp() external {
        (_eoa, _key) = account("eoa");
    }

    function testFuzz_AnEoasSignatureIsItsKeys(bytes32 digest, bytes32 another) external view {
        vm.assume(digest != another);
        bytes memory signature = signed(digest);
        assertTrue(this.isValid(_eoa, digest, signature), "its own");
        assertFalse(this.isValid(_eoa, another, signature), "of something else");
        assertFalse(this.isValid(address(uint160(_eoa) ^ 1), digest, signature), "somebody else's");
        assertFalse(this.isValid(address(0), digest, signature), "nobody's");
    }

    function testFuzz_NothingThatIsNotASignatureReverts(address account_, bytes32 digest, bytes calldata signature)
        external
        view
    {
        vm.assume(account_.code.length == 0);
        assertFalse(this.isValid(account_, digest, signature), "garbage");
        if (signature.length != 65) {
            (uint8 v, bytes32 r, bytes32 s) = this.split(signature);
            assertEq(abi.encode(v, r, s), abi.encode(0, 0, 0), "nobody's parts");
        }
    }

    function testFuzz_PartsAreThoseOfTheSignature(bytes32 r, bytes32 s, uint8 v) external view {
        (uint8 v_, bytes32 r_, bytes32 s_) = this.split(abi.encodePacked(r, s, v));
        assertEq(abi.encode(v_, r_, s_), abi.encode(v, r, s), "parts");
    }

    function test_AHighSIsNoSignature() external view {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_key, keccak256("digest"));
        bytes32 high = bytes32(CURVE_ORDER - uint256(s));
        assertFalse(this.isValid(_eoa, keccak256("digest"), abi.encodePacked(r, high, 55 - v)), "malleable");
    }

    function test_ADelegationIsNoWallet_WhateverElseHas23BytesIs() external {
        assertEq(YES_OF_23_BYTES.length, 23, "as long as a delegation");
        vm.etch(_eoa, abi.encodePacked(hex"ef0100", address(this)));
        assertFalse(WalletSignatures.isWallet(_eoa), "delegated");
        assertTrue(this.isValid(_eoa, keccak256("digest"), signed(keccak256("digest"))), "its key signs as before");

        vm.etch(_eoa, YES_OF_23_BYTES);
        assertTrue(WalletSignatures.isWallet(_eoa), "a contract");
        assertTrue(this.isValid(_eoa, keccak256("digest"), ""), "asked");
        assertFalse(WalletSignatures.isWallet(actor("empty")), "no code");
    }

    function signed(bytes32 digest) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_key, digest);
        return abi.encodePacked(r, s, v);
    }

    // The library takes calldata.

    function isValid(address account_, bytes32 digest, bytes calldata signature) external view returns (bool) {
        return WalletSignatures.isValid(account_, digest, signature);
    }

    function split(bytes calldata signature) external pure returns (uint8 v, bytes32 r, bytes32 s) {
        return WalletSignatures.split(signature);
    }
}
