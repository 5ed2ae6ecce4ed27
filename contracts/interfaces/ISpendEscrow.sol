// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice What happened to one settlement line: of the reasons to skip it, the first that applies, in this order.
enum LineStatus {
    Settled,
    /// @dev Burned what the account had, which was less.
    Partial,
    BadSignature,
    Expired,
    WrongEpoch,
    /// @dev spentAfter is above the voucher's maxSpend (S6).
    AboveVoucher,
    /// @dev spentAfter is not above what was spent before.
    NothingNew,
    /// @dev spentAfter is not a whole number of nanocredits.
    NotWholeNanocredits,
    /// @dev The account holds nothing.
    Empty
}

/// @title Where holders put credits that a gateway may spend by their vouchers.
/// @notice An account is (token, gateway, holder, signer). All amounts are credits in base units (18 decimals) and whole
///     nanocredits (multiples of 1e9).
interface ISpendEscrow {
    struct AccountKey {
        address token;
        /// @dev The cold identity that vouchers name.
        address gateway;
        address holder;
        /// @dev The EOA whose vouchers spend this account: the holder itself or a session key.
        address signer;
    }

    struct Account {
        uint96 balance;
        /// @dev Spent and settled in this epoch.
        uint96 spent;
        uint32 epoch;
        /// @dev Amount of the pending exit, 0 when none; all of the balance while closing.
        uint96 exitAmount;
        /// @dev Unix seconds from which the exit may be executed, 0 when none is pending.
        uint40 exitUnlock;
        /// @dev The pending exit takes everything and ends the epoch.
        bool closing;
    }

    /// @notice The lines of one token in a batch.
    struct TokenBatch {
        address token;
        uint24 requests;
        /// @dev Packed (address holder, uint96 maxSpend, uint96 spentAfter, uint40 deadline, uint32 epoch,
        ///     bytes16 keyHash, bytes32 r, bytes32 vs), 133 bytes each.
        bytes lines;
        /// @dev As IReserveVault.settle takes it.
        bytes usage;
    }

    error NotSettler(address caller, address gateway);
    error WrongBatchId(uint64 actual, uint64 expected);
    error MalformedLines(uint256 length);
    error EmptyBatch();
    error SettlementPaused(uint40 until);
    /// @notice A pause lasts from one second to `limit` seconds.
    error InvalidPause(uint40 duration, uint40 limit);
    /// @notice A pause starts no sooner than 24 h after the last one ended.
    error PauseTooSoon(uint40 now_, uint40 earliest);
    /// @notice The escrow and its vault count the same exit delay, in seconds.
    error ExitDelayMismatch(uint40 actual, uint40 expected);
    error SettlementEnded(address token, uint40 endedAt);
    error DepositNotAccepted(address token);
    error NotWholeNanocredits(uint256 credits);
    error ZeroCredits();
    error ZeroSigner();
    error ZeroGateway();
    error BalanceAboveLimit(uint256 balanceAfter, uint256 limit);
    error NoExitPending(bytes32 account);
    error ExitLocked(uint40 now_, uint40 unlock);
    /// @notice The assets pay for fewer whole nanocredits than the holder signed for.
    error TopUpBelowMinimum(uint256 credits, uint256 minCredits);
    error ReleaseAboveBalance(uint256 credits, uint256 balance);
    error TokensNotAscending(address previous, address next);

    event Deposited(
        bytes32 indexed account,
        address indexed token,
        address indexed gateway,
        address holder,
        address signer,
        uint256 credits
    );
    event ExitStarted(bytes32 indexed account, uint256 credits, uint40 unlock, bool closing);
    event ExitCancelled(bytes32 indexed account);
    /// @param epoch The account's epoch afterwards.
    event ExitExecuted(bytes32 indexed account, address indexed holder, uint256 credits, uint32 epoch);
    event Released(bytes32 indexed account, address indexed holder, uint256 credits);
    /// @notice One settled batch.
    /// @param outcomes Packed (uint8 LineStatus, uint96 burned), 13 bytes a line, in the order of the call.
    event BatchSettled(address indexed gateway, uint64 indexed batchId, bytes32 receiptsRoot, bytes outcomes);
    event SettlerAppointed(address indexed gateway, address indexed settler);
    event SettlerRevoked(address indexed gateway, address indexed settler);
    event SettlementPausedUntil(uint40 until);

    function VAULT() external view returns (address);
    function EXIT_DELAY() external view returns (uint40);

    /// @notice The caller is a gateway: lets `settler` settle and release for it.
    function appointSettler(address settler) external;
    /// @notice The caller is a gateway: `settler` stops at once.
    function revokeSettler(address settler) external;
    function isSettler(address gateway, address settler) external view returns (bool);

    /// @notice Moves the caller's credits into its account by approval. The caller is the holder and names the signer.
    function deposit(address token, address gateway, address signer, uint256 credits) external;

