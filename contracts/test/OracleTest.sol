// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IPriceOracle as PriceOracle} from "../interfaces/IPriceOracle.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {Test} from "./Test.sol";

/// @title An oracle with five reporters, three of whom are a quorum, and two SKUs besides `asset:usd`.
abstract contract OracleTest is Test {
    uint40 internal constant EPOCH_LENGTH = 5 minutes;
    uint40 internal constant QUEUE_DELAY = 1 hours;
    uint40 internal constant START = 1_800_000_000;
    uint64 internal constant GUARDIAN_ROLE = 1;
    uint8 internal constant QUORUM = 3;
    uint32 internal constant ASSET = 0;
    uint32 internal constant SKU = 1;
    uint32 internal constant SECOND_SKU = 2;
    uint128 internal constant PRICE = 1e15;

    address internal admin = actor("admin");
    address internal guardian = actor("guardian");
    address internal stranger = actor("stranger");
    address[] internal reporters;
    uint256[] internal reporterKeys;
    AccessManager internal authority;
    PriceOracle internal oracle;

    function setUp() public virtual {
        vm.warp(START);
        for (uint256 i; i < 5; ++i) {
            (address reporter, uint256 reporterKey) = account(string.concat("reporter ", vm.toString(i)));
            _insert(reporter, reporterKey);
        }
        authority = AccessManager(deploy("Authority.sol:Authority", abi.encode(admin)));
        oracle = PriceOracle(
            deploy("PriceOracle.sol:PriceOracle", abi.encode(reporters, QUORUM, EPOCH_LENGTH, QUEUE_DELAY, authority))
        );
        vm.startPrank(admin);
        oracle.addSku("acme/large:output_token");
        oracle.addSku("acme/paint:image");
        bytes4[] memory selectors = new bytes4[](2);
        (selectors[0], selectors[1]) = (oracle.vetoPrice.selector, oracle.declareDepeg.selector);
        authority.setTargetFunctionRole(address(oracle), selectors, GUARDIAN_ROLE);
        authority.grantRole(GUARDIAN_ROLE, guardian, 0);
        vm.stopPrank();
    }

    // Vectors

    function epochNow() internal view returns (uint32) {
        return uint32(vm.getBlockTimestamp() / EPOCH_LENGTH);
    }

    function entry(uint32 sku, uint128 usdWad) internal pure returns (bytes memory) {
        return abi.encodePacked(sku, usdWad);
    }

    /// @notice The vector of reporter `who`, observed now.
    function vector(uint256 who, bytes memory changed, bytes memory unchanged)
        internal
        view
        returns (IPriceOracle.PriceReport memory)
    {
        return vector(who, epochNow(), uint40(vm.getBlockTimestamp()), changed, unchanged);
    }

    function vector(uint256 who, uint32 epoch, uint40 observedAt, bytes memory changed, bytes memory unchanged)
        internal
        view
        returns (IPriceOracle.PriceReport memory)
    {
        bytes32 digest = oracle.reportDigest(epoch, observedAt, changed, unchanged);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(reporterKeys[who], digest);
        bytes32 vs = bytes32(uint256(s) | (uint256(v - 27) << 255));
        return IPriceOracle.PriceReport(epoch, observedAt, changed, unchanged, r, vs);
    }

    /// @notice The first three reporters say the same, now.
    function unanimous(bytes memory changed, bytes memory unchanged)
        internal
        view
        returns (IPriceOracle.PriceReport[] memory reports)
    {
        reports = new IPriceOracle.PriceReport[](QUORUM);
        for (uint256 i; i < QUORUM; ++i) {
            reports[i] = vector(i, changed, unchanged);
        }
    }

    /// @notice One price of SKU from each of the first reporters, now.
    function votes(uint128[] memory prices) internal view returns (IPriceOracle.PriceReport[] memory reports) {
        reports = new IPriceOracle.PriceReport[](prices.length);
        for (uint256 i; i < prices.length; ++i) {
            reports[i] = vector(i, entry(SKU, prices[i]), "");
        }
    }

    function votes(uint128 a, uint128 b, uint128 c) internal view returns (IPriceOracle.PriceReport[] memory) {
        uint128[] memory prices = new uint128[](3);
        (prices[0], prices[1], prices[2]) = (a, b, c);
        return votes(prices);
    }

    // Reports over time

    /// @notice In the next epoch a quorum reports this price.
    function reportNext(uint32 sku, uint128 usdWad) internal {
        vm.warp(vm.getBlockTimestamp() + EPOCH_LENGTH);
        oracle.report(unanimous(entry(sku, usdWad), ""));
    }

    /// @notice Brings a price into force, through the queue if need be.
    function establish(uint32 sku, uint128 usdWad) internal {
        reportNext(sku, usdWad);
        vm.warp(vm.getBlockTimestamp() + QUEUE_DELAY);
        reportNext(sku, usdWad);
        assertInForce(sku, usdWad);
    }

    function assertInForce(uint32 sku, uint128 usdWad) internal view {
        (, uint128 actual) = oracle.currentPrice(sku);
        assertEq(uint256(actual), usdWad, "price in force");
    }

    function assertQueued(uint32 sku, uint128 usdWad) internal view {
        assertEq(uint256(oracle.queuedPriceOf(sku).usdWad), usdWad, "queued price");
    }

    /// @dev Keeps reporters in ascending order of their addresses.
    function _insert(address reporter, uint256 reporterKey) private {
        reporters.push(reporter);
        reporterKeys.push(reporterKey);
        for (uint256 i = reporters.length - 1; i > 0 && reporters[i] < reporters[i - 1]; --i) {
            (reporters[i], reporters[i - 1]) = (reporters[i - 1], reporters[i]);
            (reporterKeys[i], reporterKeys[i - 1]) = (reporterKeys[i - 1], reporterKeys[i]);
        }
    }
}
