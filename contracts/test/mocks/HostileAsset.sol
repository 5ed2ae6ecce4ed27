// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title An asset that may keep a fee of every transfer, calls out while it moves, and takes any call it does not know in
///     silence, as wrapped ether does: an authorization among them.
contract HostileAsset is ERC20 {
    uint256 public fee;
    address private _target;
    bytes private _call;
    // What the call out was answered.
    bytes public answer;

    constructor() ERC20("Hostile Dollar", "HUSD") {}

    fallback() external {}

    function mint(address to, uint256 assets) external {
        _mint(to, assets);
    }

    /// @notice Asset base units that every transfer loses on its way.
    function keep(uint256 fee_) external {
        fee = fee_;
    }

    /// @notice What it calls in the middle of every transfer.
    function callOut(address target, bytes calldata call_) external {
        (_target, _call) = (target, call_);
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function _update(address from, address to, uint256 assets) internal override {
        super._update(from, to, assets);
        if (from == address(0) || to == address(0)) return;
        if (fee != 0) super._update(to, address(0xdead), fee);
        if (_target != address(0)) (, answer) = _target.call(_call);
    }
}
