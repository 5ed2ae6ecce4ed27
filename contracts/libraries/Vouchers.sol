// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title EIP-712 digests of spend vouchers, without memory growth from one voucher to the next.
library Vouchers {
    bytes32 internal constant TYPE_HASH = keccak256(
        "SpendVoucher(address token,address gateway,address holder,uint32 epoch,uint96 maxSpend,uint40 deadline,bytes16 keyHash)"
    );

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

    /// @dev Signers are EOAs by rule, whatever code their address carries: `ecrecover` alone decides.
    /// @param vs EIP-2098: s with the parity in its top bit.
    /// @return signer Zero for a high s and for a signature that is no one's.
    function signerOf(Voucher memory voucher, bytes32 separator, bytes32 r, bytes32 vs)
        internal
        pure
        returns (address signer)
    {
        (signer,,) = ECDSA.tryRecover(digest(voucher, separator), r, vs);
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
