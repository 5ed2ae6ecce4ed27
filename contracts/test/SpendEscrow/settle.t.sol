// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow, LineStatus} from "../../interfaces/ISpendEscrow.sol";
import {EscrowTest} from "../EscrowTest.sol";

contract SettleTest is EscrowTest {
    function setUp() public override {
        super.setUp();
        fund(100 * CREDIT);
    }

    // What the batch must be

    function test_OnlyASettlerOfThisGateway() external {
        vm.prank(stranger);
        escrow.appointSettler(stranger);
        address[3] memory others = [stranger, gateway, holder];
        for (uint256 i; i < others.length; ++i) {
            refuse(others[i], 1, one(), abi.encodeWithSelector(ISpendEscrow.NotSettler.selector, others[i], gateway));
        }
    }

    function test_ABatchSettlesOnce() external {
        ISpendEscrow.TokenBatch[] memory batches = one();
        settle(batches);
        refuse(settler, 1, batches, abi.encodeWithSelector(ISpendEscrow.WrongBatchId.selector, 1, 2));
        refuse(settler, 3, batches, abi.encodeWithSelector(ISpendEscrow.WrongBatchId.selector, 3, 2));
        refuse(settler, 0, batches, abi.encodeWithSelector(ISpendEscrow.WrongBatchId.selector, 0, 2));
    }

    function test_GatewaysCountTheirOwnBatches() external {
        settle(one());
        assertEq(uint256(escrow.nextBatchId(gateway)), 2, "counted");
        assertEq(uint256(escrow.nextBatchId(stranger)), 1, "another gateway's");
    }

    function test_RefusesABatchWithoutTokens() external {
        refuse(settler, 1, new ISpendEscrow.TokenBatch[](0), abi.encodeWithSelector(ISpendEscrow.EmptyBatch.selector));
    }

    function test_RefusesLinesThatAreNotWhole() external {
        bytes memory line_ = line(100 * CREDIT, CREDIT);
        refuseLines("");
        refuseLines(hex"00");
        refuseLines(bytes.concat(line_, hex"00"));
        refuseLines(new bytes(132));
    }

    function test_RefusesTokensOutOfOrder() external {
        fund(other, holder, signer, 10 * CREDIT);
        ISpendEscrow.TokenBatch[] memory batches = new ISpendEscrow.TokenBatch[](2);
        batches[0] = batchOf(other, line(other, holder, signerKey, CREDIT, CREDIT, DEADLINE, 0), 1);
        batches[1] = batchOf(token, line(CREDIT, CREDIT), 1);
        refuse(
            settler,
            1,
            batches,
            abi.encodeWithSelector(ISpendEscrow.TokensNotAscending.selector, address(other), address(token))
        );
        batches[0] = batches[1];
        refuse(
            settler,
            1,
            batches,
            abi.encodeWithSelector(ISpendEscrow.TokensNotAscending.selector, address(token), address(token))
        );
    }

    function test_RefusesATokenThatTheVaultDidNotOpen() external {
        ISpendEscrow.TokenBatch memory batch = batchOf(token, line(CREDIT, CREDIT), 1);
        batch.token = address(asset);
        refuse(settler, 1, only(batch), abi.encodeWithSelector(IReserveVault.UnknownProject.selector, address(asset)));
    }

    function test_EndsTwoExitDelaysAfterRetirement() external {
        vm.prank(issuer);
        vault.retire(address(token));
        vm.warp(START + 2 * EXIT_DELAY - 1);
        settle(line(100 * CREDIT, CREDIT));

        vm.warp(START + 2 * EXIT_DELAY);
        refuse(
            settler,
            2,
            only(batchOf(token, line(100 * CREDIT, 2 * CREDIT), 1)),
            abi.encodeWithSelector(ISpendEscrow.SettlementEnded.selector, address(token), START + 2 * EXIT_DELAY)
        );
    }

    function test_OverBurningRevertsTheWholeBatch() external {
        ISpendEscrow.TokenBatch[] memory batches = only(batchOf(token, line(100 * CREDIT, 2 * CREDIT), 1));
        refuse(settler, 1, batches, abi.encodeWithSelector(IReserveVault.OverBurn.selector, 2 * CREDIT, CREDIT));
        assertEq(balanceOf(key()), 100 * CREDIT, "nothing moved");
    }

    // What a line does

    function testFuzz_BurnsWhatIsNew(uint96 first, uint96 second) external {
        first = uint96(bound(first, 1, 50e9) * NANOCREDIT);
        second = uint96(bound(second, first / NANOCREDIT + 1, 100e9) * NANOCREDIT);
        expectOutcomes(outcome(LineStatus.Settled, first));
        settle(line(100 * CREDIT, first));
        expectOutcomes(outcome(LineStatus.Settled, second - first));
        settle(line(100 * CREDIT, second));

        assertEq(accountOf(key()).spent, second, "spent");
        assertEq(balanceOf(key()), 100 * CREDIT - second, "balance");
        assertEq(token.totalSupply(), 100 * CREDIT - second, "burned");
        assertEq(token.balanceOf(address(escrow)), escrow.totalBalance(address(token)), "held (S9)");
        // Each batch pays the backing of what it burned, rounded down to whole asset units (1e12 credit units each).
        uint256 backing = uint256(first) / 1e12 + uint256(second - first) / 1e12;
        assertEq(vault.owedTo(acme) + vault.projectOf(address(token)).margin, backing, "backing");
    }

    function testFuzz_TwoLinesOfOneAccountFollowEachOther(uint96 first, uint96 second) external {
        first = uint96(bound(first, 1, 150e9) * NANOCREDIT);
        second = uint96(bound(second, 1, 150e9) * NANOCREDIT);
        uint96 had = 100 * CREDIT;
        (LineStatus status1, uint96 burned1) = expected(0, had, first);
        (LineStatus status2, uint96 burned2) = expected(burned1, had - burned1, second);

        expectOutcomes(bytes.concat(outcome(status1, burned1), outcome(status2, burned2)));
        settle(bytes.concat(line(200 * CREDIT, first), line(200 * CREDIT, second)));
        assertEq(accountOf(key()).spent, burned1 + burned2, "spent");
        assertEq(balanceOf(key()), had - burned1 - burned2, "balance");
    }

    function test_SettlingTheSameLineAgainBurnsNothing() external {
        bytes memory line_ = line(100 * CREDIT, 10 * CREDIT);
        expectOutcomes(bytes.concat(outcome(LineStatus.Settled, 10 * CREDIT), outcome(LineStatus.NothingNew, 0)));
        settle(bytes.concat(line_, line_));
        expectSkipped(line_, LineStatus.NothingNew);
        expectSkipped(line(100 * CREDIT, 9 * CREDIT), LineStatus.NothingNew);
        expectSkipped(line(100 * CREDIT, 0), LineStatus.NothingNew);
    }

    function test_PartialIsCompletedAfterATopUp() external {
        bytes memory line_ = line(150 * CREDIT, 130 * CREDIT);
        expectOutcomes(outcome(LineStatus.Partial, 100 * CREDIT));
        settle(line_);
        expectSkipped(line_, LineStatus.Empty);

        fund(50 * CREDIT);
        expectOutcomes(outcome(LineStatus.Settled, 30 * CREDIT));
        settle(line_);
        assertEq(accountOf(key()).spent, 130 * CREDIT, "spent");
        assertEq(balanceOf(key()), 20 * CREDIT, "balance");
    }

    function test_TakesTheExactBalance() external {
        expectOutcomes(outcome(LineStatus.Settled, 100 * CREDIT));
        settle(line(100 * CREDIT, 100 * CREDIT));
        assertEq(balanceOf(key()), 0, "balance");
    }

    function test_MayConsumeAPendingExit() external {
        vm.prank(holder);
        escrow.startExit(address(token), gateway, signer, 100 * CREDIT);
        settle(line(100 * CREDIT, 60 * CREDIT));
        assertEq(accountOf(key()).exitAmount, 100 * CREDIT, "settlement leaves the exit as it is");
        vm.warp(START + EXIT_DELAY);
        assertEq(escrow.executeExit(key()), 40 * CREDIT, "the rest");
    }

    // Lines that are skipped

    function test_SettlesAtTheDeadlineAndNotAfter() external {
        bytes memory early = line(100 * CREDIT, CREDIT);
        bytes memory late = line(100 * CREDIT, 2 * CREDIT);
        vm.warp(DEADLINE);
        settle(early);
        vm.warp(DEADLINE + 1);
        expectSkipped(late, LineStatus.Expired);
    }

    function test_SkipsAnotherEpoch() external {
        expectSkipped(line(100 * CREDIT, CREDIT, DEADLINE, 1), LineStatus.WrongEpoch);
    }

    function testFuzz_NeverSpendsMoreThanSigned(uint96 maxSpend, uint96 spentAfter) external {
        maxSpend = uint96(bound(maxSpend, 0, 99e18));
        spentAfter = uint96(bound(spentAfter, maxSpend + 1, 100e18));
        expectSkipped(line(maxSpend, spentAfter), LineStatus.AboveVoucher);
    }

    function testFuzz_SkipsPartsOfANanocredit(uint96 spentAfter) external {
        spentAfter = uint96(bound(spentAfter, 1, 100e18));
        vm.assume(spentAfter % NANOCREDIT != 0);
        expectSkipped(line(100 * CREDIT, spentAfter), LineStatus.NotWholeNanocredits);
    }

    function test_SkipsAHighS() external {
        bytes memory good = line(100 * CREDIT, CREDIT);
        bytes32 r = bytes32(0);
        assembly ("memory-safe") {
            r := mload(add(good, 101))
        }
        // Every s above half the order that EIP-2098 can write at all, at both ends and with both parities.
        bytes32[2] memory highs = [bytes32((CURVE_ORDER >> 1) + 1), bytes32(uint256(type(int256).max))];
        for (uint256 i; i < highs.length; ++i) {
            for (uint8 v = 27; v <= 28; ++v) {
                expectSkipped(
                    packed(holder, 100 * CREDIT, CREDIT, DEADLINE, 0, r, compact(v, highs[i])), LineStatus.BadSignature
                );
            }
        }
    }

    /// @dev A signature's malleable twin has an s beyond 255 bits: its top bit reads as parity, and some other key appears.
    function test_TheMalleableTwinSpendsNothing() external {
        bytes32 digest = escrow.voucherDigest(address(token), gateway, holder, 0, 100 * CREDIT, DEADLINE, KEY_HASH);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signerKey, digest);
        bytes32 twin = bytes32(CURVE_ORDER - uint256(s));
        settle(
            bytes.concat(
                packed(holder, 100 * CREDIT, CREDIT, DEADLINE, 0, r, compact(27, twin)),
                packed(holder, 100 * CREDIT, CREDIT, DEADLINE, 0, r, twin & bytes32(uint256(type(int256).max))),
                packed(holder, 100 * CREDIT, CREDIT, DEADLINE, 0, r, compact(v == 27 ? 28 : 27, s))
            )
        );
        assertEq(balanceOf(key()), 100 * CREDIT, "untouched");
    }

    function test_SkipsAZeroSignature() external {
        expectSkipped(
            packed(holder, 100 * CREDIT, CREDIT, DEADLINE, 0, bytes32(0), bytes32(0)), LineStatus.BadSignature
        );
        expectSkipped(new bytes(133), LineStatus.BadSignature);
    }

    function test_SkipsASignatureOfSomeoneElse() external {
        (, uint256 strangerKey) = account("stranger");
        expectSkipped(line(token, holder, strangerKey, 100 * CREDIT, CREDIT, DEADLINE, 0), LineStatus.Empty);
        // The holder itself has no account here that it signs for: its money is under the session key.
        expectSkipped(line(token, holder, holderKey, 100 * CREDIT, CREDIT, DEADLINE, 0), LineStatus.Empty);
    }

    function testFuzz_NoChangedFieldSpends(uint256 position, uint8 flip) external {
        flip = uint8(bound(flip, 1, 255));
        bytes memory line_ = line(100 * CREDIT, CREDIT);
        // spentAfter, bytes 32 to 44, is the gateway's claim; every other byte is signed.
        position = bound(position, 0, 120);
        if (position >= 32) position += 12;
        line_[position] = bytes1(uint8(line_[position]) ^ flip);

        uint64 batchId = escrow.nextBatchId(gateway);
        ISpendEscrow.TokenBatch[] memory batches = only(batchOf(token, line_, 1e6));
        vm.prank(settler);
        escrow.settle(gateway, batchId, ROOT, batches);
        assertEq(balanceOf(key()), 100 * CREDIT, "untouched");
        assertEq(token.totalSupply(), 100 * CREDIT, "nothing burned");
    }

    function test_AVoucherOfAnotherGatewaySpendsNothing() external {
        bytes memory line_ = line(100 * CREDIT, CREDIT);
        vm.startPrank(stranger);
        escrow.appointSettler(stranger);
        escrow.settle(stranger, 1, ROOT, only(batchOf(token, line_, 1)));
        assertEq(balanceOf(key()), 100 * CREDIT, "untouched");
    }

    /// @dev EIP-7702 gives an EOA code: signatures count all the same.
    function test_CodeAtTheSignerChangesNothing() external {
        vm.etch(signer, abi.encodePacked(hex"ef0100", address(vault)));
        settle(line(100 * CREDIT, CREDIT));
        assertEq(balanceOf(key()), 99 * CREDIT, "settled");
    }

    function test_BadLinesLeaveTheOthersAlone() external {
        (address second, uint256 secondKey) = account("second holder");
        fund(token, second, second, 10 * CREDIT);
        bytes memory lines = bytes.concat(
            line(100 * CREDIT, CREDIT, DEADLINE, 9),
            line(100 * CREDIT, CREDIT),
            new bytes(133),
            line(token, second, secondKey, 50 * CREDIT, 40 * CREDIT, DEADLINE, 0),
            line(CREDIT, 2 * CREDIT)
        );
        expectOutcomes(
            bytes.concat(
                outcome(LineStatus.WrongEpoch, 0),
                outcome(LineStatus.Settled, CREDIT),
                outcome(LineStatus.BadSignature, 0),
                outcome(LineStatus.Partial, 10 * CREDIT),
                outcome(LineStatus.AboveVoucher, 0)
            )
        );
        settle(lines);
        assertEq(token.totalSupply(), 99 * CREDIT, "burned");
    }

    function test_TokensOfOneBatchStayApart() external {
        fund(other, holder, signer, 10 * CREDIT);
        ISpendEscrow.TokenBatch[] memory batches = new ISpendEscrow.TokenBatch[](2);
        batches[0] = batchOf(token, line(100 * CREDIT, 3 * CREDIT), 3);
        batches[1] = batchOf(other, line(other, holder, signerKey, CREDIT * 10, CREDIT, DEADLINE, 0), 1);
        expectOutcomes(bytes.concat(outcome(LineStatus.Settled, 3 * CREDIT), outcome(LineStatus.Settled, CREDIT)));
        settle(batches);

        assertEq(escrow.totalBalance(address(token)), 97 * CREDIT, "first token");
        assertEq(escrow.totalBalance(address(other)), 9 * CREDIT, "second token");
        assertEq(vault.owedTo(acme), 4e6, "paid");
    }

    /// @dev Nothing burned, nothing paid: the usage shows as a shortfall, and the token still has its event.
    function test_ABatchThatBurnsNothingStillReachesTheVault() external {
        vm.expectEmit(address(vault));
        emit IReserveVault.Settled(address(token), gateway, 1, 0, 0, 0, 0);
        settle(line(CREDIT, 2 * CREDIT));
        assertEq(vault.owedTo(acme), 0, "nobody is owed");
    }

    // What the tests above share

    /// @dev The rule again, in the plainest words: what a line with a good voucher does to an account.
    function expected(uint96 spent, uint96 balance, uint96 spentAfter) private pure returns (LineStatus, uint96) {
        if (spentAfter <= spent) return (LineStatus.NothingNew, 0);
        if (balance == 0) return (LineStatus.Empty, 0);
        if (spentAfter - spent > balance) return (LineStatus.Partial, balance);
        return (LineStatus.Settled, spentAfter - spent);
    }

    function one() private view returns (ISpendEscrow.TokenBatch[] memory) {
        return only(batchOf(token, line(100 * CREDIT, CREDIT), 1));
    }

    function refuse(address sender, uint64 batchId, ISpendEscrow.TokenBatch[] memory batches, bytes memory reason)
        private
    {
        vm.prank(sender);
        vm.expectRevert(reason);
        escrow.settle(gateway, batchId, ROOT, batches);
    }

    function refuseLines(bytes memory lines) private {
        refuse(
            settler,
            1,
            only(batchOf(token, lines, 1)),
            abi.encodeWithSelector(ISpendEscrow.MalformedLines.selector, lines.length)
        );
    }
}
