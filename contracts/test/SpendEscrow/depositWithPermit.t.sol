// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {TypedHashes} from "../../mocks/TypedHashes.sol";
import {EscrowTest} from "../EscrowTest.sol";

contract DepositWithPermitTest is EscrowTest {
    uint256 private constant PERMIT_DEADLINE = START + 1 hours;

    TypedHashes private _hashes;

    function setUp() public override {
        super.setUp();
        _hashes = TypedHashes(deploy("TypedHashes.sol:TypedHashes", ""));
        mintTo(token, holder, 10 * CREDIT);
    }

    function test_ApprovesAndDepositsInOneCall() external {
        (uint8 v, bytes32 r, bytes32 s) = permitFor(4 * CREDIT);
        vm.prank(holder);
        escrow.depositWithPermit(address(token), gateway, signer, 4 * CREDIT, PERMIT_DEADLINE, v, r, s);

        assertEq(balanceOf(key()), 4 * CREDIT, "booked");
        assertEq(token.allowance(holder, address(escrow)), 0, "allowance used up");
    }

    function test_APermitThatSomeoneSentAlreadyIsNoError() external {
        (uint8 v, bytes32 r, bytes32 s) = permitFor(4 * CREDIT);
        vm.prank(stranger);
        IERC20Permit(address(token)).permit(holder, address(escrow), 4 * CREDIT, PERMIT_DEADLINE, v, r, s);

        vm.prank(holder);
        escrow.depositWithPermit(address(token), gateway, signer, 4 * CREDIT, PERMIT_DEADLINE, v, r, s);
        assertEq(balanceOf(key()), 4 * CREDIT, "booked");
    }

    function test_NobodyElseCanSendItForTheHolder() external {
        (uint8 v, bytes32 r, bytes32 s) = permitFor(4 * CREDIT);
        vm.prank(stranger);
        vm.expectRevert();
        escrow.depositWithPermit(address(token), gateway, stranger, 4 * CREDIT, PERMIT_DEADLINE, v, r, s);
        assertEq(token.balanceOf(holder), 10 * CREDIT, "nothing moved");
    }

    function test_ABadPermitWithoutAllowanceReverts() external {
        (uint8 v, bytes32 r, bytes32 s) = permitFor(4 * CREDIT);
        vm.prank(holder);
        vm.expectRevert();
        escrow.depositWithPermit(address(token), gateway, signer, 5 * CREDIT, PERMIT_DEADLINE, v, r, s);
    }

    function permitFor(uint256 credits) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 digest = _hashes.permit(
            IERC20Permit(address(token)).DOMAIN_SEPARATOR(),
            holder,
            address(escrow),
            credits,
            IERC20Permit(address(token)).nonces(holder),
            PERMIT_DEADLINE
        );
        return vm.sign(holderKey, digest);
    }
}
