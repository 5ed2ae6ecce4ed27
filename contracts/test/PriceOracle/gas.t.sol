// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {OracleTest} from "../OracleTest.sol";

/// @notice What a heartbeat of a hundred unchanged prices, and a report of a hundred changed ones, cost to execute.
contract GasTest is OracleTest {
    // forge prints events of this name with -vv.
    event log_named_uint(string label, uint256 value);

    uint32 private constant SKUS = 100;

    IPriceOracle.PriceReport[] private _unchanged;
    IPriceOracle.PriceReport[] private _changed;

    function setUp() public override {
        super.setUp();
        vm.startPrank(admin);
        for (uint32 i = oracle.skuCount(); i < SKUS; ++i) {
            oracle.addSku(vm.toString(i));
        }
        vm.stopPrank();
        oracle.report(unanimous(_all(PRICE), ""));
        vm.warp(START + QUEUE_DELAY);
        oracle.report(unanimous(_all(PRICE), ""));
        vm.warp(START + QUEUE_DELAY + EPOCH_LENGTH);
        bytes memory bits = new bytes(13);
        for (uint256 i; i < 12; ++i) {
            bits[i] = 0xff;
        }
        bits[12] = 0x0f;
        IPriceOracle.PriceReport[] memory heartbeat = unanimous("", bits);
        IPriceOracle.PriceReport[] memory moved = unanimous(_all(PRICE + 1), "");
        for (uint256 i; i < QUORUM; ++i) {
            _unchanged.push(heartbeat[i]);
            _changed.push(moved[i]);
        }
    }

    function test_AHundredUnchanged() external {
        assertLt(_measure("gas of 100 unchanged prices", _unchanged), 2_000_000, "heartbeat");
        assertEq(oracle.refreshedAt(99), vm.getBlockTimestamp(), "refreshed");
    }

    function test_AHundredChanged() external {
        assertLt(_measure("gas of 100 changed prices  ", _changed), 6_500_000, "changes");
        assertInForce(99, PRICE + 1);
    }

    function _measure(string memory label, IPriceOracle.PriceReport[] memory reports) private returns (uint256 gas) {
        gas = gasleft();
        oracle.report(reports);
        gas -= gasleft();
        emit log_named_uint(label, gas);
    }

    function _all(uint128 usdWad) private pure returns (bytes memory changed) {
        for (uint32 sku; sku < SKUS; ++sku) {
            changed = bytes.concat(changed, entry(sku, usdWad));
        }
    }
}
