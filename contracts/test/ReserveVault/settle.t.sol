// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CreditToken} from "../../CreditToken.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";

contract SettleTest is VaultTest {
    function setUp() public override {
        super.setUp();
        mintTo(token, escrow, 1000 * CREDIT);
        mintTo(other, escrow, 1000 * CREDIT);
    }

    function test_PaysTheProviderAndKeepsTheMarkup() external {
        // 1000 units at 0.002 USD cost 2 USD; with 5 % markup 2.1 credits burn.
        vm.expectEmit(address(vault));
        emit IReserveVault.ProviderCredited(acme, address(token), 1, 2e6, 0);
        vm.expectEmit(address(vault));
        emit IReserveVault.Settled(address(token), gateway, 1, 2.1e18, 2.1e6, 2e6, 0.1e6);
        settle(token, 2.1e18, usageOf(acme, 1000), 1);

        assertEq(vault.owedTo(acme), 2e6, "owed");
        assertEq(vault.projectOf(address(token)).margin, 0.1e6, "margin");
        assertEq(vault.projectOf(address(token)).reserve, 1000e6 - 2.1e6, "reserve");
        assertEq(token.totalSupply(), 1000e18 - 2.1e18, "supply");
        assertEq(vault.totalClaims(), 2000e6, "claims");
    }
}
