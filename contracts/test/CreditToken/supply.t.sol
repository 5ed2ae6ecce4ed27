// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ICreditToken} from "../../interfaces/ICreditToken.sol";
import {VaultTest} from "../VaultTest.sol";

contract SupplyTest is VaultTest {
    function testFuzz_OnlyTheVaultMintsAndBurns(address caller) external {
        vm.assume(caller != address(vault));
        mintTo(token, holder, CREDIT);
        vm.startPrank(caller);
        vm.expectRevert(abi.encodeWithSelector(ICreditToken.NotVault.selector, caller, address(vault)));
        token.mint(caller, 1);
        vm.expectRevert(abi.encodeWithSelector(ICreditToken.NotVault.selector, caller, address(vault)));
        token.burn(holder, 1);
        vm.stopPrank();
    }

    function test_TheVaultMintsAndBurns() external {
        vm.startPrank(address(vault));
        token.mint(holder, 5);
        token.burn(holder, 2);
        vm.stopPrank();
        assertEq(token.balanceOf(holder), 3, "balance");
        assertEq(token.totalSupply(), 3, "supply");
    }
}
