// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAuthorizations} from "../../interfaces/IAuthorizations.sol";
import {AuthorizationsTest} from "../AuthorizationsTest.sol";

contract ReceiveWithAuthorizationTest is AuthorizationsTest {
    function test_ThePayeeSendsIt() external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(RECEIVE, a));
        vm.expectEmit(address(token));
        emit IAuthorizations.AuthorizationUsed(signer, a.nonce);
        vm.prank(stranger);
        sendReceive(a, v, r, s);
        assertEq(token.balanceOf(stranger), 2 * CREDIT, "received");
        assertTrue(token.authorizationState(signer, a.nonce), "used");
    }

    function test_RevertWhen_SomebodyElseSendsIt() external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(RECEIVE, a));
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.CallerNotPayee.selector, gateway, stranger));
        vm.prank(gateway);
        sendReceive(a, v, r, s);
    }

    function test_RevertWhen_TheSignatureIsForTransferring() external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(TRANSFER, a));
        vm.expectRevert(invalidSignature());
        vm.prank(stranger);
        sendReceive(a, v, r, s);
    }

    function test_RevertWhen_ItIsUsedAgain() external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(RECEIVE, a));
        vm.startPrank(stranger);
        sendReceive(a, v, r, s);
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.AuthorizationAlreadyUsed.selector, signer, a.nonce));
        sendReceive(a, v, r, s);
        vm.stopPrank();
    }

    function test_RevertWhen_TheWindowIsOver() external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(RECEIVE, a));
        vm.warp(START + 10);
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.AuthorizationExpired.selector, START + 10, START + 10));
        vm.prank(stranger);
        sendReceive(a, v, r, s);
    }

    function test_AsBytes_AnEoasSignatureCountsOnce_InEitherForm() external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(RECEIVE, a));
        vm.startPrank(stranger);
        receiveAsBytes(a, abi.encodePacked(r, s, v));
        assertEq(token.balanceOf(stranger), 2 * CREDIT, "received");

        bytes memory used = abi.encodeWithSelector(IAuthorizations.AuthorizationAlreadyUsed.selector, signer, a.nonce);
        vm.expectRevert(used);
        sendReceive(a, v, r, s);
        vm.expectRevert(used);
        receiveAsBytes(a, abi.encodePacked(r, s, v));
        vm.stopPrank();
    }

    function test_AsBytes_RevertWhen_AnotherSignedOrSendsOrItIsLate() external {
        Authorization memory a = authorization();
        (, uint256 otherKey) = account("another");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(otherKey, digestOf(RECEIVE, a));
        vm.expectRevert(invalidSignature());
        vm.prank(stranger);
        receiveAsBytes(a, abi.encodePacked(r, s, v));

        (v, r, s) = vm.sign(key, digestOf(RECEIVE, a));
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.CallerNotPayee.selector, gateway, stranger));
        vm.prank(gateway);
        receiveAsBytes(a, abi.encodePacked(r, s, v));

        vm.warp(START + 10);
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.AuthorizationExpired.selector, START + 10, START + 10));
        vm.prank(stranger);
        receiveAsBytes(a, abi.encodePacked(r, s, v));
    }

    function test_AsBytes_AWalletsCodeDecides() external {
        Authorization memory a = authorization();
        a.from = deploy("Wallet.sol:Wallet", abi.encode(signer));
        mintTo(token, a.from, 2 * CREDIT);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(RECEIVE, a));
        vm.startPrank(stranger);
        // As r, s, v it is asked of no code.
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, a.from));
        sendReceive(a, v, r, s);
        receiveAsBytes(a, abi.encodePacked(r, s, v));
        vm.stopPrank();
        assertEq(token.balanceOf(stranger), 2 * CREDIT, "received");
    }

    function receiveAsBytes(Authorization memory a, bytes memory signature) private {
        token.receiveWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature);
    }
}
