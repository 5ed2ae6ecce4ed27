// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {IncidentTest} from "./IncidentTest.sol";

/// @title A batch that someone else sends, and a holder or an issuer who would be gone before it comes.
contract SettlementIncidentsTest is IncidentTest {
    /// @dev The thief sees the batch before it is mined, and sends first, in its place, or again.
    function test_AFrontRunSquattedOrResubmittedBatch() external {
        ISpendEscrow.TokenBatch[] memory batches = batchOf(line(50 * CREDIT, 2.1e18), 1000);

        // First, as its own.
        vm.startPrank(thief);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.NotSettler.selector, thief, gateway));
        escrow.settle(gateway, 1, ROOT, batches);

        // Squatting the number, at a gateway that is the thief's: the vouchers name another.
        escrow.appointSettler(thief);
        escrow.settle(thief, 1, ROOT, batches);
        vm.stopPrank();
        assertEq(balanceOf(key()), 50 * CREDIT, "nothing burned for the thief");
        assertEq(uint256(escrow.nextBatchId(gateway)), 1, "and the gateway's number is free");

        // The settler's own goes through as if nothing had been.
        vm.startPrank(settler);
        escrow.settle(gateway, 1, ROOT, batches);
        assertEq(balanceOf(key()), 47.9e18, "settled");

        // Again under its number, or under the next: refused, or nothing new; and the provider is not paid again.
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.WrongBatchId.selector, 1, 2));
        escrow.settle(gateway, 1, ROOT, batches);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.WrongBatchId.selector, 3, 2));
        escrow.settle(gateway, 3, ROOT, batches);
        escrow.settle(gateway, 2, ROOT, batches);
        vm.stopPrank();
        assertEq(balanceOf(key()), 47.9e18, "once");
        assertEq(vault.owedTo(acme), 2 * DOLLAR, "paid once");
        assertTheSaverIsWhole();
    }

    /// @dev Specks sent to the account, or an execution at the wrong moment, to keep the holder in.
    function test_DustThatDelaysAnExit() external {
        vm.prank(holder);
        escrow.startExit(address(token), gateway, session, 50 * CREDIT);
        uint40 unlock = accountOf(key()).exitUnlock;
        assertEq(uint256(unlock), vm.getBlockTimestamp() + EXIT_DELAY, "an hour from the start");
        vm.warp(unlock - 1);

        // The thief's specks: into the escrow, and into an account of its own beside the holder's.
        vm.prank(saver);
        token.transfer(thief, 4 * NANOCREDIT);
        vm.startPrank(thief);
        token.transfer(address(escrow), NANOCREDIT);
        token.approve(address(escrow), NANOCREDIT);
        escrow.deposit(address(token), gateway, session, NANOCREDIT);
        vm.stopPrank();
        // Even the holder's own top-up and the gateway's settlement leave the time as it is.
        depositFor(session, NANOCREDIT);
        settle(line(50 * CREDIT, NANOCREDIT), 0);
        assertEq(uint256(accountOf(key()).exitUnlock), unlock, "unmoved");
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.ExitLocked.selector, unlock - 1, unlock));
        escrow.executeExit(key());

        // To the second, and in full.
        vm.warp(unlock);
        assertEq(escrow.executeExit(key()), 50 * CREDIT, "paid");
        assertEq(token.balanceOf(holder), 100 * CREDIT - NANOCREDIT, "to the holder");
        assertTheExitOfAnEmptyAccountStays();
    }

    /// @dev The holder has used 47.25 credits of calls, and leaves before the gateway's next batch.
    function test_AnExitDoesNotOutrunSettlement() external {
        vm.startPrank(holder);
        escrow.startClose(address(token), gateway, session);
        uint40 unlock = accountOf(key()).exitUnlock;
        vm.warp(unlock - 1);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.ExitLocked.selector, unlock - 1, unlock));
        escrow.executeExit(key());
        // To ask for less, or to cancel and ask again, brings nothing forward.
        escrow.startExit(address(token), gateway, session, 10 * CREDIT);
        escrow.cancelExit(address(token), gateway, session);
        escrow.startClose(address(token), gateway, session);
        assertEq(uint256(accountOf(key()).exitUnlock), unlock - 1 + EXIT_DELAY, "a new hour");
        vm.stopPrank();

        // An hour is two intervals of settlement: the batch comes in time, and takes of what is leaving.
        settle(line(50 * CREDIT, 47.25e18), 22_500);
        assertEq(vault.owedTo(acme), 45 * DOLLAR, "the provider is paid");
        vm.warp(unlock - 1 + EXIT_DELAY);
        assertEq(escrow.executeExit(key()), 2.75e18, "what was not spent");
        assertTheSaverIsWhole();
    }

    /// @dev The issuer, who has spent as a holder too, closes everything that it can close.
    function test_ARetirementDoesNotOutrunSettlement() external {
        vm.prank(holder);
        escrow.startClose(address(token), gateway, session);
        vm.startPrank(issuer);
        vault.retire(address(token));
        vault.tightenCaps(address(token), 0, 0);
        vault.removeProvider(address(token), acme);
        vm.stopPrank();

        // Nothing new comes in.
        assertEq(vault.mintRoom(address(token)), 0, "no mint");
        assertFalse(vault.acceptsDeposits(address(token)), "no deposit");

        // Until the last second before the holder may leave, what was used is settled, at the cap and the provider of before.
        vm.warp(vm.getBlockTimestamp() + EXIT_DELAY - 1);
        settle(line(50 * CREDIT, 47.25e18), 22_500);
        assertEq(vault.owedTo(acme), 45 * DOLLAR, "the provider is paid");

        // Then the lowered cap binds, an exit delay later settlement ends, and redeem and exit never do.
        uint256 end = vm.getBlockTimestamp() + 1 + EXIT_DELAY;
        vm.warp(end - 1);
        expectSettleReverts(
            line(50 * CREDIT, 47.25e18), 0, abi.encodeWithSelector(IReserveVault.PayoutAboveCap.selector, 47.25e6, 0)
        );
        vm.warp(end);
        expectSettleReverts(
            line(50 * CREDIT, 48e18),
            0,
            abi.encodeWithSelector(ISpendEscrow.SettlementEnded.selector, address(token), uint40(end))
        );
        assertEq(escrow.executeExit(key()), 2.75e18, "what was not spent");
        assertEq(redeem(holder, 52.75e18), 52.75e6, "redeemed");
        assertTheSaverIsWhole();
    }

    /// @dev An exit that has nothing to pay yet stays armed: a stranger who could execute it would undo it.
    function assertTheExitOfAnEmptyAccountStays() private {
        settle(line(50 * CREDIT, 2 * NANOCREDIT), 0);
        assertEq(balanceOf(key()), 0, "empty");
        vm.prank(holder);
        escrow.startExit(address(token), gateway, session, 10 * CREDIT);
        uint40 unlock = accountOf(key()).exitUnlock;
        vm.warp(unlock);
        vm.prank(thief);
        vm.expectRevert(ISpendEscrow.ZeroCredits.selector);
        escrow.executeExit(key());

        depositFor(session, 10 * CREDIT);
        assertEq(escrow.executeExit(key()), 10 * CREDIT, "paid at once");
        assertTheSaverHasAllButSpecks();
    }

    function assertTheSaverHasAllButSpecks() private {
        assertSound();
        assertEq(redeem(saver, token.balanceOf(saver)), 100 * DOLLAR - 1, "what the saver paid, less what it sent");
    }
}
