// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title EIP-712 digests of spend vouchers, without memory growth from one voucher to the next.
library Vouchers {
    bytes32 internal constant TYPE_HASH = keccak256(
        "SpendVoucher(address token,address gateway,address holder,uint32 epoch,uint96 maxSpend,uint40 deadline,bytes16 keyHash)"
    );

    uint256 private constant S_MASK = type(uint256).max >> 1;
    /// @dev secp256k1n / 2: a higher s is the same signature in its other form.
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @dev In memory a struct of value types lies as `abi.encode` would lay it, so with its type hash in front this one
    ///     is its own EIP-712 encoding. One instance serves a whole batch.
    struct Voucher {
        bytes32 typeHash;
        address token;
        address gateway;
        address holder;
        uint32 epoch;
        /// @dev Credits, 18 decimals.
        uint96 maxSpend;
        /// @dev Unix seconds, the last one to settle in.
        uint40 deadline;
        bytes16 keyHash;
    }

    /// @param separator The escrow's EIP-712 domain separator.
    /// @return What the account's signer signs.
    function digest(Voucher memory voucher, bytes32 separator) internal pure returns (bytes32) {
        bytes32 structHash;
        assembly ("memory-safe") {
            structHash := keccak256(voucher, 0x100)
        }
        return MessageHashUtils.toTypedDataHash(separator, structHash);
    }

    /// @dev Signers are EOAs by rule, whatever code their address carries: `ecrecover` alone decides. The digest and the
    ///     precompile's input share one stretch of free memory, so a line costs none that the line before it did not.
    /// @param vs EIP-2098: s with the parity in its top bit.
    /// @return signer Zero for a high s and for a signature that is no one's.
    function signerOf(Voucher memory voucher, bytes32 separator, bytes32 r, bytes32 vs)
        internal
        view
        returns (address signer)
    {
        uint256 s = uint256(vs) & S_MASK;
        if (s > HALF_ORDER) return address(0);
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, hex"1901")
            mstore(add(input, 0x02), separator)
            mstore(add(input, 0x22), keccak256(voucher, 0x100))
            mstore(input, keccak256(input, 0x42))
            mstore(add(input, 0x20), add(27, shr(255, vs)))
            mstore(add(input, 0x40), r)
            mstore(add(input, 0x60), s)
            // For a signature that is no one's the precompile succeeds and writes nothing.
            mstore(0x00, 0)
            if iszero(staticcall(gas(), 1, input, 0x80, 0x00, 0x20)) { revert(0x00, 0x00) }
            signer := mload(0x00)
        }
    }

    /// @return account keccak256(abi.encode(token, gateway, holder, signer)).
    function accountOf(Voucher memory voucher, address signer) internal pure returns (bytes32 account) {
        assembly ("memory-safe") {
            let key := mload(0x40)
            mcopy(key, add(voucher, 0x20), 0x60)
            mstore(add(key, 0x60), signer)
            account := keccak256(key, 0x80)
        }
    }
}
