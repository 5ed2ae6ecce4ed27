// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ICreditToken} from "./interfaces/ICreditToken.sol";
import {IReserveVault} from "./interfaces/IReserveVault.sol";
import {ISpendEscrow, LineStatus} from "./interfaces/ISpendEscrow.sol";
import {SettlementLines} from "./libraries/SettlementLines.sol";
import {Spending, spendingOf} from "./libraries/Spending.sol";
import {Vouchers} from "./libraries/Vouchers.sol";

/// @title Where holders put credits that a gateway may spend by their vouchers.
/// @dev Every amount that enters or leaves is a whole number of nanocredits, so balances are too. The only contracts
///     called are the vault and the tokens it deployed.
contract SpendEscrow is ISpendEscrow, AccessManaged, EIP712 {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;
    using SettlementLines for bytes;
    using Vouchers for Vouchers.Voucher;

    /// @dev Settlement reads and writes the first slot alone; an exit takes the second.
    struct Position {
        Spending spending;
        uint96 exitAmount;
        uint40 exitUnlock;
        bool closing;
    }

    /// @dev Credit base units in one nanocredit.
    uint256 private constant NANOCREDIT = 1e9;
    /// @dev Gateways count nanocredits in 63 bits; nothing an account states may be more.
    uint256 private constant BALANCE_LIMIT = uint256(uint64(type(int64).max)) * NANOCREDIT;
    uint40 private constant PAUSE_LIMIT = 24 hours;
    uint40 private constant PAUSE_SPACING = 24 hours;
    bytes32 private constant DEPOSIT_ACTION = keccak256("MinteryDeposit");

    /// @inheritdoc ISpendEscrow
    address public immutable VAULT;
    /// @inheritdoc ISpendEscrow
    uint40 public immutable EXIT_DELAY;

    /// @inheritdoc ISpendEscrow
    uint40 public settlementPausedUntil;
    /// @inheritdoc ISpendEscrow
    mapping(address gateway => mapping(address settler => bool)) public isSettler;
    /// @inheritdoc ISpendEscrow
    mapping(address token => uint256 credits) public totalBalance;
    mapping(address gateway => uint64 batchId) private _lastBatchId;
    mapping(bytes32 account => Position) private _positions;

    /// @param exitDelay Seconds between starting an exit and executing it; the vault's own.
    /// @param authority The AccessManager that says who is a guardian.
    constructor(IReserveVault vault, uint40 exitDelay, address authority)
        AccessManaged(authority)
        EIP712("Mintery", "1")
    {
        uint40 expected = vault.EXIT_DELAY();
        if (exitDelay != expected) revert ExitDelayMismatch(exitDelay, expected);
        VAULT = address(vault);
        EXIT_DELAY = exitDelay;
    }

    // Settlers

    /// @inheritdoc ISpendEscrow
    function appointSettler(address settler) external {
        isSettler[msg.sender][settler] = true;
        emit SettlerAppointed(msg.sender, settler);
    }

    /// @inheritdoc ISpendEscrow
    function revokeSettler(address settler) external {
        isSettler[msg.sender][settler] = false;
        emit SettlerRevoked(msg.sender, settler);
    }

    // Deposits

    /// @inheritdoc ISpendEscrow
    function deposit(address token, address gateway, address signer, uint256 credits) external {
        _credit(AccountKey(token, gateway, msg.sender, signer), credits);
        IERC20(token).safeTransferFrom(msg.sender, address(this), credits);
    }

    /// @inheritdoc ISpendEscrow
    function depositWithPermit(
        address token,
        address gateway,
        address signer,
        uint256 credits,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        _credit(AccountKey(token, gateway, msg.sender, signer), credits);
        // Anyone may have sent this permit already; whether the allowance covers the deposit is the transfer's business.
        try IERC20Permit(token).permit(msg.sender, address(this), credits, deadline, v, r, s) {} catch {}
        IERC20(token).safeTransferFrom(msg.sender, address(this), credits);
    }

    /// @inheritdoc ISpendEscrow
    function depositWithAuthorization(
        AccountKey calldata key,
        uint256 credits,
        bytes32 salt,
        uint256 validAfter,
        uint256 validBefore,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        _credit(key, credits);
        bytes32 nonce = depositNonce(key, credits, salt);
        ICreditToken(key.token)
            .receiveWithAuthorization(key.holder, address(this), credits, validAfter, validBefore, nonce, v, r, s);
    }

    /// @dev Books a deposit before its credits arrive: the caller moves them in the same call.
    function _credit(AccountKey memory key, uint256 credits) private {
        _requireWhole(credits);
        if (key.signer == address(0)) revert ZeroSigner();
        if (key.gateway == address(0)) revert ZeroGateway();
        if (!IReserveVault(VAULT).acceptsDeposits(key.token)) revert DepositNotAccepted(key.token);

        bytes32 account = _accountId(key.token, key.gateway, key.holder, key.signer);
        Position storage position = _positions[account];
        Spending spending = position.spending;
        uint256 balanceAfter = spending.balance() + credits;
        _requireCountable(balanceAfter);

        position.spending = spending.withBalance(balanceAfter.toUint96());
        totalBalance[key.token] += credits;
        emit Deposited(account, key.token, key.gateway, key.holder, key.signer, credits);
    }

    // Exits

    /// @inheritdoc ISpendEscrow
    /// @dev May ask for more than the balance, so that a settlement in between cannot make it revert (S7).
    function startExit(address token, address gateway, address signer, uint256 credits) external {
        _requireWhole(credits);
        _requireCountable(credits);
        bytes32 account = _accountId(token, gateway, msg.sender, signer);
        Position storage position = _positions[account];

        // Of a pending close, any amount is a part: it keeps the timer.
        bool raised = !position.closing && credits > position.exitAmount;
        uint40 unlock = raised ? _now() + EXIT_DELAY : position.exitUnlock;
        (position.exitAmount, position.exitUnlock, position.closing) = (credits.toUint96(), unlock, false);
        emit ExitStarted(account, credits, unlock, false);
    }

    /// @inheritdoc ISpendEscrow
    /// @dev Restarts the timer of a smaller exit; repeated, it changes nothing.
    function startClose(address token, address gateway, address signer) external {
        bytes32 account = _accountId(token, gateway, msg.sender, signer);
        Position storage position = _positions[account];

        uint40 unlock = position.closing ? position.exitUnlock : _now() + EXIT_DELAY;
        (position.exitAmount, position.exitUnlock, position.closing) = (0, unlock, true);
        emit ExitStarted(account, position.spending.balance(), unlock, true);
    }

    /// @inheritdoc ISpendEscrow
    function cancelExit(address token, address gateway, address signer) external {
        bytes32 account = _accountId(token, gateway, msg.sender, signer);
        Position storage position = _positions[account];
        if (position.exitUnlock == 0) revert NoExitPending(account);

        _clearExit(position);
        emit ExitCancelled(account);
    }

    /// @inheritdoc ISpendEscrow
    /// @dev With nothing to pay, only a close can be executed: otherwise anyone could undo the exit of an empty account.
    function executeExit(AccountKey calldata key) external returns (uint256 credits) {
        bytes32 account = accountId(key);
        Position storage position = _positions[account];
        uint40 unlock = position.exitUnlock;
        bool closing = position.closing;
        if (unlock == 0) revert NoExitPending(account);
        if (_now() < unlock) revert ExitLocked(_now(), unlock);

        Spending spending = position.spending;
        credits = closing ? spending.balance() : Math.min(position.exitAmount, spending.balance());
        if (credits == 0 && !closing) revert ZeroCredits();

        _clearExit(position);
        if (closing) {
            spending = spendingOf(spending.balance(), 0, spending.epoch() + 1);
            position.spending = spending;
        }
        emit ExitExecuted(account, key.holder, credits, spending.epoch());
        if (credits != 0) _pay(position, key, credits);
    }

    /// @inheritdoc ISpendEscrow
    function release(AccountKey calldata key, uint256 credits) external {
        if (!isSettler[key.gateway][msg.sender]) revert NotSettler(msg.sender, key.gateway);
        _requireWhole(credits);
        bytes32 account = accountId(key);
        Position storage position = _positions[account];
        uint256 balance = position.spending.balance();
        if (credits > balance) revert ReleaseAboveBalance(credits, balance);

        emit Released(account, key.holder, credits);
        _pay(position, key, credits);
    }

    function _clearExit(Position storage position) private {
        (position.exitAmount, position.exitUnlock, position.closing) = (0, 0, false);
    }

    /// @dev `credits` are at most the balance.
    function _pay(Position storage position, AccountKey calldata key, uint256 credits) private {
        Spending spending = position.spending;
        position.spending = spending.withBalance(spending.balance() - credits.toUint96());
        totalBalance[key.token] -= credits;
        IERC20(key.token).safeTransfer(key.holder, credits);
    }

    // Settlement

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
        if (spentAfter % NANOCREDIT != 0) return (LineStatus.NotWholeNanocredits, 0);
        if (balance == 0) return (LineStatus.Empty, 0);

        uint96 wanted = spentAfter - spent;
        (status, burned) = wanted > balance ? (LineStatus.Partial, balance) : (LineStatus.Settled, wanted);
        position.spending = spendingOf(balance - burned, spent + burned, epoch);
    }

    /// @inheritdoc ISpendEscrow
    function pauseSettlement(uint40 duration) external restricted {
        if (duration == 0 || duration > PAUSE_LIMIT) revert InvalidPause(duration, PAUSE_LIMIT);
        uint40 last = settlementPausedUntil;
        if (last != 0 && _now() < last + PAUSE_SPACING) revert PauseTooSoon(_now(), last + PAUSE_SPACING);

        settlementPausedUntil = _now() + duration;
        emit SettlementPausedUntil(_now() + duration);
    }

    // Views

    /// @inheritdoc ISpendEscrow
    function accountId(AccountKey calldata key) public pure returns (bytes32) {
        return _accountId(key.token, key.gateway, key.holder, key.signer);
    }

    /// @inheritdoc ISpendEscrow
    function accountOf(bytes32 account) external view returns (Account memory) {
        Position storage position = _positions[account];
        Spending spending = position.spending;
        return Account({
            balance: spending.balance(),
            spent: spending.spent(),
            epoch: spending.epoch(),
            exitAmount: position.closing ? spending.balance() : position.exitAmount,
            exitUnlock: position.exitUnlock,
            closing: position.closing
        });
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

    /// @inheritdoc ISpendEscrow
    function depositNonce(AccountKey calldata key, uint256 credits, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(DEPOSIT_ACTION, key.token, key.gateway, key.holder, key.signer, credits, salt));
    }

    // Rules shared by several calls

    function _requireWhole(uint256 credits) private pure {
        if (credits == 0) revert ZeroCredits();
        if (credits % NANOCREDIT != 0) revert NotWholeNanocredits(credits);
    }

    function _requireCountable(uint256 credits) private pure {
        if (credits > BALANCE_LIMIT) revert BalanceAboveLimit(credits, BALANCE_LIMIT);
    }

    function _accountId(address token, address gateway, address holder, address signer) private pure returns (bytes32) {
        return keccak256(abi.encode(token, gateway, holder, signer));
    }

    function _now() private view returns (uint40) {
        return uint40(block.timestamp);
    }
}
