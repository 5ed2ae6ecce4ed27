// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IAuthorizations} from "../../interfaces/IAuthorizations.sol";
import {AuthorizationsTest} from "../AuthorizationsTest.sol";

contract CancelAuthorizationTest is AuthorizationsTest {
    bytes32 private constant NONCE = keccak256("nonce");

    function test_ACancelledNonceMovesNothing() external {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, cancelDigest(signer));
        vm.expectEmit(address(token));
        emit IAuthorizations.AuthorizationCanceled(signer, NONCE);
        token.cancelAuthorization(signer, NONCE, v, r, s);
        assertTrue(token.authorizationState(signer, NONCE), "state");

        Authorization memory a = authorization();
        (v, r, s) = vm.sign(key, digestOf(TRANSFER, a));
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.AuthorizationAlreadyUsed.selector, signer, NONCE));
        sendTransfer(a, v, r, s);
    }

    function test_RevertWhen_ItWasUsed() external {
        Authorization memory a = authorization();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(TRANSFER, a));
        sendTransfer(a, v, r, s);
        (v, r, s) = vm.sign(key, cancelDigest(signer));
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.AuthorizationAlreadyUsed.selector, signer, NONCE));
        token.cancelAuthorization(signer, NONCE, v, r, s);
    }

    function test_RevertWhen_SomebodyElseSigned() external {
        (, uint256 another) = account("another");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(another, cancelDigest(signer));
        vm.expectRevert(invalidSignature());
        token.cancelAuthorization(signer, NONCE, v, r, s);
    }

    function cancelDigest(address authorizer) private view returns (bytes32) {
        return typed(
            IERC20Metadata(address(token)),
            keccak256(abi.encode(keccak256("CancelAuthorization(address authorizer,bytes32 nonce)"), authorizer, NONCE))
        );
    }
}
