// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AuthorizationsTest} from "../AuthorizationsTest.sol";

contract TestDollarTest is AuthorizationsTest {
    function test_SaysThatItIsATest() external view {
        assertEq(asset.name(), "Test Dollar", "name");
        assertEq(asset.symbol(), "TUSD", "symbol");
        assertEq(asset.decimals(), 6, "decimals");
        assertEq(asset.DOMAIN_SEPARATOR(), domainSeparator(asset), "domain");
    }

    function test_AnyoneMints() external {
        vm.prank(stranger);
        asset.mint(holder, 7);
        assertEq(asset.balanceOf(holder), 7, "balance");
    }

    function test_MovesByAuthorization() external {
        asset.mint(signer, 5e6);
        Authorization memory a = Authorization(signer, stranger, 2e6, START - 1, START + 1, keccak256("dollars"));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(asset, TRANSFER, a));
        asset.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
        assertEq(asset.balanceOf(stranger), 2e6, "received");
    }
}
