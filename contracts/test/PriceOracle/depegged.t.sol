// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {OracleTest} from "../OracleTest.sol";

contract DepeggedTest is OracleTest {
    function test_AMissingPriceIsNoDepeg() external view {
        assertFalse(oracle.depegged(), "no price yet");
    }

    function test_BelowNinetyEightCentsIsOne() external {
        establish(ASSET, 1e18);
        assertFalse(oracle.depegged(), "par");
        reportNext(ASSET, 0.98e18);
        assertFalse(oracle.depegged(), "at the floor");
        reportNext(ASSET, 0.98e18 - 1);
        assertTrue(oracle.depegged(), "below it");
        reportNext(ASSET, 0.99e18);
        assertFalse(oracle.depegged(), "back");
    }

    function test_TheGuardianDeclaresAndTheAdminWithdraws() external {
        vm.prank(guardian);
        vm.expectEmit(address(oracle));
        emit IPriceOracle.DepegDeclared(true);
        oracle.declareDepeg();
        assertTrue(oracle.depegged(), "declared");

        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, guardian));
        oracle.withdrawDepeg();
        vm.prank(admin);
        oracle.withdrawDepeg();
        assertFalse(oracle.depegged(), "withdrawn");
    }

    function test_WithdrawingDoesNotOverruleTheQuorum() external {
        establish(ASSET, 0.9e18);
        vm.prank(admin);
        oracle.withdrawDepeg();
        assertTrue(oracle.depegged(), "the price says so");
    }

    function test_StrangersDeclareNothing() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        oracle.declareDepeg();
    }
}
