// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title TEST reference: the EIP-712 digest of every struct we sign, written out plainly.
/// @notice Never part of a deployment. Python's and JavaScript's digests are compared with these, and so are the contracts'.
contract TypedHashes {
    struct Receipt {
        bytes16 id;
        address token;
        address gateway;
        address holder;
        address signer;
        uint32 epoch;
        /// @dev 18 decimals.
        uint96 credits;
        /// @dev Unix seconds.
        uint40 capturedAt;
        bytes32 usageHash;
    }

    bytes32 public constant DOMAIN_TYPE_HASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 public constant VOUCHER_TYPE_HASH = keccak256(
        "SpendVoucher(address token,address gateway,address holder,uint32 epoch,uint96 maxSpend,uint40 deadline,bytes16 keyHash)"
    );
    bytes32 public constant REPORT_TYPE_HASH =
        keccak256("PriceReport(bytes32 configDigest,uint32 epoch,uint40 observedAt,bytes changed,bytes unchanged)");
    bytes32 public constant RECEIPT_TYPE_HASH = keccak256(
        "Receipt(bytes16 id,address token,address gateway,address holder,address signer,uint32 epoch,uint96 credits,uint40 capturedAt,bytes32 usageHash)"
    );
    bytes32 public constant PERMIT_TYPE_HASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 public constant TRANSFER_TYPE_HASH = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant RECEIVE_TYPE_HASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant CANCEL_TYPE_HASH = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");

    function domainSeparator(string calldata name, string calldata version, uint256 chainId, address verifyingContract)
        external
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(DOMAIN_TYPE_HASH, keccak256(bytes(name)), keccak256(bytes(version)), chainId, verifyingContract)
        );
    }

    function spendVoucher(
        bytes32 separator,
        address token,
        address gateway,
        address holder,
        uint32 epoch,
        uint96 maxSpend,
        uint40 deadline,
        bytes16 keyHash
    ) external pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(
            separator,
            keccak256(abi.encode(VOUCHER_TYPE_HASH, token, gateway, holder, epoch, maxSpend, deadline, keyHash))
        );
    }

    function priceReport(
        bytes32 separator,
        bytes32 configDigest,
        uint32 epoch,
        uint40 observedAt,
        bytes calldata changed,
        bytes calldata unchanged
    ) external pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(
            separator,
            keccak256(
                abi.encode(REPORT_TYPE_HASH, configDigest, epoch, observedAt, keccak256(changed), keccak256(unchanged))
            )
        );
    }

    function receipt(bytes32 separator, Receipt calldata facts) external pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(separator, keccak256(abi.encode(RECEIPT_TYPE_HASH, facts)));
    }

    function permit(bytes32 separator, address owner, address spender, uint256 value, uint256 nonce, uint256 deadline)
        external
        pure
        returns (bytes32)
    {
        return MessageHashUtils.toTypedDataHash(
            separator, keccak256(abi.encode(PERMIT_TYPE_HASH, owner, spender, value, nonce, deadline))
        );
    }

    function transferWithAuthorization(
        bytes32 separator,
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce
    ) external pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(
            separator, keccak256(abi.encode(TRANSFER_TYPE_HASH, from, to, value, validAfter, validBefore, nonce))
        );
    }

    function receiveWithAuthorization(
        bytes32 separator,
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce
    ) external pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(
            separator, keccak256(abi.encode(RECEIVE_TYPE_HASH, from, to, value, validAfter, validBefore, nonce))
        );
    }

    function cancelAuthorization(bytes32 separator, address authorizer, bytes32 nonce) external pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(separator, keccak256(abi.encode(CANCEL_TYPE_HASH, authorizer, nonce)));
    }
}
