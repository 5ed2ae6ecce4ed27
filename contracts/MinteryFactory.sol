// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {IMinteryFactory} from "./interfaces/IMinteryFactory.sol";

/// @title Deploys Mintery's contracts by CREATE2.
contract MinteryFactory is IMinteryFactory {
    /// @inheritdoc IMinteryFactory
    /// @dev A constructor that reverts does so here with its own error; one that leaves no code is refused.
    function deploy(bytes32 salt, bytes calldata initCode) external returns (address deployed) {
        deployed = Create2.computeAddress(salt, keccak256(initCode));
        if (deployed.code.length != 0) return deployed;

        Create2.deploy(0, salt, initCode);
        if (deployed.code.length == 0) revert DeploymentFailed(salt);
        emit Deployed(deployed, salt);
    }

    /// @inheritdoc IMinteryFactory
    function addressOf(bytes32 salt, bytes32 initCodeHash) external view returns (address) {
        return Create2.computeAddress(salt, initCodeHash);
    }
}
