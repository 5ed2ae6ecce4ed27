// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {AuthorizationsTest} from "../AuthorizationsTest.sol";

contract PermitTest is AuthorizationsTest {
    bytes32 private constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    function test_ApprovesBySignature() external {
        bytes32 structHash = keccak256(abi.encode(PERMIT, signer, stranger, CREDIT, 0, START));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, typed(IERC20Metadata(address(token)), structHash));
        IERC20Permit(address(token)).permit(signer, stranger, CREDIT, START, v, r, s);
        assertEq(token.allowance(signer, stranger), CREDIT, "allowance");
        assertEq(IERC20Permit(address(token)).nonces(signer), 1, "nonce");
        assertEq(
            IERC20Permit(address(token)).DOMAIN_SEPARATOR(), domainSeparator(IERC20Metadata(address(token))), "domain"
        );
    }
}
