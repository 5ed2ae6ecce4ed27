// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title EIP-3009: transfers by signature, with random nonces and a window of validity (what x402 clients sign).
/// @dev EIP-712 types as the standard has them, in the token's own domain {name, version: "1", chainId, verifyingContract}.
interface IAuthorizations {
    /// @notice The authorization is not valid yet; it becomes valid after `validAfter` (unix seconds).
    error AuthorizationNotYetValid(uint256 now_, uint256 validAfter);
    /// @notice The authorization was valid before `validBefore` (unix seconds) only.
    error AuthorizationExpired(uint256 now_, uint256 validBefore);
    /// @notice This nonce of `authorizer` was used or cancelled.
    error AuthorizationAlreadyUsed(address authorizer, bytes32 nonce);
    /// @notice The signature is not `authorizer`'s, or is malleable.
    error InvalidAuthorizationSignature(address authorizer);
    /// @notice `receiveWithAuthorization` is sent by the payee alone.
    error CallerNotPayee(address caller, address payee);

    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);

    /// @notice Moves `value` from `from` to `to` by `from`'s signature; anyone may relay it.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice As `transferWithAuthorization`, but only `to` may send it.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice As above, also for a contract wallet: its code is asked by ERC-1271, with at most 500,000 gas, and nothing but
    ///     the one word of its answer is read. For an EOA, an EIP-7702 delegation or not, `signature` is r, s, v.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice Makes `nonce` of `authorizer` unusable, by its signature.
    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Whether `nonce` of `authorizer` was used or cancelled.
    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool);
}
