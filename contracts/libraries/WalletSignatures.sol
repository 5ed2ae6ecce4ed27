// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Signatures of EOAs by ecrecover, and of contract wallets by ERC-1271.
/// @dev The wallet's code is the signer's own, so it is trusted with the answer and with nothing else: it is called without
///     the right to write, with a bounded share of the gas, and its answer is never copied beyond one word.
library WalletSignatures {
    /// @dev Room for a multisig, or for a passkey verified in Solidity.
    uint256 internal constant GAS_CAP = 500_000;
    /// @dev EIP-7702: the code of a delegated EOA is this and an address.
    bytes3 private constant DELEGATION = 0xef0100;
    uint256 private constant DELEGATION_BYTES = 23;

    /// @notice Whether `account` is a contract. A delegated EOA is none: its key signs as before.
    function isWallet(address account) internal view returns (bool) {
        uint256 size = account.code.length;
        if (size == 0) return false;
        // No contract's code begins with 0xef (EIP-3541).
        return size != DELEGATION_BYTES || bytes3(account.code) != DELEGATION;
    }

    /// @notice Whether `signature` of `digest` is `account`'s: r, s, v with a low s for an EOA, what its code accepts for a
    ///     contract wallet. Never reverts.
    function isValid(address account, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (isWallet(account)) return _accepts(account, digest, signature);
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, signature);
        return failure == ECDSA.RecoverError.NoError && signer == account;
    }

    /// @notice r, s, v of a signature; zeros, which are nobody's, where it is not 65 bytes.
    function split(bytes calldata signature) internal pure returns (uint8 v, bytes32 r, bytes32 s) {
        if (signature.length != 65) return (0, 0, 0);
        return (uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64]));
    }

    function _accepts(address wallet, bytes32 digest, bytes calldata signature) private view returns (bool) {
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        bytes32 answer;
        assembly ("memory-safe") {
            let answered := staticcall(GAS_CAP, wallet, add(question, 0x20), mload(question), 0x00, 0x20)
            if and(answered, gt(returndatasize(), 0x1f)) { answer := mload(0x00) }
        }
        return answer == bytes32(IERC1271.isValidSignature.selector);
    }
}
