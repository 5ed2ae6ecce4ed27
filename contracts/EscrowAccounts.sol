// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ICreditToken} from "./interfaces/ICreditToken.sol";
import {IReserveVault} from "./interfaces/IReserveVault.sol";
import {ISpendEscrow} from "./interfaces/ISpendEscrow.sol";
import {BackingMath} from "./libraries/BackingMath.sol";
import {Spending, spendingOf} from "./libraries/Spending.sol";

/// @title The escrow's accounts: how credits come in, and how they go back to the holder.
/// @dev Every amount that enters or leaves is a whole number of nanocredits, so balances are too. The only contracts
///     called are the vault and the tokens it deployed.
abstract contract EscrowAccounts is ISpendEscrow {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev Settlement reads and writes the first slot alone; an exit takes the second.
    struct Position {
        Spending spending;
        uint96 exitAmount;
        uint40 exitUnlock;
        bool closing;
    }

    /// @dev Gateways count nanocredits in 63 bits; nothing an account states may be more.
    uint256 private constant BALANCE_LIMIT = uint256(uint64(type(int64).max)) * BackingMath.NANOCREDIT;
    bytes32 private constant DEPOSIT_ACTION = keccak256("MinteryDeposit");
    bytes32 private constant TOP_UP_ACTION = keccak256("MinteryTopUp");

    /// @inheritdoc ISpendEscrow
    address public immutable VAULT;
    /// @inheritdoc ISpendEscrow
    uint40 public immutable EXIT_DELAY;

    /// @inheritdoc ISpendEscrow
    mapping(address gateway => mapping(address settler => bool)) public isSettler;
    /// @inheritdoc ISpendEscrow
    mapping(address token => uint256 credits) public totalBalance;
    mapping(bytes32 account => Position) internal _positions;

    constructor(IReserveVault vault, uint40 exitDelay) {
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
        bytes calldata signature
    ) external {
        _credit(key, credits);
        bytes32 nonce = depositNonce(key, credits, salt);
        ICreditToken(key.token)
            .receiveWithAuthorization(key.holder, address(this), credits, validAfter, validBefore, nonce, signature);
    }

    /// @inheritdoc ISpendEscrow
    /// @dev The vault mints before the account is booked, when the escrow holds more than its accounts (S9); it trusts the
    ///     nonce because this contract alone computes it.
    function topUp(
        AccountKey calldata key,
        uint256 assets,
        uint256 minCredits,
        bytes32 salt,
        uint256 validAfter,
        uint256 validBefore,
        bytes calldata signature
    ) external returns (uint256 credits) {
        uint256 minted = IReserveVault(VAULT)
            .mintToEscrow(
                key.token,
                topUpNonce(key, minCredits, salt),
                IReserveVault.AssetAuthorization(key.holder, assets, validAfter, validBefore, signature)
            );
        uint256 remainder = minted % BackingMath.NANOCREDIT;
        credits = minted - remainder;
        if (credits < minCredits) revert TopUpBelowMinimum(credits, minCredits);

        _credit(key, credits);
        if (remainder != 0) IERC20(key.token).safeTransfer(key.holder, remainder);
    }

    /// @dev Books a deposit; the caller has its credits moved in the same call.
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
    function depositNonce(AccountKey calldata key, uint256 credits, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(DEPOSIT_ACTION, key.token, key.gateway, key.holder, key.signer, credits, salt));
    }

    /// @inheritdoc ISpendEscrow
    function topUpNonce(AccountKey calldata key, uint256 minCredits, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(TOP_UP_ACTION, key.token, key.gateway, key.holder, key.signer, minCredits, salt));
    }

    // Rules shared by several calls

    function _requireWhole(uint256 credits) private pure {
        if (credits == 0) revert ZeroCredits();
        if (credits % BackingMath.NANOCREDIT != 0) revert NotWholeNanocredits(credits);
    }

    function _requireCountable(uint256 credits) private pure {
        if (credits > BALANCE_LIMIT) revert BalanceAboveLimit(credits, BALANCE_LIMIT);
    }

    function _accountId(address token, address gateway, address holder, address signer) private pure returns (bytes32) {
        return keccak256(abi.encode(token, gateway, holder, signer));
    }

    function _now() internal view returns (uint40) {
        return uint40(block.timestamp);
    }
}
