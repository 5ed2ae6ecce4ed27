// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {EscrowTest} from "../EscrowTest.sol";

contract DepositTest is EscrowTest {
    function setUp() public override {
        super.setUp();
        mintTo(token, holder, 1000 * CREDIT);
        vm.prank(holder);
        token.approve(address(escrow), type(uint256).max);
    }

    function testFuzz_MovesExactlyWhatItBooks(uint256 first, uint256 second) external {
        first = bound(first, 1, 500e9) * NANOCREDIT;
        second = bound(second, 1, 500e9) * NANOCREDIT;

        vm.expectEmit(address(escrow));
        emit ISpendEscrow.Deposited(escrow.accountId(key()), address(token), gateway, holder, signer, first);
        deposit(first);
        deposit(second);

        assertEq(balanceOf(key()), first + second, "booked");
        assertEq(escrow.totalBalance(address(token)), first + second, "total");
        assertEq(token.balanceOf(address(escrow)), first + second, "held (S9)");
        assertEq(token.balanceOf(holder), 1000 * CREDIT - first - second, "left with the holder");
    }

    function test_AccountsOfOneHolderStayApart() external {
        deposit(CREDIT);
        vm.prank(holder);
        escrow.deposit(address(token), gateway, holder, 2 * CREDIT);
        vm.prank(holder);
        escrow.deposit(address(token), stranger, signer, 3 * CREDIT);

        assertEq(balanceOf(key()), CREDIT, "session key's");
        ISpendEscrow.AccountKey memory own = ISpendEscrow.AccountKey(address(token), gateway, holder, holder);
        assertEq(balanceOf(own), 2 * CREDIT, "holder's own");
        ISpendEscrow.AccountKey memory elsewhere = ISpendEscrow.AccountKey(address(token), stranger, holder, signer);
        assertEq(balanceOf(elsewhere), 3 * CREDIT, "another gateway's");
    }

    function test_RefusesZeroCredits() external {
        vm.expectRevert(ISpendEscrow.ZeroCredits.selector);
        deposit(0);
    }

    function testFuzz_RefusesPartsOfANanocredit(uint256 credits) external {
        credits = bound(credits, 1, CREDIT);
        vm.assume(credits % NANOCREDIT != 0);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.NotWholeNanocredits.selector, credits));
        deposit(credits);
    }

    function test_RefusesZeroSignerAndZeroGateway() external {
        vm.startPrank(holder);
        vm.expectRevert(ISpendEscrow.ZeroSigner.selector);
        escrow.deposit(address(token), gateway, address(0), CREDIT);
        vm.expectRevert(ISpendEscrow.ZeroGateway.selector);
        escrow.deposit(address(token), address(0), signer, CREDIT);
    }

    function test_RefusesTokensThatTheVaultDidNotOpen() external {
        vm.prank(holder);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.DepositNotAccepted.selector, address(asset)));
        escrow.deposit(address(asset), gateway, signer, CREDIT);
    }

    function test_RefusesARetiredProject() external {
        vm.prank(issuer);
        vault.retire(address(token));
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.DepositNotAccepted.selector, address(token)));
        deposit(CREDIT);
    }

    function test_RefusesMoreThanGatewaysCanCount() external {
        uint256 limit = uint256(uint64(type(int64).max)) * NANOCREDIT;
        deposit(CREDIT);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.BalanceAboveLimit.selector, limit + CREDIT, limit));
        deposit(limit);
    }

    function test_RevertsWithoutTheCredits() external {
        vm.prank(stranger);
        vm.expectRevert();
        escrow.deposit(address(token), gateway, signer, CREDIT);
    }

    function deposit(uint256 credits) private {
        vm.prank(holder);
        escrow.deposit(address(token), gateway, signer, credits);
    }
}
