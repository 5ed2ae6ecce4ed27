// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {EscrowTest} from "../EscrowTest.sol";

/// @notice What a batch costs as a transaction of its own: 21 000, calldata at 16 and 4 a byte, execution from cold slots.
contract GasTest is EscrowTest {
    // forge prints events of this name with -vv.
    event log_named_uint(string label, uint256 value);

    uint256 private constant MARGINAL_CEILING = 11_600;
    uint256 private constant FIRST_CEILING = 130_000;

    mapping(uint256 lines => bytes transaction) private _transactions;

    /// @dev Signing and encoding happen here, in another transaction: the test touches cold slots only.
    function setUp() public override {
        super.setUp();
        for (uint256 i; i < 111; ++i) {
            (address holder_, uint256 key_) = account(vm.toString(i));
            fund(token, holder_, vm.addr(key_), 100 * CREDIT);
        }
        // The first batch of all pays for fresh slots; what follows it is the common case.
        settle(_lines(100, 110, 1));
        _transactions[1] = _transaction(1);
        _transactions[10] = _transaction(10);
        _transactions[100] = _transaction(100);
    }

    function test_ALineCostsLittle() external {
        uint256 state = vm.snapshotState();
        uint256 one = _measure(1);
        vm.revertToState(state);
        emit log_named_uint("gas of a batch of 1 line  ", one);
        assertLt(one, FIRST_CEILING, "one line");
    }

    function test_TenLines() external {
        uint256 ten = _measure(10);
        emit log_named_uint("gas of a batch of 10 lines ", ten);
        assertLt(ten, FIRST_CEILING + 9 * MARGINAL_CEILING, "ten lines");
    }

    function test_HundredLines() external {
        uint256 hundred = _measure(100);
        emit log_named_uint("gas of a batch of 100 lines", hundred);
        assertLt(hundred, FIRST_CEILING + 99 * MARGINAL_CEILING, "a hundred lines");
    }

    function _measure(uint256 lines) private returns (uint256 gas) {
        bytes memory transaction = _transactions[lines];
        gas = 21_000;
        for (uint256 i; i < transaction.length; ++i) {
            gas += transaction[i] == 0 ? 4 : 16;
        }
        vm.prank(settler);
        address target = address(escrow);
        uint256 before = gasleft();
        (bool success,) = target.call(transaction);
        gas += before - gasleft();
        assertTrue(success, "the batch settles");
    }

    function _transaction(uint256 lines) private returns (bytes memory) {
        return abi.encodeCall(escrow.settle, (gateway, 2, ROOT, only(batchOf(token, _lines(0, lines, 2), 1e6))));
    }

    /// @dev Accounts [from, to) each spend `spent` credits and some nanocredits, so that amounts are not mostly zeros.
    function _lines(uint256 from, uint256 to, uint96 spent) private returns (bytes memory lines) {
        for (uint256 i = from; i < to; ++i) {
            (address holder_, uint256 key_) = account(vm.toString(i));
            lines = bytes.concat(
                lines, line(token, holder_, key_, 90 * CREDIT, spent * CREDIT + 123_456_789 * NANOCREDIT, DEADLINE, 0)
            );
        }
    }
}
