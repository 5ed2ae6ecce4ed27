// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {TypedHashes} from "../../mocks/TypedHashes.sol";
import {EscrowTest} from "../EscrowTest.sol";

/// @title Callers, times and amounts of every kind, where the tests beside each function give examples.
contract SpendEscrowFuzz is EscrowTest {
    TypedHashes private _hashes;

    function setUp() public override {
        super.setUp();
        _hashes = TypedHashes(deploy("TypedHashes.sol:TypedHashes", ""));
    }

    function testFuzz_AGatewaysSettlersAreItsOwnBusiness(address one, address another, address settler_) external {
        vm.assume(one != another && one != gateway);
        vm.prank(one);
        escrow.appointSettler(settler_);
        assertTrue(escrow.isSettler(one, settler_), "appointed");
        vm.prank(another);
        escrow.revokeSettler(settler_);
        assertTrue(escrow.isSettler(one, settler_), "not by another");
        vm.prank(one);
        escrow.revokeSettler(settler_);
        assertFalse(escrow.isSettler(one, settler_), "revoked");
    }

    function testFuzz_APermitDepositsWhatItSays(uint96 credits, uint96 signed) external {
        credits = uint96(bound(credits, 1, 1e6 * uint256(CREDIT)));
        mintTo(token, holder, credits);
        IERC20Permit permitted = IERC20Permit(address(token));
        uint256 deadline = START + 1;
        bytes32 digest = _hashes.permit(
            permitted.DOMAIN_SEPARATOR(), holder, address(escrow), signed, permitted.nonces(holder), deadline
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(holderKey, digest);
        vm.prank(holder);
        (bool done,) = address(escrow)
            .call(
                abi.encodeCall(escrow.depositWithPermit, (address(token), gateway, signer, credits, deadline, v, r, s))
            );
        assertEq(done, credits == signed && credits % NANOCREDIT == 0, "only what was signed, and whole nanocredits");
        assertEq(balanceOf(key()), done ? credits : 0, "booked");
        assertEq(token.balanceOf(address(escrow)), done ? credits : 0, "held (S9)");
    }

    /// @dev Change any field of the account, the amount or the salt, and the signature is for another deposit.
    function testFuzz_ADepositGoesWhereItWasSigned(uint256 nanocredits, bytes32 salt, uint256 field, address another)
        external
    {
        uint256 credits = bound(nanocredits, 1, 1e15) * NANOCREDIT;
        vm.assume(another != signer && another != gateway && another != address(0));
        mintTo(token, holder, credits + NANOCREDIT);
        bytes memory signature = signDeposit(credits, salt);
        ISpendEscrow.AccountKey memory redirected = key();
        (uint256 amount, bytes32 chosen) = (credits, salt);
        if (field % 5 == 0) redirected.signer = another;
        if (field % 5 == 1) redirected.gateway = another;
        if (field % 5 == 2) redirected.token = address(other);
        if (field % 5 == 3) amount += NANOCREDIT;
        if (field % 5 == 4) chosen = ~salt;
        vm.expectRevert();
        escrow.depositWithAuthorization(redirected, amount, chosen, 0, DEADLINE, signature);

        escrow.depositWithAuthorization(key(), credits, salt, 0, DEADLINE, signature);
        assertEq(balanceOf(key()), credits, "booked");
    }

    function signDeposit(uint256 credits, bytes32 salt) private view returns (bytes memory) {
        bytes32 nonce = escrow.depositNonce(key(), credits, salt);
        bytes32 typeHash = keccak256(
            "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        bytes32 structHash =
            keccak256(abi.encode(typeHash, holder, address(escrow), credits, uint256(0), uint256(DEADLINE), nonce));
        bytes32 separator = IERC20Permit(address(token)).DOMAIN_SEPARATOR();
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(holderKey, keccak256(abi.encodePacked(hex"1901", separator, structHash)));
        return abi.encodePacked(r, s, v);
    }

    /// @dev Whatever is asked for in between, what may leave leaves an exit delay after it was first asked for.
    function testFuzz_ACloseKeepsItsTimerAndTakesAllThatIsThere(uint256 first, uint256 again, uint96 later) external {
        first = bound(first, 1, EXIT_DELAY - 1);
        again = bound(again, 0, 2 * EXIT_DELAY);
        later = uint96(bound(later, 1, 1e12) * NANOCREDIT);
        fund(10 * CREDIT);
        vm.prank(holder);
        escrow.startClose(address(token), gateway, signer);
        vm.warp(START + first);
        fund(later);
        vm.prank(holder);
        escrow.startClose(address(token), gateway, signer);
        assertEq(uint256(accountOf(key()).exitUnlock), START + EXIT_DELAY, "asking twice restarts nothing");

        vm.warp(START + again);
        (bool done,) = address(escrow).call(abi.encodeCall(escrow.executeExit, (key())));
        assertEq(done, again >= EXIT_DELAY, "paid from the unlock on");
        if (!done) return;
        assertEq(token.balanceOf(holder), 10 * uint256(CREDIT) + later, "all of it");
        assertEq(uint256(accountOf(key()).epoch), 1, "the epoch ended");
    }

    function testFuzz_OnlyTheAuthorityNamesAnother(address caller) external {
        vm.assume(caller != address(authority));
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller));
        IAccessManaged(address(escrow)).setAuthority(stranger);
    }
}
