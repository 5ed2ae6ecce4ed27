// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {OracleTest} from "../OracleTest.sol";

/// @title Callers, names and prices of every kind, where the tests beside each function give examples.
contract PriceOracleFuzz is OracleTest {
    function testFuzz_ASkuHasItsNameAndNumberForGood(string calldata name, string calldata another) external {
        vm.assume(bytes(name).length != 0 && bytes(another).length != 0);
        vm.assume(keccak256(bytes(name)) != keccak256(bytes(another)));
        (bool taken,) = oracle.skuOf(name);
        (bool takenToo,) = oracle.skuOf(another);
        vm.assume(!taken && !takenToo);
        bytes32 config = oracle.configDigest();
        vm.startPrank(admin);
        uint32 sku = oracle.addSku(name);
        assertNotEq(oracle.configDigest(), config, "reports are signed for the list of names");
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.SkuTaken.selector, name, sku));
        oracle.addSku(name);
        assertEq(uint256(oracle.addSku(another)), sku + 1, "the next number");
        vm.stopPrank();
        assertEq(oracle.skuName(sku), name, "name");
        (bool found, uint32 number) = oracle.skuOf(name);
        assertTrue(found && number == sku, "number");
    }

    function testFuzz_WhoMayWhat(address caller) external {
        vm.assume(caller != admin && caller != guardian && caller != address(authority));
        bytes memory refused = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(refused);
        oracle.addSku("x");
        vm.expectRevert(refused);
        oracle.setReporters(reporters, QUORUM);
        vm.expectRevert(refused);
        oracle.vetoPrice(SKU);
        vm.expectRevert(refused);
        oracle.declareDepeg();
        vm.expectRevert(refused);
        oracle.withdrawDepeg();
        vm.expectRevert(refused);
        IAccessManaged(address(oracle)).setAuthority(stranger);
        vm.stopPrank();
    }

    function testFuzz_AVetoDropsWhatWaitsAndNothingElse(uint256 price) external {
        establish(SKU, PRICE);
        price = bound(price, uint256(PRICE) * 12 / 10, type(uint128).max);
        reportNext(SKU, uint128(price));
        assertQueued(SKU, uint128(price));
        vm.startPrank(guardian);
        oracle.vetoPrice(SKU);
        assertQueued(SKU, 0);
        assertInForce(SKU, PRICE);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.NothingQueued.selector, SKU));
        oracle.vetoPrice(SKU);
        vm.stopPrank();
    }

    /// @dev A declaration and a low price each say depeg; withdrawing the one leaves the other.
    function testFuzz_DeclaredOrSeen(uint256 price, bool declared, bool withdrawn) external {
        price = bound(price, 0.5e18, 1.5e18);
        reportNext(ASSET, 1e18);
        vm.warp(vm.getBlockTimestamp() + QUEUE_DELAY);
        reportNext(ASSET, 1e18);
        reportNext(ASSET, uint128(price));
        vm.startPrank(guardian);
        if (declared) oracle.declareDepeg();
        vm.stopPrank();
        vm.startPrank(admin);
        if (withdrawn) oracle.withdrawDepeg();
        vm.stopPrank();
        (, uint128 inForce) = oracle.currentPrice(ASSET);
        assertEq(oracle.depegged(), (declared && !withdrawn) || inForce < 0.98e18, "depegged");
        if (price < 0.98e18) assertEq(uint256(inForce), price, "a fall below the floor never waits");
    }
}
