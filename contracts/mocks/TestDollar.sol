// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Authorizations} from "../Authorizations.sol";

/// @title TEST asset for development chains: six decimals, EIP-2612 and EIP-3009, and anyone may mint it.
/// @notice Worth nothing. Never deploy it where a stablecoin is meant.
contract TestDollar is Authorizations {
    constructor() Authorizations("Test Dollar", "TUSD") {}

    /// @notice TEST faucet: `assets` (6 decimals) to `to`, for whoever asks.
    function mint(address to, uint256 assets) external {
        _mint(to, assets);
    }

    /// @notice As the stablecoins have it: 6.
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
