// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";

/// @title An issuer who keeps a loosening in store.
contract IssuerAttackTest is VaultTest {
    function test_AProposalOfOldCannotBeAppliedOnHoldersWhoCameLater() external {
        IReserveVault.Terms memory narrow = terms();
        narrow.providers = new uint32[](1);
        narrow.providers[0] = acme;
        narrow.payoutCap = 1e6;
        token = open(narrow);
        uint32[] memory own = new uint32[](1);
        own[0] = bole;
        vm.prank(issuer);
        vault.proposeLoosening(address(token), type(uint128).max, type(uint128).max, own);

        // Months later a holder reads the terms: one provider, 1 USD a day.
        vm.warp(START + 90 days);
        mintTo(token, escrow, 1000e18);

        vm.prank(issuer);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NoLooseningProposed.selector, address(token)));
        vault.applyLoosening(address(token));
        vm.prank(escrow);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderNotInTerms.selector, address(token), bole));
        vault.settle(address(token), gateway, 1, 1000e18, usageOf(bole, 1e6), 0);
    }
}
