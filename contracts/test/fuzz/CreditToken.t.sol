// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {AuthorizationsTest} from "../AuthorizationsTest.sol";

/// @title Amounts, parties and times of every kind, where the tests beside each function give examples.
contract CreditTokenFuzz is AuthorizationsTest {
    function testFuzz_TransfersMoveWhatTheySay(uint256 credits, address to) external {
        vm.assume(to != signer);
        uint256 before = token.balanceOf(to);
        vm.prank(signer);
        (bool done,) = address(token).call(abi.encodeCall(token.transfer, (to, credits)));
        assertEq(done, credits <= 10 * CREDIT && to != address(0), "moved");
        assertEq(token.balanceOf(to), before + (done ? credits : 0), "received");
        assertEq(token.totalSupply(), 10 * CREDIT, "supply");
    }

    function testFuzz_AnAllowanceBoundsTransferFrom(uint256 allowed, uint256 credits, address spender) external {
        vm.assume(spender != signer && spender != address(0));
        vm.prank(signer);
        token.approve(spender, allowed);
        assertEq(token.allowance(signer, spender), allowed, "allowance");
        vm.prank(spender);
        (bool done,) = address(token).call(abi.encodeCall(token.transferFrom, (signer, stranger, credits)));
        assertEq(done, credits <= allowed && credits <= 10 * CREDIT, "moved");
        assertEq(token.balanceOf(stranger), done ? credits : 0, "received");
        if (done && allowed != type(uint256).max) {
            assertEq(token.allowance(signer, spender), allowed - credits, "used up");
        }
    }

    function testFuzz_APermitIsItsOwnersAndInTime(uint256 credits, uint256 deadline, uint256 otherKey) external {
        deadline = bound(deadline, START - 100, START + 100);
        otherKey = bound(otherKey, 1, 1e18);
        IERC20Permit permitted = IERC20Permit(address(token));
        bytes32 typeHash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 digest = typed(
            IERC20Metadata(address(token)), keccak256(abi.encode(typeHash, signer, stranger, credits, 0, deadline))
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(otherKey, digest);
        vm.expectRevert();
        permitted.permit(signer, stranger, credits, deadline, v, r, s);
        (v, r, s) = vm.sign(key, digest);
        (bool done,) =
            address(token).call(abi.encodeCall(permitted.permit, (signer, stranger, credits, deadline, v, r, s)));
        assertEq(done, deadline >= START, "permitted");
        assertEq(token.allowance(signer, stranger), done ? credits : 0, "allowance");
    }

    /// @dev Only to its payee, only in its window, only once, and never after it was cancelled.
    function testFuzz_AnAuthorizationIsReceivedOnce(Authorization memory a, address caller, bool cancelled) external {
        a.from = signer;
        a.value = bound(a.value, 0, 10 * CREDIT);
        vm.assume(a.to != address(0) && a.to != signer);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(RECEIVE, a));
        if (cancelled) cancel(a.nonce);
        if (caller != a.to) {
            vm.prank(caller);
            vm.expectRevert();
            sendReceive(a, v, r, s);
        }
        bool open_ = a.validAfter < START && START < a.validBefore;
        (bool done,) = address(this).call(abi.encodeCall(this.receive_, (a, v, r, s)));
        assertEq(done, open_ && !cancelled, "received");
        assertEq(token.authorizationState(signer, a.nonce), done || cancelled, "used");
        (done,) = address(this).call(abi.encodeCall(this.receive_, (a, v, r, s)));
        assertFalse(done, "twice");
    }

    /// @notice `receiveWithAuthorization` as its payee.
    function receive_(Authorization memory a, uint8 v, bytes32 r, bytes32 s) external {
        vm.prank(a.to);
        sendReceive(a, v, r, s);
    }

    function testFuzz_OnlyTheAuthorizerCancels(bytes32 nonce, uint256 otherKey) external {
        otherKey = bound(otherKey, 1, 1e18);
        bytes32 digest = cancellation(nonce);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(otherKey, digest);
        vm.expectRevert(invalidSignature());
        token.cancelAuthorization(signer, nonce, v, r, s);
        assertFalse(token.authorizationState(signer, nonce), "cancelled by another");
        cancel(nonce);
        assertTrue(token.authorizationState(signer, nonce), "cancelled");
    }

    function cancel(bytes32 nonce) private {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, cancellation(nonce));
        token.cancelAuthorization(signer, nonce, v, r, s);
    }

    function cancellation(bytes32 nonce) private view returns (bytes32) {
        bytes32 typeHash = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
        return typed(IERC20Metadata(address(token)), keccak256(abi.encode(typeHash, signer, nonce)));
    }
}
