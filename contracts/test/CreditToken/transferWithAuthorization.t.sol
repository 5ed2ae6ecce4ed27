// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAuthorizations} from "../../interfaces/IAuthorizations.sol";
import {ICreditToken} from "../../interfaces/ICreditToken.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {AuthorizationsTest} from "../AuthorizationsTest.sol";

contract TransferWithAuthorizationTest is AuthorizationsTest {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function test_AnyoneRelaysIt() external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(TRANSFER, a));
        assertFalse(token.authorizationState(signer, a.nonce), "used before");
        vm.expectEmit(address(token));
        emit IAuthorizations.AuthorizationUsed(signer, a.nonce);
        vm.prank(gateway);
        sendTransfer(a, v, r, s);
        assertEq(token.balanceOf(stranger), 2 * CREDIT, "received");
        assertTrue(token.authorizationState(signer, a.nonce), "used after");
    }

    function test_RevertWhen_ItIsUsedAgain() external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(TRANSFER, a));
        sendTransfer(a, v, r, s);
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.AuthorizationAlreadyUsed.selector, signer, a.nonce));
        sendTransfer(a, v, r, s);
    }

    function test_BothEndsOfTheWindowAreExcluded() external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(TRANSFER, a));
        vm.warp(START - 10);
        vm.expectRevert(
            abi.encodeWithSelector(IAuthorizations.AuthorizationNotYetValid.selector, START - 10, START - 10)
        );
        sendTransfer(a, v, r, s);
        vm.warp(START + 10);
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.AuthorizationExpired.selector, START + 10, START + 10));
        sendTransfer(a, v, r, s);
        vm.warp(START + 9);
        sendTransfer(a, v, r, s);
    }

    function testFuzz_RevertWhen_AFieldIsAnother(uint256 field) external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(TRANSFER, a));
        field = bound(field, 0, 4);
        if (field == 0) a.to = gateway;
        if (field == 1) a.value += 1;
        if (field == 2) a.validAfter -= 1;
        if (field == 3) a.validBefore += 1;
        if (field == 4) a.nonce = keccak256("another");
        vm.expectRevert(invalidSignature());
        sendTransfer(a, v, r, s);
    }

    function test_RevertWhen_TheSignatureIsForReceiving() external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(RECEIVE, a));
        vm.expectRevert(invalidSignature());
        sendTransfer(a, v, r, s);
    }

    function test_RevertWhen_TheSignatureIsForAnotherToken() external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(TRANSFER, a));
        mintTo(other, signer, 10 * CREDIT);
        vm.expectRevert(invalidSignature());
        other.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
    }

    function test_RevertWhen_TheChainIsAnother() external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(TRANSFER, a));
        vm.chainId(777);
        vm.expectRevert(invalidSignature());
        sendTransfer(a, v, r, s);
    }

    function test_RevertWhen_TheSIsHigh() external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(TRANSFER, a));
        vm.expectRevert(invalidSignature());
        sendTransfer(a, v == 27 ? 28 : 27, r, bytes32(ORDER - uint256(s)));
    }

    function test_RevertWhen_NobodySigned() external {
        Authorization memory a = authorization();
        vm.expectRevert(invalidSignature());
        sendTransfer(a, 27, 0, 0);

        a.from = address(0);
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, address(0)));
        sendTransfer(a, 27, 0, 0);
    }

    function test_RevertWhen_TheAllowListRefuses() external {
        IReserveVault.Terms memory listed = terms();
        listed.allowlist = true;
        token = open(listed);
        mintTo(token, signer, 10 * CREDIT);
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(TRANSFER, a));
        vm.expectRevert(abi.encodeWithSelector(ICreditToken.TransferNotAllowed.selector, signer));
        sendTransfer(a, v, r, s);
    }
}
