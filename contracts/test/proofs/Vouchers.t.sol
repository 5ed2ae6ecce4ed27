// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {Proof} from "./Proof.sol";

/// @title S6: whatever a settlement line says and whoever signed it, what an account has spent never falls, and never passes
///     what was signed; what it burns is what it spent (S9).
/// @dev This contract is the escrow's vault. Halmos takes ecrecover for a function of which nothing is known.
contract VouchersProof is Proof {
    /// @notice An account, as its first slot holds it.
    struct State {
        uint96 balance;
        uint96 spent;
        uint32 epoch;
        uint128 totalBalance;
    }

    /// @notice A settlement line.
    struct Line {
        uint96 maxSpend;
        uint96 spentAfter;
        uint40 deadline;
        uint32 epoch;
        bytes16 keyHash;
        bytes32 r;
        bytes32 vs;
    }

    address private constant TOKEN = address(0x1001);
    address private constant HOLDER = address(0x1002);
    uint256 private constant TOTAL_BALANCE = 1;
    uint256 private constant POSITIONS = 2;

    ISpendEscrow private _escrow;
    uint256 private _burned;

    function setUp() public {
        vm.warp(1_800_000_000);
        bytes memory code =
            bytes.concat(vm.getCode("SpendEscrow.sol:SpendEscrow"), abi.encode(this, EXIT_DELAY(), address(this)));
        address created;
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
        }
        require(created != address(0), "escrow");
        _escrow = ISpendEscrow(created);
        _escrow.appointSettler(address(this));
    }

    // What the escrow asks of its vault

    function EXIT_DELAY() public pure returns (uint40) {
        return 1 hours;
    }

    function projectOf(address) external pure returns (IReserveVault.Project memory project) {
        return project;
    }

    function settle(address, address, uint64, uint256 burned, bytes calldata, uint24) external {
        _burned = burned;
    }

    // Proofs

    function check_ALineSpendsNoMoreThanWasSigned(State calldata s, Line calldata l) external {
        bytes32 account = settleOne(s, l);
        ISpendEscrow.Account memory now_ = _escrow.accountOf(account);
        assert(now_.epoch == s.epoch);
        assert(now_.spent >= s.spent);
        assert(now_.spent == s.spent || now_.spent <= l.maxSpend);
        assert(now_.spent == s.spent || now_.spent <= l.spentAfter);
        assert(now_.spent == s.spent || (l.epoch == s.epoch && l.deadline >= 1_800_000_000));
    }

    function check_ALineBurnsWhatItSpends(State calldata s, Line calldata l) external {
        bytes32 account = settleOne(s, l);
        ISpendEscrow.Account memory now_ = _escrow.accountOf(account);
        assert(uint256(s.balance) - now_.balance == _burned);
        assert(uint256(now_.spent) - s.spent == _burned);
        assert(s.totalBalance - _escrow.totalBalance(TOKEN) == _burned);
    }

    function check_ABatchSettlesOnce(State calldata s, Line calldata l, Line calldata again, uint64 batchId) external {
        settleOne(s, l);
        ISpendEscrow.TokenBatch[] memory batches = new ISpendEscrow.TokenBatch[](1);
        batches[0].token = TOKEN;
        batches[0].lines = packed(again);
        vm.assume(batchId != 2);
        (bool taken,) = address(_escrow).call(abi.encodeCall(_escrow.settle, (address(this), batchId, "", batches)));
        assert(!taken);
    }

    /// @return account The account of whoever signed the line.
    function settleOne(State calldata s, Line calldata l) private returns (bytes32 account) {
        address signer = ecrecover(
            _escrow.voucherDigest(TOKEN, address(this), HOLDER, l.epoch, l.maxSpend, l.deadline, l.keyHash),
            uint8(27 + (uint256(l.vs) >> 255)),
            l.r,
            l.vs & bytes32(type(uint256).max >> 1)
        );
        account = _escrow.accountId(ISpendEscrow.AccountKey(TOKEN, address(this), HOLDER, signer));
        uint256 spending = uint256(s.balance) | (uint256(s.spent) << 96) | (uint256(s.epoch) << 192);
        vm.store(address(_escrow), keccak256(abi.encode(account, POSITIONS)), bytes32(spending));
        vm.store(address(_escrow), keccak256(abi.encode(TOKEN, TOTAL_BALANCE)), bytes32(uint256(s.totalBalance)));
        vm.assume(s.totalBalance >= s.balance);

        ISpendEscrow.TokenBatch[] memory batches = new ISpendEscrow.TokenBatch[](1);
        batches[0].token = TOKEN;
        batches[0].lines = packed(l);
        _escrow.settle(address(this), 1, "", batches);
    }

    function packed(Line calldata l) private pure returns (bytes memory) {
        return abi.encodePacked(HOLDER, l.maxSpend, l.spentAfter, l.deadline, l.epoch, l.keyHash, l.r, l.vs);
    }
}
