// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Kind} from "./IProviderRegistry.sol";

/// @title Holds one asset for every project; mints credits against it, redeems them and pays providers.
/// @notice Credits have 18 decimals, the asset 6. `par` is asset base units per whole credit.
/// @dev What a caller trusts is listed on `openProject`. Every rounding favours the reserve. The 24 h windows of both caps
///     are UTC days, not the 24 h before a call: within minutes, before and after midnight, two windows' caps can be taken
///     (S8), by whoever mints and by a stolen settler key alike.
interface IReserveVault {
    /// @notice What a project is. Immutable but for caps, providers and list members: issuer or guardian tightens at once
    ///     (settlement feels the issuer's an exit delay later), the issuer loosens after two exit delays.
    struct Terms {
        string name;
        string symbol;
        /// @dev Asset base units per whole credit, 1e3 to 1e9.
        uint64 par;
        /// @dev Multiplier over provider cost in 1e-4; an official project's is 0.
        uint16 markupBps;
        address feeRecipient;
        bool publicMint;
        Kind kind;
        /// @dev Registry ids whose usage may be settled: of the project's kind, active, and for a routed project with resale
        ///     allowed, when they are admitted.
        uint32[] providers;
        /// @dev Transfers limited to listed accounts; mint, burn, deposit and exit to the holder are exempt.
        bool allowlist;
        /// @dev Credits (18 decimals) the supply may grow above its size at the start of each UTC day.
        uint128 mintCap;
        /// @dev Asset base units that one gateway's batches may take for providers and margin in each UTC day.
        uint128 payoutCap;
    }

    struct Project {
        address issuer;
        address feeRecipient;
        uint64 par;
        uint16 markupBps;
        Kind kind;
        bool publicMint;
        bool allowlist;
        /// @dev Unix seconds, 0 when not retired.
        uint40 retiredAt;
        /// @dev Asset base units that back the supply (S1).
        uint128 reserve;
        /// @dev Asset base units that `feeRecipient` may withdraw.
        uint128 margin;
        uint128 mintCap;
        uint128 payoutCap;
    }

    /// @notice An asset holder's EIP-3009 `ReceiveWithAuthorization` to this vault; its nonce says what the mint is for.
    struct AssetAuthorization {
        address payer;
        /// @dev Asset base units.
        uint256 assets;
        /// @dev Unix seconds, both ends excluded.
        uint256 validAfter;
        uint256 validBefore;
        /// @dev r, s, v of an EOA, delegated by EIP-7702 or not; of a contract wallet what the asset's own overload takes.
        bytes signature;
    }

    /// @notice Prices are in USD and the asset counts at par, so its base unit must be 1e-6.
    error WrongAssetDecimals(uint8 actual, uint8 expected);
    error UnknownProject(address token);
    error NotIssuer(address caller, address issuer);
    error NotIssuerOrGuardian(address caller);
    error NotEscrow(address caller, address escrow);
    error EscrowAlreadySet(address escrow);
    error ParOutOfRange(uint256 par, uint256 least, uint256 most);
    error MarkupOnOfficialProject(uint16 markupBps);
    error ZeroFeeRecipient();
    error EmptyName();
    error ZeroCredits();
    error ZeroReceiver();
    error MintNotPublic(address caller, address issuer);
    error MintAboveCap(uint256 supplyAfter, uint256 limit);
    /// @notice The supply would pass what a 63-bit count of nanocredits can hold.
    error SupplyAboveLimit(uint256 supplyAfter, uint256 limit);
    error CostAboveMaximum(uint256 assets, uint256 maxAssets);
    /// @notice What was paid mints fewer credits than the payer signed for.
    error CreditsBelowMinimum(uint256 credits, uint256 minCredits);
    error PayoutBelowMinimum(uint256 assets, uint256 minAssets);
    error PayoutAboveCap(uint256 payoutAfter, uint256 cap);
    error ProjectRetired(address token, uint40 retiredAt);
    error AssetDepegged();
    /// @notice The vault holds less than all claims on it.
    error Undercollateralised(uint256 assets, uint256 claims);
    /// @notice A mint's payment did not arrive whole: the vault holds less of the asset than before and the payment.
    error AssetsNotReceived(uint256 actual, uint256 expected);
    error ProviderNotInTerms(address token, uint32 provider);
    error ProviderKindMismatch(uint32 provider, Kind actual, Kind expected);
    error ProviderInactive(uint32 provider);
    /// @notice A routed project may not sell this provider's models on.
    error ResaleForbidden(uint32 provider);
    error UsageNotAscending(uint32 previous, uint32 next);
    error MalformedUsage(uint256 length);
    /// @notice S5: the lines burn more than the usage costs with markup and one nanocredit per request.
    error OverBurn(uint256 burned, uint256 limit);
    error NotFeeRecipient(address caller, address feeRecipient);
    error NothingToWithdraw();
    error NothingToSweep();
    error CapNotLower(uint256 actual, uint256 limit);
    error CapNotHigher(uint256 actual, uint256 limit);
    /// @notice Settlement still goes by the payout cap before the issuer's last one, until then.
    error TighteningPending(uint40 until);
    error LooseningNotReady(uint40 now_, uint40 readyAt);
    error NoLooseningProposed(address token);

