// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow, LineStatus} from "../../interfaces/ISpendEscrow.sol";
import {EscrowTest} from "../EscrowTest.sol";

/// @title A stolen settler key, and holders who would be paid twice.
contract SettlerAttackTest is EscrowTest {
    function test_ACloseArmedBeforehandLeavesTheGatewayNothingToLend() external {
        vm.prank(holder);
        escrow.startClose(address(token), gateway, signer);
        uint40 now_ = START + 10 * EXIT_DELAY;
        vm.warp(now_);
        fund(100 * CREDIT);
        ISpendEscrow.Account memory seen = accountOf(key());
        assertEq(uint256(seen.balance - seen.exitAmount), 0, "available for holds");

        // What makes some of it available gives up the armed exit of that part.
        vm.startPrank(holder);
        escrow.startExit(address(token), gateway, signer, 40 * CREDIT);
        seen = accountOf(key());
        assertEq(uint256(seen.balance - seen.exitAmount), 60 * CREDIT, "available");
        escrow.startExit(address(token), gateway, signer, 100 * CREDIT);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.ExitLocked.selector, now_, now_ + EXIT_DELAY));
        escrow.executeExit(key());
        escrow.startExit(address(token), gateway, signer, 40 * CREDIT);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.ExitLocked.selector, now_, now_ + EXIT_DELAY));
        escrow.executeExit(key());
        vm.stopPrank();
    }

    function test_LinesAndTokensTwiceBurnOnce() external {
        fund(100 * CREDIT);
        bytes memory once = line(60 * CREDIT, 60 * CREDIT);
        ISpendEscrow.TokenBatch[] memory twice = new ISpendEscrow.TokenBatch[](2);
        twice[0] = batchOf(token, once, 1e6);
        twice[1] = twice[0];
        uint64 batchId = escrow.nextBatchId(gateway);
        vm.prank(settler);
        vm.expectRevert(
            abi.encodeWithSelector(ISpendEscrow.TokensNotAscending.selector, address(token), address(token))
        );
        escrow.settle(gateway, batchId, ROOT, twice);

        expectOutcomes(bytes.concat(outcome(LineStatus.Settled, 60 * CREDIT), outcome(LineStatus.NothingNew, 0)));
        settle(bytes.concat(once, once));
        assertEq(balanceOf(key()), 40 * CREDIT, "balance");
    }

    function test_ATopUpBeforeAPartialLineCannotRevertTheBatchOfOthers() external {
        fund(10 * CREDIT);
        bytes memory partialLine = line(60 * CREDIT, 10 * CREDIT);
        fund(50 * CREDIT);
        settle(only(batchOf(token, partialLine, 10)));
        assertEq(balanceOf(key()), 50 * CREDIT, "only what the line states");
    }

    /// @dev Calldata whose `lines` say they are longer than what was sent.
    function test_LinesThatReachPastTheCalldataAreRefused() external {
        fund(100 * CREDIT);
        bytes memory sent = abi.encodeCall(
            escrow.settle,
            (gateway, escrow.nextBatchId(gateway), ROOT, only(batchOf(token, line(60 * CREDIT, 60 * CREDIT), 0)))
        );
        // Cut the empty usage, the padding and half of the signature.
        assembly ("memory-safe") {
            mstore(sent, sub(mload(sent), 96))
        }
        vm.prank(settler);
        (bool taken,) = address(escrow).call(sent);
        assertFalse(taken, "short calldata");
        assertEq(balanceOf(key()), 100 * CREDIT, "balance");
    }

    function test_RequestsAloneBurnSpecksOnly() external {
        fund(100 * CREDIT);
        ISpendEscrow.TokenBatch memory batch =
            batchOf(token, line(60 * CREDIT, uint96(type(uint24).max) * NANOCREDIT), 0);
        batch.requests = type(uint24).max;
        settle(only(batch));
        assertEq(uint256(accountOf(key()).spent), 0.016777215e18, "a batch without usage");

        batch = batchOf(token, line(60 * CREDIT, 60 * CREDIT), 0);
        batch.requests = type(uint24).max;
        uint64 batchId = escrow.nextBatchId(gateway);
        vm.prank(settler);
        vm.expectRevert(
            abi.encodeWithSelector(
                IReserveVault.OverBurn.selector, 60e18 - 0.016777215e18, uint256(type(uint24).max) * NANOCREDIT
            )
        );
        escrow.settle(gateway, batchId, ROOT, only(batch));
    }

    function test_UsageThatWouldWrapReverts() external {
        fund(100 * CREDIT);
        oracle.setPrice(SKU, 2, type(uint128).max);
        bytes memory entry_ = abi.encodePacked(acme, SKU, uint32(2), type(uint128).max);
        ISpendEscrow.TokenBatch memory batch = batchOf(token, line(60 * CREDIT, 60 * CREDIT), 0);
        batch.usage = bytes.concat(entry_, entry_, entry_);
        uint64 batchId = escrow.nextBatchId(gateway);
        vm.prank(settler);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        escrow.settle(gateway, batchId, ROOT, only(batch));
    }
}
