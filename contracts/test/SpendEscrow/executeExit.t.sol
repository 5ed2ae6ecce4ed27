// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ISpendEscrow, LineStatus} from "../../interfaces/ISpendEscrow.sol";
import {EscrowTest} from "../EscrowTest.sol";

contract ExecuteExitTest is EscrowTest {
    bytes32 private _account;

    function setUp() public override {
        super.setUp();
        _account = fund(100 * CREDIT);
    }

    function test_RevertsWithNothingPending() external {
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.NoExitPending.selector, _account));
        escrow.executeExit(key());
    }

    function test_IsLockedUntilTheLastSecond() external {
        start(40 * CREDIT);
        vm.warp(START + EXIT_DELAY - 1);
        vm.expectRevert(
            abi.encodeWithSelector(ISpendEscrow.ExitLocked.selector, START + EXIT_DELAY - 1, START + EXIT_DELAY)
        );
        escrow.executeExit(key());

        vm.warp(START + EXIT_DELAY);
        assertEq(escrow.executeExit(key()), 40 * CREDIT, "paid");
    }

    function testFuzz_PaysTheLesserOfAmountAndBalanceToTheHolder(uint256 amount, uint96 spent, address sender)
        external
    {
        amount = bound(amount, 1, 200e9) * NANOCREDIT;
        spent = uint96(bound(spent, 0, 99e9) * NANOCREDIT);
        vm.assume(sender != address(0));
        start(amount);
        if (spent != 0) settle(line(CREDIT * 100, spent));

        vm.warp(START + EXIT_DELAY);
        uint256 left = 100 * CREDIT - spent;
        uint256 expected = amount < left ? amount : left;
        vm.expectEmit(address(escrow));
        emit ISpendEscrow.ExitExecuted(_account, holder, expected, 0);
        vm.prank(sender);
        assertEq(escrow.executeExit(key()), expected, "returned");

        assertEq(token.balanceOf(holder), expected, "paid to the holder");
        assertEq(balanceOf(key()), left - expected, "left in the account");
        assertEq(token.balanceOf(address(escrow)), escrow.totalBalance(address(token)), "held (S9)");
        assertEq(accountOf(key()).exitUnlock, 0, "nothing pending");
        assertEq(accountOf(key()).spent, spent, "the epoch goes on");
    }

    function test_ACloseTakesEverythingAndEndsTheEpoch() external {
        bytes memory signedBefore = line(100 * CREDIT, 30 * CREDIT);
        settle(line(100 * CREDIT, 10 * CREDIT));
        vm.prank(holder);
        escrow.startClose(address(token), gateway, signer);
        fund(5 * CREDIT);
        vm.warp(START + EXIT_DELAY);
        vm.expectEmit(address(escrow));
        emit ISpendEscrow.ExitExecuted(_account, holder, 95 * CREDIT, 1);
        vm.prank(stranger);
        escrow.executeExit(key());

        ISpendEscrow.Account memory account_ = escrow.accountOf(_account);
        assertEq(account_.balance, 0, "balance");
        assertEq(account_.spent, 0, "spent");
        assertEq(account_.epoch, 1, "epoch");
        fund(50 * CREDIT);
        expectSkipped(signedBefore, LineStatus.WrongEpoch);
    }

    function test_AnEmptyAccountCanBeClosed() external {
        settle(line(100 * CREDIT, 100 * CREDIT));
        vm.prank(holder);
        escrow.startClose(address(token), gateway, signer);
        vm.warp(START + EXIT_DELAY);
        assertEq(escrow.executeExit(key()), 0, "paid");
        assertEq(accountOf(key()).epoch, 1, "epoch");
    }

    function test_NobodyCanUseUpTheExitOfAnEmptyAccount() external {
        start(40 * CREDIT);
        settle(line(100 * CREDIT, 100 * CREDIT));
        vm.warp(START + EXIT_DELAY);
        vm.prank(stranger);
        vm.expectRevert(ISpendEscrow.ZeroCredits.selector);
        escrow.executeExit(key());
        assertEq(accountOf(key()).exitUnlock, START + EXIT_DELAY, "still pending");
    }

    function test_ADepositNeitherDelaysNorShrinksIt() external {
        start(40 * CREDIT);
        vm.warp(START + EXIT_DELAY - 1);
        fund(NANOCREDIT);
        mintTo(token, stranger, CREDIT);
        vm.prank(stranger);
        token.transfer(address(escrow), CREDIT);
        vm.warp(START + EXIT_DELAY);
        assertEq(escrow.executeExit(key()), 40 * CREDIT, "paid");
    }

    /// @dev S7: the oracle is dead, the gateway has no settler, settlement is paused, the project is retired.
    function test_WorksWhenEverythingElseIsGone() external {
        start(100 * CREDIT);
        vm.prank(gateway);
        escrow.revokeSettler(settler);
        vm.prank(guardian);
        escrow.pauseSettlement(24 hours);
        vm.prank(issuer);
        vault.retire(address(token));
        vm.etch(address(oracle), hex"fe");
        vm.etch(address(registry), hex"fe");

        vm.warp(START + EXIT_DELAY);
        assertEq(escrow.executeExit(key()), 100 * CREDIT, "paid");
    }

    function start(uint256 credits) private {
        vm.prank(holder);
        escrow.startExit(address(token), gateway, signer, credits);
    }
}