    event ProjectOpened(address indexed token, address indexed issuer, Terms terms);
    event Minted(address indexed token, address indexed payer, address indexed to, uint256 credits, uint256 assets);
    event Redeemed(
        address indexed token, address indexed holder, address indexed receiver, uint256 credits, uint256 assets
    );
    /// @notice One token of one batch: what was burned (credits), its backing, and how the backing was split (assets).
    event Settled(
        address indexed token,
        address indexed gateway,
        uint64 indexed batchId,
        uint256 burned,
        uint256 backing,
        uint256 paid,
        uint256 margin
    );
    /// @notice `assets` were added to what the vault owes `provider`; `shortfall` is what the backing did not cover.
    event ProviderCredited(
        uint32 indexed provider, address indexed token, uint64 batchId, uint256 assets, uint256 shortfall
    );
    event ProviderWithdrawn(uint32 indexed provider, address indexed payout, uint256 claim, uint256 assets);
    event MarginWithdrawn(address indexed token, address indexed feeRecipient, uint256 claim, uint256 assets);
    event Swept(address indexed receiver, uint256 assets);
    event Retired(address indexed token, address indexed by);
    event TermsTightened(address indexed token, address indexed by, uint128 mintCap, uint128 payoutCap);
    event ProviderRemoved(address indexed token, uint32 indexed provider, address indexed by);
    event ProviderAdded(address indexed token, uint32 indexed provider);
    event LooseningProposed(
        address indexed token, uint128 mintCap, uint128 payoutCap, uint32[] providers, uint40 readyAt
    );
    event Loosened(address indexed token, uint128 mintCap, uint128 payoutCap);
    event ListMemberChanged(address indexed token, address indexed member, bool listed);
    event EscrowSet(address indexed escrow);

    function ASSET() external view returns (IERC20);
    function EXIT_DELAY() external view returns (uint40);
    function escrow() external view returns (address);

    /// @notice Once, by the deployer's role: the escrow whose batches this vault settles.
    function setEscrow(address escrow_) external;

    /// @notice Opens a project and deploys its credit token by CREATE2 under the salt hash(issuer, index).
    /// @dev Holders of the credits trust: the asset's issuer; the gateways they sign vouchers for, up to what they signed;
    ///     the quorum of reporters, for what a call costs. They need not trust the project's issuer with the reserve.
    function openProject(Terms calldata terms) external returns (address token);

    /// @notice Mints `credits` to `to` against their par, taken from the caller by approval. Rounds up.
    /// @return assets What was taken, asset base units.
    function mint(address token, uint256 credits, uint256 maxAssets, address to) external returns (uint256 assets);

    /// @notice Mints to `to` as many credits as the authorized assets pay for, rounded down; anyone may relay it. Where mint
    ///     is not public the payer is the issuer.
    /// @dev The signed nonce is `mintNonce(token, payer, to, minCredits, salt)`, so a relayer can redirect nothing.
    /// @return credits What was minted, at least `minCredits`.
    function mintWithAuthorization(
        address token,
        address to,
        uint256 minCredits,
        bytes32 salt,
        AssetAuthorization calldata authorization
    ) external returns (uint256 credits);

    /// @notice Escrow only: as `mintWithAuthorization`, to the escrow, which computed the nonce from the account to credit.
    function mintToEscrow(address token, bytes32 nonce, AssetAuthorization calldata authorization)
        external
        returns (uint256 credits);

