// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {EscrowTest} from "../EscrowTest.sol";

contract StartCloseTest is EscrowTest {
    bytes32 private _account;

    function setUp() public override {
        super.setUp();
        _account = fund(100 * CREDIT);
    }

    function test_UnlocksEverythingOneExitDelayFromNow() external {
        vm.expectEmit(address(escrow));
        emit ISpendEscrow.ExitStarted(_account, 100 * CREDIT, START + EXIT_DELAY, true);
        close();

        ISpendEscrow.Account memory account_ = escrow.accountOf(_account);
        assertTrue(account_.closing, "closing");
        assertEq(account_.exitAmount, 100 * CREDIT, "all of the balance");
        assertEq(account_.epoch, 0, "the epoch ends at execution only");
    }

    function test_AsksForLaterDepositsToo() external {
        close();
        fund(5 * CREDIT);
        assertEq(escrow.accountOf(_account).exitAmount, 105 * CREDIT, "all of the balance");
    }

    function test_RestartsTheTimerOfAPlainExit() external {
        vm.prank(holder);
        escrow.startExit(address(token), gateway, signer, 100 * CREDIT);
        vm.warp(START + 10 minutes);
        close();
        assertEq(escrow.accountOf(_account).exitUnlock, START + 10 minutes + EXIT_DELAY, "unlock");
    }

    function test_RepeatedItKeepsTheTimer() external {
        close();
        vm.warp(START + 10 minutes);
        close();
        assertEq(escrow.accountOf(_account).exitUnlock, START + EXIT_DELAY, "unlock");
    }

    function close() private {
        vm.prank(holder);
        escrow.startClose(address(token), gateway, signer);
    }
}
