// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title What the vault reads of an oracle, set by the test.
contract SettableOracle {
    error NoSuchPrice(uint32 sku, uint32 version);

    bool public depegged;
    mapping(uint32 sku => mapping(uint32 version => uint128 usdWad)) private _prices;

    function setPrice(uint32 sku, uint32 version, uint128 usdWad) external {
        _prices[sku][version] = usdWad;
    }

    function setDepegged(bool depegged_) external {
        depegged = depegged_;
    }

    function settlementPrice(uint32 sku, uint32 version) external view returns (uint128 usdWad) {
        usdWad = _prices[sku][version];
        if (usdWad == 0) revert NoSuchPrice(sku, version);
    }
}
