// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {EscrowAccounts} from "./EscrowAccounts.sol";
import {IReserveVault} from "./interfaces/IReserveVault.sol";
import {ISpendEscrow, LineStatus} from "./interfaces/ISpendEscrow.sol";
import {BackingMath} from "./libraries/BackingMath.sol";
import {SettlementLines} from "./libraries/SettlementLines.sol";
import {Spending, spendingOf} from "./libraries/Spending.sol";
import {Vouchers} from "./libraries/Vouchers.sol";

/// @title Where holders put credits that a gateway may spend by their vouchers: settlement.
contract SpendEscrow is EscrowAccounts, AccessManaged, EIP712 {
    using SettlementLines for bytes;
    using Vouchers for Vouchers.Voucher;

    uint40 private constant PAUSE_LIMIT = 24 hours;
    uint40 private constant PAUSE_SPACING = 24 hours;

    /// @inheritdoc ISpendEscrow
    uint40 public settlementPausedUntil;
    mapping(address gateway => uint64 batchId) private _lastBatchId;

    /// @param exitDelay Seconds between starting an exit and executing it; the vault's own.
    /// @param authority The AccessManager that says who is a guardian.
    constructor(IReserveVault vault, uint40 exitDelay, address authority)
        EscrowAccounts(vault, exitDelay)
        AccessManaged(authority)
        EIP712("Mintery", "1")
    {}

    /// @inheritdoc ISpendEscrow
    /// @dev The vault is called once for every token, even if no line burned anything: each token of a batch then has its
    ///     `Settled` event, and usage that nothing pays for shows as a shortfall.
    function settle(address gateway, uint64 batchId, bytes32 receiptsRoot, TokenBatch[] calldata batches) external {
        _openBatch(gateway, batchId);
        bytes memory outcomes = SettlementLines.newOutcomes(_countLines(batches));
        Vouchers.Voucher memory voucher;
        voucher.typeHash = Vouchers.TYPE_HASH;
        voucher.gateway = gateway;
        bytes32 separator = _domainSeparatorV4();

        uint256 settled;
        for (uint256 i; i < batches.length; ++i) {
            TokenBatch calldata batch = batches[i];
            if (batch.token <= voucher.token) revert TokensNotAscending(voucher.token, batch.token);
            _requireSettling(batch.token);

            voucher.token = batch.token;
            uint256 burned = _burnLines(batch.lines, voucher, separator, outcomes, settled);
            settled += SettlementLines.count(batch.lines.length);
            totalBalance[batch.token] -= burned;
            IReserveVault(VAULT).settle(batch.token, gateway, batchId, burned, batch.usage, batch.requests);
        }
        emit BatchSettled(gateway, batchId, receiptsRoot, outcomes);
    }

    function _openBatch(address gateway, uint64 batchId) private {
        if (!isSettler[gateway][msg.sender]) revert NotSettler(msg.sender, gateway);
        if (_now() < settlementPausedUntil) revert SettlementPaused(settlementPausedUntil);
        uint64 expected = nextBatchId(gateway);
        if (batchId != expected) revert WrongBatchId(batchId, expected);
        _lastBatchId[gateway] = batchId;
    }

    /// @dev A token without lines could burn nothing and pay nobody.
    function _countLines(TokenBatch[] calldata batches) private pure returns (uint256 lines) {
        if (batches.length == 0) revert EmptyBatch();
        for (uint256 i; i < batches.length; ++i) {
            uint256 length = batches[i].lines.length;
            if (length == 0 || length % SettlementLines.LINE_BYTES != 0) revert MalformedLines(length);
            lines += SettlementLines.count(length);
        }
    }

    function _requireSettling(address token) private view {
        uint40 retiredAt = IReserveVault(VAULT).projectOf(token).retiredAt;
        if (retiredAt == 0) return;
        uint40 end = retiredAt + 2 * EXIT_DELAY;
        if (_now() >= end) revert SettlementEnded(token, end);
    }

    /// @param voucher Carries type hash, token and gateway; each line overwrites the rest.
    /// @param first Index of the token's first line in the whole batch.
    /// @return burned Credits (18 decimals) that the lines took from their accounts.
    function _burnLines(
        bytes calldata lines,
        Vouchers.Voucher memory voucher,
        bytes32 separator,
        bytes memory outcomes,
        uint256 first
    ) private returns (uint256 burned) {
        uint256 count = SettlementLines.count(lines.length);
        for (uint256 i; i < count; ++i) {
            (uint96 spentAfter, bytes32 r, bytes32 vs) = lines.read(i, voucher);
            (LineStatus status, uint96 taken) = _burnLine(voucher, spentAfter, voucher.signerOf(separator, r, vs));
            // Far fewer lines than 2^160 fit in a block, so a sum of 96-bit amounts cannot wrap.
            unchecked {
                outcomes.writeOutcome(first + i, status, taken);
                burned += taken;
            }
        }
    }

    /// @dev `spent` rises by what is burned and no further: after a top-up the same voucher settles the rest.
    /// @param signer Zero when the signature is no one's.
    function _burnLine(Vouchers.Voucher memory voucher, uint96 spentAfter, address signer)
        private
        returns (LineStatus status, uint96 burned)
    {
        if (signer == address(0)) return (LineStatus.BadSignature, 0);
        if (block.timestamp > voucher.deadline) return (LineStatus.Expired, 0);
        Position storage position = _positions[voucher.accountOf(signer)];
        Spending spending = position.spending;
        (uint96 balance, uint96 spent, uint32 epoch) = (spending.balance(), spending.spent(), spending.epoch());
        if (voucher.epoch != epoch) return (LineStatus.WrongEpoch, 0);
        if (spentAfter > voucher.maxSpend) return (LineStatus.AboveVoucher, 0);
        if (spentAfter <= spent) return (LineStatus.NothingNew, 0);
        if (spentAfter % BackingMath.NANOCREDIT != 0) return (LineStatus.NotWholeNanocredits, 0);
        if (balance == 0) return (LineStatus.Empty, 0);

        // spent < spentAfter, burned <= balance, and spent + burned <= spentAfter: nothing can wrap.
        unchecked {
            uint96 wanted = spentAfter - spent;
            (status, burned) = wanted > balance ? (LineStatus.Partial, balance) : (LineStatus.Settled, wanted);
            position.spending = spendingOf(balance - burned, spent + burned, epoch);
        }
    }

    /// @inheritdoc ISpendEscrow
    function pauseSettlement(uint40 duration) external restricted {
        if (duration == 0 || duration > PAUSE_LIMIT) revert InvalidPause(duration, PAUSE_LIMIT);
        uint40 last = settlementPausedUntil;
        if (last != 0 && _now() < last + PAUSE_SPACING) revert PauseTooSoon(_now(), last + PAUSE_SPACING);

        settlementPausedUntil = _now() + duration;
        emit SettlementPausedUntil(_now() + duration);
    }

    /// @inheritdoc ISpendEscrow
    function nextBatchId(address gateway) public view returns (uint64) {
        return _lastBatchId[gateway] + 1;
    }

    /// @inheritdoc ISpendEscrow
    function voucherDigest(
        address token,
        address gateway,
        address holder,
        uint32 epoch,
        uint96 maxSpend,
        uint40 deadline,
        bytes16 keyHash
    ) external view returns (bytes32) {
        return Vouchers.Voucher(Vouchers.TYPE_HASH, token, gateway, holder, epoch, maxSpend, deadline, keyHash)
            .digest(_domainSeparatorV4());
    }
}
