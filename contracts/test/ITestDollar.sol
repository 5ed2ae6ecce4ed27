// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IAuthorizations} from "../interfaces/IAuthorizations.sol";

/// @title What tests call of the test dollar.
interface ITestDollar is IERC20Metadata, IERC20Permit, IAuthorizations {
    function mint(address to, uint256 assets) external;
}
