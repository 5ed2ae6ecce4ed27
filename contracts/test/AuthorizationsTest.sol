// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IAuthorizations} from "../interfaces/IAuthorizations.sol";
import {VaultTest} from "./VaultTest.sol";

/// @title EIP-712 digests of EIP-3009, written out here once more from the standard.
abstract contract AuthorizationsTest is VaultTest {
    struct Authorization {
        address from;
        address to;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }

    string internal constant TRANSFER = "TransferWithAuthorization";
    string internal constant RECEIVE = "ReceiveWithAuthorization";

    address internal signer;
    uint256 internal key;

    function setUp() public virtual override {
        super.setUp();
        (signer, key) = account("signer");
        mintTo(token, signer, 10 * CREDIT);
    }

    /// @notice Two credits from the signer to the stranger, valid from START - 10 to START + 10, both excluded.
    function authorization() internal view returns (Authorization memory) {
        return Authorization(signer, stranger, 2 * CREDIT, START - 10, START + 10, keccak256("nonce"));
    }

    function domainSeparator(IERC20Metadata token_) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(token_.name())),
                keccak256("1"),
                block.chainid,
                address(token_)
            )
        );
    }

    function digestOf(string memory type_, Authorization memory a) internal view returns (bytes32) {
        return digestOf(IERC20Metadata(address(token)), type_, a);
    }

    function digestOf(IERC20Metadata token_, string memory type_, Authorization memory a)
        internal
        view
        returns (bytes32)
    {
        bytes32 typeHash = keccak256(
            abi.encodePacked(
                type_, "(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
            )
        );
        return
            typed(token_, keccak256(abi.encode(typeHash, a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce)));
    }

    function typed(IERC20Metadata token_, bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domainSeparator(token_), structHash));
    }

    function sendTransfer(Authorization memory a, uint8 v, bytes32 r, bytes32 s) internal {
        token.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
    }

    function sendReceive(Authorization memory a, uint8 v, bytes32 r, bytes32 s) internal {
        token.receiveWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
    }

    function invalidSignature() internal view returns (bytes memory) {
        return abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, signer);
    }
}