    /// @notice Burns `credits` of the caller and pays their par to `receiver`. Rounds down; never paused.
    function redeem(address token, uint256 credits, uint256 minAssets, address receiver)
        external
        returns (uint256 assets);

    /// @notice Escrow only: burns `burned` credits that the escrow holds and splits their backing.
    /// @param usage Packed (uint32 provider, uint32 sku, uint32 priceVersion, uint128 quantity), 28 bytes each, providers
    ///     ascending.
    /// @param requests How many receipts the batch holds for this token: one nanocredit of rounding each (S5).
    function settle(
        address token,
        address gateway,
        uint64 batchId,
        uint256 burned,
        bytes calldata usage,
        uint24 requests
    ) external;

    /// @notice Pays what is owed to a provider to its payout address. Anyone may send it, but while the vault holds less
    ///     than all claims only the payout address itself, which then accepts `minAssets`.
    function withdrawOwed(uint32 provider, uint256 minAssets) external returns (uint256 assets);

    /// @notice Pays a project's margin to its fee recipient, who alone may send it.
    function withdrawMargin(address token, uint256 minAssets) external returns (uint256 assets);

    /// @notice Sends what the vault holds beyond all claims to `receiver`, for whom the authority lets.
    function sweep(address receiver) external returns (uint256 assets);

    /// @notice Issuer or guardian: no mint and no deposit from now on; settlement ends two exit delays later; redeem never.
    function retire(address token) external;

    /// @notice Issuer or guardian, at once for all that is new. A cap above the present one reverts. Drops a pending
    ///     loosening. By the guardian settlement keeps the payout cap at once; by the issuer one exit delay later, until
    ///     when the issuer cannot lower it again.
    function tightenCaps(address token, uint128 mintCap, uint128 payoutCap) external;

    /// @notice Issuer or guardian: `hasProvider` says no at once. Drops a pending loosening. By the guardian usage of this
    ///     provider settles no longer, also where the issuer removed it before; by the issuer it does for one exit delay more.
    function removeProvider(address token, uint32 provider) external;

    /// @notice Issuer: new caps and added providers, in force when `applyLoosening` is called two exit delays later.
    ///     A day after that it lapses. A cap below the present one reverts; providers are checked now and when applied.
    function proposeLoosening(address token, uint128 mintCap, uint128 payoutCap, uint32[] calldata providers) external;
    function applyLoosening(address token) external;

    /// @notice The issuer adds to the transfer list, at its own risk; issuer or guardian takes off it. Both act at once.
    function setListMember(address token, address member, bool listed) external;

    function projectOf(address token) external view returns (Project memory);
    /// @notice Whether the provider is in the terms. Usage of one that the issuer removed settles for an exit delay more.
    function hasProvider(address token, uint32 provider) external view returns (bool);
    function isListed(address token, address member) external view returns (bool);
    /// @notice Whether the vault opened this token.
    function isProject(address token) external view returns (bool);
    /// @notice Whether deposits into the escrow are taken: opened here and not retired.
    function acceptsDeposits(address token) external view returns (bool);
    /// @notice Asset base units owed to a provider over all projects.
    function owedTo(uint32 provider) external view returns (uint256);
    /// @notice S2's right side: the sum of reserves, margins and what is owed.
    function totalClaims() external view returns (uint256);
    /// @notice Asset base units for `credits`, as mint would take them.
    function previewMint(address token, uint256 credits) external view returns (uint256 assets);
    /// @notice The EIP-3009 nonce that binds an authorization of the asset to one mint:
    ///     keccak256(abi.encode(keccak256("MinteryMint"), token, payer, to, minCredits, salt)).
    function mintNonce(address token, address payer, address to, uint256 minCredits, bytes32 salt)
        external
        pure
        returns (bytes32);
    /// @notice Asset base units for `credits`, as redeem would pay them now, after any haircut.
    function previewRedeem(address token, uint256 credits) external view returns (uint256 assets);
    /// @notice Credits that may still be minted in this UTC day.
    function mintRoom(address token) external view returns (uint256 credits);
    /// @notice Asset base units that a gateway may let its batches take in this UTC day, by the present payout cap; for an
    ///     exit delay after the issuer lowered it, settlement itself still takes the earlier one.
    function payoutRoom(address token, address gateway) external view returns (uint256 assets);
    /// @notice Projects opened by an issuer so far: the next one's salt index.
    function projectCount(address issuer) external view returns (uint256);
}