    /// @notice As `deposit`, approving by EIP-2612 on the way. Only the holder sends it; a permit already used is no error
    ///     while the allowance covers the deposit.
    function depositWithPermit(
        address token,
        address gateway,
        address signer,
        uint256 credits,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Moves the holder's credits into its account by one EIP-3009 signature; anyone may relay it. A holder that is a
    ///     contract wallet is asked by ERC-1271, here and never again: `key.signer` is an EOA of its choice.
    /// @dev The signed nonce is `depositNonce(key, credits, salt)`, so a relayer can redirect nothing.
    /// @param signature r, s, v of the holder, or what the holder's code accepts.
    function depositWithAuthorization(
        AccountKey calldata key,
        uint256 credits,
        bytes32 salt,
        uint256 validAfter,
        uint256 validBefore,
        bytes calldata signature
    ) external;

    /// @notice From the asset into the account by the holder's one EIP-3009 signature over the asset: the vault takes
    ///     `assets`, mints their worth at par, and the account gets every whole nanocredit of it. What is left, less than
    ///     one nanocredit, goes to the holder's wallet. Anyone may relay it; where mint is not public the holder is the issuer.
    /// @dev The authorization is to the vault; its nonce is `topUpNonce(key, minCredits, salt)`, so a relayer can redirect
    ///     nothing. `signature` is as IReserveVault.AssetAuthorization has it.
    /// @param assets Asset base units (6 decimals), exactly what was signed.
    /// @param minCredits Least credits (18 decimals) for the account.
    /// @return credits What the account got, whole nanocredits.
    function topUp(
        AccountKey calldata key,
        uint256 assets,
        uint256 minCredits,
        bytes32 salt,
        uint256 validAfter,
        uint256 validBefore,
        bytes calldata signature
    ) external returns (uint256 credits);

    /// @notice The caller is the holder: starts or replaces the timed exit of `credits`. Raising the amount restarts the
    ///     timer; lowering it keeps the timer.
    function startExit(address token, address gateway, address signer, uint256 credits) external;
    /// @notice The caller is the holder: a timed exit of everything at execution, which ends the epoch (and with it every
    ///     voucher of this signer).
    function startClose(address token, address gateway, address signer) external;
    function cancelExit(address token, address gateway, address signer) external;
    /// @notice Pays min(amount, balance) of an unlocked exit to the holder. Anyone may send it.
    function executeExit(AccountKey calldata key) external returns (uint256 credits);

    /// @notice A settler of the account's gateway gives credits back to the holder at once.
    function release(AccountKey calldata key, uint256 credits) external;

    /// @notice Settles one batch of a gateway: burns what its vouchers cover and pays providers for the usage.
    /// @dev A bad line is skipped with its status and reverts nothing else. Over-burning reverts the batch (S5).
    /// @param batchId Counts once per gateway, from 1 (S6).
    /// @param receiptsRoot Merkle root over the digests of the receipts in the batch.
    /// @param batches Tokens ascending.
    function settle(address gateway, uint64 batchId, bytes32 receiptsRoot, TokenBatch[] calldata batches) external;

    /// @notice Guardian: no batch settles for `duration` seconds, at most 24 h; then none can be paused for 24 h.
    function pauseSettlement(uint40 duration) external;

    /// @notice Unix seconds until which no batch settles, or when the last pause ended; 0 for never paused.
    function settlementPausedUntil() external view returns (uint40);

    function accountId(AccountKey calldata key) external pure returns (bytes32);
    function accountOf(bytes32 account) external view returns (Account memory);
    /// @notice The next batch of this gateway carries this id.
    function nextBatchId(address gateway) external view returns (uint64);
    /// @notice Sum of all accounts' balances of a token (S9's right side).
    function totalBalance(address token) external view returns (uint256);
    /// @notice EIP-712 digest of `SpendVoucher(address token,address gateway,address holder,uint32 epoch,uint96 maxSpend,uint40
    ///     deadline,bytes16 keyHash)` in the domain {name: "Mintery", version: "1", chainId, verifyingContract}.
    function voucherDigest(
        address token,
        address gateway,
        address holder,
        uint32 epoch,
        uint96 maxSpend,
        uint40 deadline,
        bytes16 keyHash
    ) external view returns (bytes32);
    /// @notice The EIP-3009 nonce that binds an authorization to this deposit:
    ///     keccak256(abi.encode(keccak256("MinteryDeposit"), token, gateway, holder, signer, credits, salt)).
    function depositNonce(AccountKey calldata key, uint256 credits, bytes32 salt) external pure returns (bytes32);
    /// @notice The EIP-3009 nonce that binds an authorization of the asset, to the vault, to this top-up:
    ///     keccak256(abi.encode(keccak256("MinteryTopUp"), token, gateway, holder, signer, minCredits, salt)).
    function topUpNonce(AccountKey calldata key, uint256 minCredits, bytes32 salt) external pure returns (bytes32);
}
