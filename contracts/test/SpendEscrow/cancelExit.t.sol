// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {EscrowTest} from "../EscrowTest.sol";

contract CancelExitTest is EscrowTest {
    bytes32 private _account;

    function setUp() public override {
        super.setUp();
        _account = fund(100 * CREDIT);
    }

    function test_LeavesNothingPending() external {
        vm.startPrank(holder);
        escrow.startClose(address(token), gateway, signer);
        vm.expectEmit(address(escrow));
        emit ISpendEscrow.ExitCancelled(_account);
        escrow.cancelExit(address(token), gateway, signer);

        ISpendEscrow.Account memory account_ = escrow.accountOf(_account);
        assertEq(account_.exitUnlock, 0, "unlock");
        assertEq(account_.exitAmount, 0, "amount");
        assertFalse(account_.closing, "closing");
    }

    function test_RevertsWithNothingPending() external {
        vm.prank(holder);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.NoExitPending.selector, _account));
        escrow.cancelExit(address(token), gateway, signer);
    }

    function testFuzz_NobodyElseCan(address other_) external {
        vm.assume(other_ != holder);
        vm.prank(holder);
        escrow.startExit(address(token), gateway, signer, CREDIT);

        vm.prank(other_);
        vm.expectPartialRevert(ISpendEscrow.NoExitPending.selector);
        escrow.cancelExit(address(token), gateway, signer);
        assertEq(escrow.accountOf(_account).exitUnlock, START + EXIT_DELAY, "still pending");
    }
}
