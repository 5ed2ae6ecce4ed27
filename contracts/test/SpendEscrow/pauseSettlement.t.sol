// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {EscrowTest} from "../EscrowTest.sol";

contract PauseSettlementTest is EscrowTest {
    function setUp() public override {
        super.setUp();
        fund(100 * CREDIT);
    }

    function test_NoBatchSettlesUntilItEnds() external {
        bytes memory line_ = line(100 * CREDIT, CREDIT);
        vm.expectEmit(address(escrow));
        emit ISpendEscrow.SettlementPausedUntil(START + 1 hours);
        pause(1 hours);

        vm.warp(START + 1 hours - 1);
        ISpendEscrow.TokenBatch[] memory batches = only(batchOf(token, line_, 1));
        vm.prank(settler);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.SettlementPaused.selector, START + 1 hours));
        escrow.settle(gateway, 1, ROOT, batches);

        vm.warp(START + 1 hours);
        settle(line_);
        assertEq(balanceOf(key()), 99 * CREDIT, "settled");
    }

    function test_LastsOneSecondToADay() external {
        vm.startPrank(guardian);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.InvalidPause.selector, 0, 24 hours));
        escrow.pauseSettlement(0);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.InvalidPause.selector, 24 hours + 1, 24 hours));
        escrow.pauseSettlement(24 hours + 1);
        escrow.pauseSettlement(24 hours);
    }

    function testFuzz_PausesNeverAddUp(uint40 duration, uint256 later) external {
        duration = uint40(bound(duration, 1, 24 hours));
        pause(duration);
        uint40 earliest = START + duration + 24 hours;
        later = bound(later, START, earliest - 1);

        vm.warp(later);
        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.PauseTooSoon.selector, later, earliest));
        escrow.pauseSettlement(1);

        vm.warp(earliest);
        pause(1);
        assertEq(escrow.settlementPausedUntil(), earliest + 1, "paused again");
    }

    function test_OnlyTheGuardian() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        escrow.pauseSettlement(1 hours);
    }

    function pause(uint40 duration) private {
        vm.prank(guardian);
        escrow.pauseSettlement(duration);
    }
}
