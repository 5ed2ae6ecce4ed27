// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {TypedHashes} from "../../mocks/TypedHashes.sol";
import {OracleTest} from "../OracleTest.sol";

contract ViewsTest is OracleTest {
    function testFuzz_ReportDigestIsTheTypedHash(
        uint32 epoch,
        uint40 observedAt,
        bytes calldata changed,
        bytes calldata unchanged
    ) external {
        TypedHashes hashes = TypedHashes(deploy("TypedHashes.sol:TypedHashes", ""));
        bytes32 separator = hashes.domainSeparator("Mintery Prices", "1", block.chainid, address(oracle));
        assertEq(
            oracle.reportDigest(epoch, observedAt, changed, unchanged),
            hashes.priceReport(separator, oracle.configDigest(), epoch, observedAt, changed, unchanged),
            "digest"
        );
    }

    function test_UnknownSkusRevert() external {
        bytes memory reason = abi.encodeWithSelector(IPriceOracle.UnknownSku.selector, 3);
        vm.expectRevert(reason);
        oracle.currentPrice(3);
        vm.expectRevert(reason);
        oracle.queuedPriceOf(3);
        vm.expectRevert(reason);
        oracle.refreshedAt(3);
        vm.expectRevert(reason);
        oracle.skuName(3);
    }

    function test_ASkuWithoutAPrice() external view {
        (uint32 version, uint128 usdWad) = oracle.currentPrice(SKU);
        assertEq(uint256(version), 0, "version");
        assertEq(uint256(usdWad), 0, "price");
        assertEq(oracle.refreshedAt(SKU), 0, "never seen");
    }
}
