// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {OracleTest} from "../OracleTest.sol";

contract AddSkuTest is OracleTest {
    function test_NumbersThemInOrderAfterTheAsset() external {
        assertEq(oracle.skuName(0), "asset:usd", "reserved");
        vm.prank(admin);
        vm.expectEmit(address(oracle));
        emit IPriceOracle.SkuAdded(3, "acme/voice:second");
        uint32 sku = oracle.addSku("acme/voice:second");

        assertEq(uint256(sku), 3, "number");
        assertEq(uint256(oracle.skuCount()), 4, "count");
        (bool found, uint32 number) = oracle.skuOf("acme/voice:second");
        assertTrue(found && number == 3, "by name");
        (found,) = oracle.skuOf("acme/none:second");
        assertFalse(found, "not added");
        (found, number) = oracle.skuOf("asset:usd");
        assertTrue(found && number == 0, "number 0 is found too");
    }

    function test_RefusesTakenAndEmptyNames() external {
        vm.startPrank(admin);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.SkuTaken.selector, "asset:usd", 0));
        oracle.addSku("asset:usd");
        vm.expectRevert(IPriceOracle.EmptySkuName.selector);
        oracle.addSku("");
    }

    function test_ChangesWhatReportsAreSignedFor() external {
        bytes32 namesHash;
        string[3] memory names = ["asset:usd", "acme/large:output_token", "acme/paint:image"];
        for (uint256 i; i < names.length; ++i) {
            namesHash = keccak256(abi.encode(namesHash, names[i]));
        }
        assertEq(oracle.configDigest(), keccak256(abi.encode(namesHash, reporters, QUORUM)), "before");

        vm.prank(admin);
        oracle.addSku("acme/voice:second");
        namesHash = keccak256(abi.encode(namesHash, "acme/voice:second"));
        assertEq(oracle.configDigest(), keccak256(abi.encode(namesHash, reporters, QUORUM)), "after");
    }

    function test_OnlyTheAdmin() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        oracle.addSku("acme/voice:second");
    }
}
