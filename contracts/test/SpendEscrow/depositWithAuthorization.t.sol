// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IAuthorizations} from "../../interfaces/IAuthorizations.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {TypedHashes} from "../../mocks/TypedHashes.sol";
import {EscrowTest} from "../EscrowTest.sol";

contract DepositWithAuthorizationTest is EscrowTest {
    bytes32 private constant SALT = keccak256("salt");
    uint256 private constant VALID_BEFORE = START + 1 hours;

    TypedHashes private _hashes;
    uint8 private _v;
    bytes32 private _r;
    bytes32 private _s;

    function setUp() public override {
        super.setUp();
        _hashes = TypedHashes(deploy("TypedHashes.sol:TypedHashes", ""));
        mintTo(token, holder, 10 * CREDIT);
        bytes32 digest = _hashes.receiveWithAuthorization(
            IERC20Permit(address(token)).DOMAIN_SEPARATOR(),
            holder,
            address(escrow),
            4 * CREDIT,
            0,
            VALID_BEFORE,
            escrow.depositNonce(key(), 4 * CREDIT, SALT)
        );
        (_v, _r, _s) = vm.sign(holderKey, digest);
    }

    function test_AnyoneMayRelayIt() external {
        relay(key(), 4 * CREDIT, SALT);
        assertEq(balanceOf(key()), 4 * CREDIT, "booked to the signed account");
        assertEq(token.balanceOf(address(escrow)), 4 * CREDIT, "held (S9)");
    }

    function test_ItWorksOnce() external {
        relay(key(), 4 * CREDIT, SALT);
        vm.expectPartialRevert(IAuthorizations.AuthorizationAlreadyUsed.selector);
        relay(key(), 4 * CREDIT, SALT);
    }

    function test_ARelayerCannotRedirectIt() external {
        ISpendEscrow.AccountKey memory redirected = key();
        redirected.signer = stranger;
        refuse(redirected, 4 * CREDIT, SALT);

        redirected = key();
        redirected.gateway = stranger;
        refuse(redirected, 4 * CREDIT, SALT);

        redirected = key();
        redirected.holder = stranger;
        refuse(redirected, 4 * CREDIT, SALT);

        refuse(key(), 3 * CREDIT, SALT);
        refuse(key(), 4 * CREDIT, keccak256("another salt"));
        assertEq(token.balanceOf(holder), 10 * CREDIT, "nothing moved");
    }

    function test_NobodyCanTakeItFromTheTokenDirectly() external {
        bytes32 nonce = escrow.depositNonce(key(), 4 * CREDIT, SALT);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.CallerNotPayee.selector, stranger, address(escrow)));
        token.receiveWithAuthorization(holder, address(escrow), 4 * CREDIT, 0, VALID_BEFORE, nonce, _v, _r, _s);
    }

    function test_NonceIsTheDocumentedHash() external view {
        bytes32 expected = keccak256(
            abi.encode(keccak256("MinteryDeposit"), address(token), gateway, holder, signer, uint256(4 * CREDIT), SALT)
        );
        assertEq(escrow.depositNonce(key(), 4 * CREDIT, SALT), expected, "nonce");
    }

    function relay(ISpendEscrow.AccountKey memory key_, uint256 credits, bytes32 salt) private {
        vm.prank(stranger);
        escrow.depositWithAuthorization(key_, credits, salt, 0, VALID_BEFORE, _v, _r, _s);
    }

    function refuse(ISpendEscrow.AccountKey memory key_, uint256 credits, bytes32 salt) private {
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, key_.holder));
        relay(key_, credits, salt);
    }
}
