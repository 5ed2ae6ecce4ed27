// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Deploys Mintery's contracts by CREATE2, so that equal code and arguments have equal addresses.
interface IMinteryFactory {
    error DeploymentFailed(bytes32 salt);

    event Deployed(address indexed deployed, bytes32 indexed salt);

    /// @notice Deploys `initCode` (creation code and constructor arguments), or returns the address where it already stands.
    function deploy(bytes32 salt, bytes calldata initCode) external returns (address deployed);

    function addressOf(bytes32 salt, bytes32 initCodeHash) external view returns (address);
}
