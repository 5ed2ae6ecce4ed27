// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title The credits of one project: an ERC-20 with 18 decimals, EIP-2612 permits and EIP-3009 authorizations.
/// @notice Freely transferable unless its project opened with an allow-list.
interface ICreditToken is IERC20 {
    /// @notice Only the vault mints and burns.
    error NotVault(address caller, address vault);
    /// @notice EIP-3009: the authorization is not valid yet; it becomes valid after `validAfter` (unix seconds).
    error AuthorizationNotYetValid(uint256 now_, uint256 validAfter);
    /// @notice EIP-3009: the authorization was valid before `validBefore` (unix seconds) only.
    error AuthorizationExpired(uint256 now_, uint256 validBefore);
    /// @notice EIP-3009: this nonce of `authorizer` was used or cancelled.
    error AuthorizationUsed(address authorizer, bytes32 nonce);
    /// @notice EIP-3009: the signature is not `authorizer`'s, or is malleable.
    error InvalidAuthorizationSignature(address authorizer);
    /// @notice EIP-3009: `receiveWithAuthorization` is sent by the payee alone.
    error CallerNotPayee(address caller, address payee);
    /// @notice The project's terms carry an allow-list and `account` is not on it.
    error TransferNotAllowed(address account);

    event AuthorizationUsedBy(address indexed authorizer, bytes32 indexed nonce);
    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);

    /// @notice The vault that mints, burns and holds the backing.
    function VAULT() external view returns (address);

    /// @notice Mints `credits` (18 decimals) to `to`. Vault only.
    function mint(address to, uint256 credits) external;

    /// @notice Burns `credits` (18 decimals) of `from`. Vault only.
    function burn(address from, uint256 credits) external;

    /// @notice EIP-3009: moves `value` from `from` to `to` by `from`'s signature; anyone may relay it.
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

    /// @notice EIP-3009: as `transferWithAuthorization`, but only `to` may send it.
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

    /// @notice EIP-3009: makes `nonce` of `authorizer` unusable.
    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice EIP-3009: whether `nonce` of `authorizer` was used or cancelled.
    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool);
}
