// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAuthorizations} from "./IAuthorizations.sol";

/// @title The credits of one project: an ERC-20 with 18 decimals, EIP-2612 permits and EIP-3009 authorizations.
/// @notice Freely transferable unless its project opened with an allow-list.
interface ICreditToken is IERC20, IAuthorizations {
    /// @notice Only the vault mints and burns.
    error NotVault(address caller, address vault);
    /// @notice The project's terms carry an allow-list and `account` is not on it.
    error TransferNotAllowed(address account);

    /// @notice The vault that mints, burns and holds the backing.
    function VAULT() external view returns (address);

    /// @notice Mints `credits` (18 decimals) to `to`. Vault only.
    function mint(address to, uint256 credits) external;

    /// @notice Burns `credits` (18 decimals) of `from`. Vault only.
    function burn(address from, uint256 credits) external;
}
