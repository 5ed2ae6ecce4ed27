// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {EscrowTest} from "../EscrowTest.sol";

contract ReleaseTest is EscrowTest {
    function setUp() public override {
        super.setUp();
        fund(100 * CREDIT);
    }

    function testFuzz_ReturnsCreditsToTheHolderAtOnce(uint256 credits) external {
        credits = bound(credits, 1, 100e9) * NANOCREDIT;
        vm.expectEmit(address(escrow));
        emit ISpendEscrow.Released(escrow.accountId(key()), holder, credits);
        vm.prank(settler);
        escrow.release(key(), credits);

        assertEq(token.balanceOf(holder), credits, "paid to the holder");
        assertEq(balanceOf(key()), 100 * CREDIT - credits, "left");
        assertEq(escrow.totalBalance(address(token)), 100 * CREDIT - credits, "total");
    }

    function test_LeavesAPendingExitAlone() external {
        vm.prank(holder);
        escrow.startExit(address(token), gateway, signer, 40 * CREDIT);
        vm.prank(settler);
        escrow.release(key(), 70 * CREDIT);
        vm.warp(START + EXIT_DELAY);
        assertEq(escrow.executeExit(key()), 30 * CREDIT, "what is left");
    }

    function test_OnlyASettlerOfThisGateway() external {
        vm.prank(stranger);
        escrow.appointSettler(stranger);
        address[3] memory others = [stranger, gateway, holder];
        for (uint256 i; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.NotSettler.selector, others[i], gateway));
            escrow.release(key(), CREDIT);
        }
    }

    function test_RefusesWhatTheAccountDoesNotHold() external {
        vm.startPrank(settler);
        vm.expectRevert(
            abi.encodeWithSelector(ISpendEscrow.ReleaseAboveBalance.selector, 100 * CREDIT + NANOCREDIT, 100 * CREDIT)
        );
        escrow.release(key(), 100 * CREDIT + NANOCREDIT);
        vm.expectRevert(ISpendEscrow.ZeroCredits.selector);
        escrow.release(key(), 0);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.NotWholeNanocredits.selector, 1));
        escrow.release(key(), 1);
    }
}
