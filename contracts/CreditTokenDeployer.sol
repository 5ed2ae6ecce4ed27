// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CreditToken} from "./CreditToken.sol";

/// @title Deploys credit tokens for the vault that calls it.
/// @dev Apart from the vault, because a vault that carried the token's creation code would pass the size limit of a contract.
contract CreditTokenDeployer {
    /// @notice Deploys a token by CREATE2 whose vault is the caller, so nobody can take another vault's addresses.
    function deploy(bytes32 salt, string calldata name, string calldata symbol, bool allowlist)
        external
        returns (CreditToken token)
    {
        token = new CreditToken{salt: salt}(msg.sender, name, symbol, allowlist);
    }
}
