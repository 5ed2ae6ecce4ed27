// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Vm} from "./Vm.sol";

/// @title Base of our forge tests: asserts with a message, bounds, named accounts and invariant targets.
abstract contract Test {
    /// @notice forge reads these by name: what an invariant run calls.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    // forge calls only contracts that say so.
    bool public constant IS_TEST = true;

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    address[] private _targets;
    FuzzSelector[] private _targetSelectors;
    address[] private _excludedSenders;

    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function targetSelectors() external view returns (FuzzSelector[] memory) {
        return _targetSelectors;
    }

    function excludeSenders() external view returns (address[] memory) {
        return _excludedSenders;
    }

    /// @notice Invariant runs call this contract's functions.
    function targetContract(address target) internal {
        _targets.push(target);
    }

    /// @notice Invariant runs call only these functions of the contract.
    function targetSelector(address target, bytes4[] memory selectors) internal {
        _targetSelectors.push(FuzzSelector(target, selectors));
    }

    function excludeSender(address sender) internal {
        _excludedSenders.push(sender);
    }

    /// @notice A labelled account whose key is the hash of its name.
    function account(string memory name) internal returns (address addr, uint256 key) {
        key = uint256(keccak256(bytes(name)));
        addr = vm.addr(key);
        vm.label(addr, name);
    }

    function actor(string memory name) internal returns (address addr) {
        (addr,) = account(name);
    }

    /// @notice Deploys what the default settings built, `File.sol:Contract`.
    /// @dev A test that imports the contract itself has it built a second time, unoptimised, and forge would deploy that
    ///     one. A large contract then fails here; scripts/evidence/mutate.py deploys such ones on purpose.
    function deploy(string memory artifact, bytes memory arguments) internal returns (address deployed) {
        deployed = vm.deployCode(artifact, arguments);
        assertLe(deployed.code.length, vm.envOr("CODE_SIZE_LIMIT", 24_576), artifact);
    }

    /// @notice Wraps `value` into [least, most]; small values and those near 2^256 keep to the edges, where rounding breaks.
    function bound(uint256 value, uint256 least, uint256 most) internal pure returns (uint256) {
        require(least <= most, "bound: least above most");
        if (value >= least && value <= most) return value;
        uint256 size = most - least;
        if (size == type(uint256).max) return value;
        if (value <= 3 && size >= value) return least + value;
        if (value >= type(uint256).max - 3 && size >= type(uint256).max - value) {
            return most - (type(uint256).max - value);
        }
        return least + value % (size + 1);
    }

    function assertTrue(bool condition, string memory message) internal pure {
        vm.assertTrue(condition, message);
    }

    function assertFalse(bool condition, string memory message) internal pure {
        vm.assertFalse(condition, message);
    }

    function assertEq(bool left, bool right, string memory message) internal pure {
        vm.assertEq(left, right, message);
    }

    function assertEq(uint256 left, uint256 right, string memory message) internal pure {
        vm.assertEq(left, right, message);
    }

    function assertEq(address left, address right, string memory message) internal pure {
        vm.assertEq(left, right, message);
    }

    function assertEq(bytes32 left, bytes32 right, string memory message) internal pure {
        vm.assertEq(left, right, message);
    }

    function assertEq(string memory left, string memory right, string memory message) internal pure {
        vm.assertEq(left, right, message);
    }

    function assertEq(bytes memory left, bytes memory right, string memory message) internal pure {
        vm.assertEq(left, right, message);
    }

    function assertNotEq(uint256 left, uint256 right, string memory message) internal pure {
        vm.assertNotEq(left, right, message);
    }

    function assertNotEq(address left, address right, string memory message) internal pure {
        vm.assertNotEq(left, right, message);
    }

    function assertNotEq(bytes32 left, bytes32 right, string memory message) internal pure {
        vm.assertNotEq(left, right, message);
    }

    function assertLt(uint256 left, uint256 right, string memory message) internal pure {
        vm.assertLt(left, right, message);
    }

    function assertLe(uint256 left, uint256 right, string memory message) internal pure {
        vm.assertLe(left, right, message);
    }

    function assertGt(uint256 left, uint256 right, string memory message) internal pure {
        vm.assertGt(left, right, message);
    }

    function assertGe(uint256 left, uint256 right, string memory message) internal pure {
        vm.assertGe(left, right, message);
    }

    function assertApproxEqAbs(uint256 left, uint256 right, uint256 maxDelta, string memory message) internal pure {
        vm.assertApproxEqAbs(left, right, maxDelta, message);
    }
}
