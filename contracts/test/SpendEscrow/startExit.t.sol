// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {EscrowTest} from "../EscrowTest.sol";

contract StartExitTest is EscrowTest {
    bytes32 private _account;

    function setUp() public override {
        super.setUp();
        _account = fund(100 * CREDIT);
    }

    function test_RefusesZeroAndPartsOfANanocredit() external {
        vm.expectRevert(ISpendEscrow.ZeroCredits.selector);
        start(0);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.NotWholeNanocredits.selector, CREDIT + 1));
        start(CREDIT + 1);
    }

    function test_RefusesMoreThanGatewaysCanCount() external {
        uint256 limit = uint256(uint64(type(int64).max)) * NANOCREDIT;
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.BalanceAboveLimit.selector, limit + NANOCREDIT, limit));
        start(limit + NANOCREDIT);
        start(limit);
    }

    function test_UnlocksOneExitDelayFromNow() external {
        vm.expectEmit(address(escrow));
        emit ISpendEscrow.ExitStarted(_account, 40 * CREDIT, START + EXIT_DELAY, false);
        start(40 * CREDIT);

        ISpendEscrow.Account memory account_ = escrow.accountOf(_account);
        assertEq(account_.exitAmount, 40 * CREDIT, "amount");
        assertEq(account_.exitUnlock, START + EXIT_DELAY, "unlock");
        assertFalse(account_.closing, "no close");
        assertEq(account_.balance, 100 * CREDIT, "nothing moves yet");
    }

    function test_MayAskForMoreThanTheBalance() external {
        start(101 * CREDIT);
        assertEq(escrow.accountOf(_account).exitAmount, 101 * CREDIT, "amount");
    }

    function testFuzz_OnlyRaisingRestartsTheTimer(uint256 first, uint256 second, uint256 wait) external {
        first = bound(first, 1, 200e9) * NANOCREDIT;
        second = bound(second, 1, 200e9) * NANOCREDIT;
        wait = bound(wait, 1, 30 days);
        start(first);
        vm.warp(START + wait);
        start(second);

        uint256 expected = (second > first ? START + wait : START) + EXIT_DELAY;
        assertEq(escrow.accountOf(_account).exitUnlock, expected, "unlock");
        assertEq(escrow.accountOf(_account).exitAmount, second, "amount");
    }

    function test_LoweredAndRaisedAgainRestartsTheTimer() external {
        start(40 * CREDIT);
        vm.warp(START + EXIT_DELAY);
        start(NANOCREDIT);
        start(40 * CREDIT);
        assertEq(escrow.accountOf(_account).exitUnlock, START + 2 * EXIT_DELAY, "unlock");
    }

    function test_AfterACloseItKeepsTheTimer() external {
        vm.prank(holder);
        escrow.startClose(address(token), gateway, signer);
        vm.warp(START + 10 minutes);
        start(40 * CREDIT);

        ISpendEscrow.Account memory account_ = escrow.accountOf(_account);
        assertEq(account_.exitUnlock, START + EXIT_DELAY, "unlock");
        assertFalse(account_.closing, "no longer closes");
    }

    function test_OthersReachOnlyTheirOwnAccounts() external {
        start(40 * CREDIT);
        vm.warp(START + 10 minutes);
        vm.prank(stranger);
        escrow.startExit(address(token), gateway, signer, 50 * CREDIT);
        vm.prank(gateway);
        escrow.startExit(address(token), gateway, signer, 50 * CREDIT);
        vm.prank(signer);
        escrow.startExit(address(token), gateway, signer, 50 * CREDIT);

        ISpendEscrow.Account memory account_ = escrow.accountOf(_account);
        assertEq(account_.exitAmount, 40 * CREDIT, "amount");
        assertEq(account_.exitUnlock, START + EXIT_DELAY, "unlock");
    }

    function start(uint256 credits) private {
        vm.prank(holder);
        escrow.startExit(address(token), gateway, signer, credits);
    }
}
