// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ProjectTerms} from "./ProjectTerms.sol";
import {IAuthorizations} from "./interfaces/IAuthorizations.sol";
import {ICreditToken} from "./interfaces/ICreditToken.sol";
import {IPriceOracle} from "./interfaces/IPriceOracle.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {IReserveVault} from "./interfaces/IReserveVault.sol";
import {BackingMath} from "./libraries/BackingMath.sol";
import {WalletSignatures} from "./libraries/WalletSignatures.sol";

/// @title Holds one asset for every project; mints credits against it, redeems them and pays providers.
/// @dev `totalClaims` is the sum of every reserve, every margin and all that is owed (S2). Settlement moves claims between
///     the three and so leaves the sum alone.
contract ReserveVault is ProjectTerms, ReentrancyGuardTransient {
    using BackingMath for uint64;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    struct PayoutWindow {
        uint32 window;
        // Asset base units taken in that window.
        uint128 taken;
    }

    /// @dev What one provider is due in a batch.
    struct Due {
        uint32 provider;
        uint256 usdWad;
        uint256 assets;
    }

    /// @dev What a batch's usage costs.
    struct Bill {
        // One entry a provider in the first `count` places.
        Due[] dues;
        uint256 count;
        // Sum of what they are due, each rounded down.
        uint256 assets;
        // Cost of the whole usage, unrounded.
        uint256 usdWad;
    }

    uint8 private constant ASSET_DECIMALS = 6;
    uint256 private constant USAGE_WIDTH = 28;
    bytes32 private constant MINT_ACTION = keccak256("MinteryMint");
    /// @dev A ledger counts nanocredits in 63 bits.
    uint256 private constant SUPPLY_LIMIT = uint256(uint64(type(int64).max)) * BackingMath.NANOCREDIT;

    /// @inheritdoc IReserveVault
    IERC20 public immutable ASSET;
    IPriceOracle public immutable ORACLE;

    /// @inheritdoc IReserveVault
    address public escrow;
    /// @inheritdoc IReserveVault
    uint256 public totalClaims;
    /// @inheritdoc IReserveVault
    mapping(uint32 provider => uint256) public owedTo;
    mapping(address token => mapping(address gateway => PayoutWindow)) private _payoutWindows;

    constructor(IERC20 asset, IPriceOracle oracle, IProviderRegistry registry, uint40 exitDelay, address authority_)
        AccessManaged(authority_)
        ProjectTerms(registry, exitDelay)
    {
        uint8 decimals = IERC20Metadata(address(asset)).decimals();
        if (decimals != ASSET_DECIMALS) revert WrongAssetDecimals(decimals, ASSET_DECIMALS);
        ASSET = asset;
        ORACLE = oracle;
    }

    /// @inheritdoc IReserveVault
    function setEscrow(address escrow_) external restricted {
        if (escrow != address(0)) revert EscrowAlreadySet(escrow);
        escrow = escrow_;
        emit EscrowSet(escrow_);
    }

    /// @inheritdoc IReserveVault
    function mint(address token, uint256 credits, uint256 maxAssets, address to)
        external
        nonReentrant
        returns (uint256 assets)
    {
        assets = _project(token).par.toAssetsUp(credits);
        if (assets > maxAssets) revert CostAboveMaximum(assets, maxAssets);
        _bookMint(token, msg.sender, to, credits, assets);
        uint256 held = ASSET.balanceOf(address(this));
        ASSET.safeTransferFrom(msg.sender, address(this), assets);
        _issue(token, to, credits, held + assets);
    }

    /// @inheritdoc IReserveVault
    function mintWithAuthorization(
        address token,
        address to,
        uint256 minCredits,
        bytes32 salt,
        AssetAuthorization calldata authorization
    ) external nonReentrant returns (uint256 credits) {
        bytes32 nonce = mintNonce(token, authorization.payer, to, minCredits, salt);
        credits = _mintAuthorized(token, to, nonce, authorization);
        if (credits < minCredits) revert CreditsBelowMinimum(credits, minCredits);
    }

    /// @inheritdoc IReserveVault
    function mintToEscrow(address token, bytes32 nonce, AssetAuthorization calldata authorization)
        external
        nonReentrant
        returns (uint256 credits)
    {
        if (msg.sender != escrow) revert NotEscrow(msg.sender, escrow);
        credits = _mintAuthorized(token, msg.sender, nonce, authorization);
    }

    /// @inheritdoc IReserveVault
    /// @dev Asks nobody: no oracle, registry, role or window can refuse a redemption (S7).
    function redeem(address token, uint256 credits, uint256 minAssets, address receiver)
        external
        nonReentrant
        returns (uint256 assets)
    {
        if (credits == 0) revert ZeroCredits();
        if (receiver == address(0)) revert ZeroReceiver();
        StoredProject storage project = _project(token);
        _startSupplyWindow(project, token);

        uint256 claim = project.par.toAssetsDown(credits);
        assets = _takeClaim(claim, minAssets);
        project.reserve -= claim.toUint128();
        emit Redeemed(token, msg.sender, receiver, credits, assets);

        ICreditToken(token).burn(msg.sender, credits);
        ASSET.safeTransfer(receiver, assets);
    }

    /// @inheritdoc IReserveVault
    /// @dev Margin is what the burned credits' backing leaves after the providers: markup, and what rounding keeps. A
    ///     shortfall never reaches margin earned before.
    function settle(
        address token,
        address gateway,
        uint64 batchId,
        uint256 burned,
        bytes calldata usage,
        uint24 requests
    ) external nonReentrant {
        if (msg.sender != escrow) revert NotEscrow(msg.sender, escrow);
        StoredProject storage project = _project(token);
        (uint64 par, uint40 retiredAt) = (project.par, project.retiredAt);
        if (retiredAt != 0 && block.timestamp >= retiredAt + 2 * EXIT_DELAY) revert ProjectRetired(token, retiredAt);

        Bill memory bill = _priceUsage(token, usage);
        uint256 limit = BackingMath.burnLimitDown(bill.usdWad, par, project.markupBps, requests);
        if (burned > limit) revert OverBurn(burned, limit);

        uint256 backing = par.toAssetsDown(burned);
        _takePayout(token, gateway, backing, _settlingCap(project));
        _startSupplyWindow(project, token);

        uint256 paid = _creditProviders(token, batchId, bill, backing);
        project.reserve -= backing.toUint128();
        project.margin += (backing - paid).toUint128();
        emit Settled(token, gateway, batchId, burned, backing, paid, backing - paid);

        ICreditToken(token).burn(msg.sender, burned);
    }

    /// @inheritdoc IReserveVault
    /// @dev Only the payee may accept less than the claim: whoever else sends it cannot make a haircut final.
    function withdrawOwed(uint32 provider, uint256 minAssets) external nonReentrant returns (uint256 assets) {
        address payout = REGISTRY.payoutOf(provider);
        uint256 claim = owedTo[provider];
        if (claim == 0) revert NothingToWithdraw();

        assets = _takeClaim(claim, msg.sender == payout ? minAssets : claim);
        owedTo[provider] = 0;
        emit ProviderWithdrawn(provider, payout, claim, assets);

        ASSET.safeTransfer(payout, assets);
    }

    /// @inheritdoc IReserveVault
    function withdrawMargin(address token, uint256 minAssets) external nonReentrant returns (uint256 assets) {
        StoredProject storage project = _project(token);
        address feeRecipient = project.feeRecipient;
        if (msg.sender != feeRecipient) revert NotFeeRecipient(msg.sender, feeRecipient);
        uint256 claim = project.margin;
        if (claim == 0) revert NothingToWithdraw();

        assets = _takeClaim(claim, minAssets);
        project.margin = 0;
        emit MarginWithdrawn(token, feeRecipient, claim, assets);

        ASSET.safeTransfer(feeRecipient, assets);
    }

    /// @inheritdoc IReserveVault
    function sweep(address receiver) external restricted nonReentrant returns (uint256 assets) {
        if (receiver == address(0)) revert ZeroReceiver();
        uint256 balance = ASSET.balanceOf(address(this));
        if (balance <= totalClaims) revert NothingToSweep();
        assets = balance - totalClaims;
        emit Swept(receiver, assets);
        ASSET.safeTransfer(receiver, assets);
    }

    /// @inheritdoc IReserveVault
    function previewMint(address token, uint256 credits) external view returns (uint256 assets) {
        return _project(token).par.toAssetsUp(credits);
    }

    /// @inheritdoc IReserveVault
    function mintNonce(address token, address payer, address to, uint256 minCredits, bytes32 salt)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(MINT_ACTION, token, payer, to, minCredits, salt));
    }

    /// @inheritdoc IReserveVault
    function previewRedeem(address token, uint256 credits) external view returns (uint256 assets) {
        uint256 claim = _project(token).par.toAssetsDown(credits);
        return BackingMath.haircutDown(claim, ASSET.balanceOf(address(this)), totalClaims);
    }

    /// @inheritdoc IReserveVault
    function mintRoom(address token) external view returns (uint256 credits) {
        StoredProject storage project = _project(token);
        if (project.retiredAt != 0) return 0;
        uint256 supply = ICreditToken(token).totalSupply();
        uint256 start =
            project.supplyWindow == BackingMath.windowDown(block.timestamp) ? project.supplyAtWindowStart : supply;
        return Math.saturatingSub(Math.min(start + project.mintCap, SUPPLY_LIMIT), supply);
    }

    /// @inheritdoc IReserveVault
    function payoutRoom(address token, address gateway) external view returns (uint256 assets) {
        PayoutWindow memory current = _payoutWindows[token][gateway];
        uint256 taken = current.window == BackingMath.windowDown(block.timestamp) ? current.taken : 0;
        return Math.saturatingSub(_project(token).payoutCap, taken);
    }

    /// @dev All that a mint must pass, and its books. The cost is `assets`: par's, rounded up.
    function _bookMint(address token, address payer, address to, uint256 credits, uint256 assets) private {
        if (credits == 0) revert ZeroCredits();
        if (to == address(0)) revert ZeroReceiver();
        StoredProject storage project = _project(token);
        if (project.retiredAt != 0) revert ProjectRetired(token, project.retiredAt);
        if (!project.publicMint && payer != project.issuer) revert MintNotPublic(payer, project.issuer);
        if (ORACLE.depegged()) revert AssetDepegged();

        _startSupplyWindow(project, token);
        uint256 supplyAfter = ICreditToken(token).totalSupply() + credits;
        uint256 limit = uint256(project.supplyAtWindowStart) + project.mintCap;
        if (supplyAfter > limit) revert MintAboveCap(supplyAfter, limit);
        if (supplyAfter > SUPPLY_LIMIT) revert SupplyAboveLimit(supplyAfter, SUPPLY_LIMIT);

        project.reserve += assets.toUint128();
        totalClaims += assets;
        emit Minted(token, payer, to, credits, assets);
    }

    /// @dev The asset has arrived, whole, before the credits exist: a loss before or a fee on the way stops the mint. What
    ///     others gave the vault pays for neither, nor for an asset that takes an authorization it does not know in silence.
    /// @param expected What the vault held before the payment, and the payment; asset base units.
    function _issue(address token, address to, uint256 credits, uint256 expected) private {
        uint256 balance = ASSET.balanceOf(address(this));
        if (balance < totalClaims) revert Undercollateralised(balance, totalClaims);
        if (balance < expected) revert AssetsNotReceived(balance, expected);
        ICreditToken(token).mint(to, credits);
    }

    /// @param nonce Binds the payer's signature to what the caller does with it.
    function _mintAuthorized(address token, address to, bytes32 nonce, AssetAuthorization calldata signed)
        private
        returns (uint256 credits)
    {
        credits = _project(token).par.toCreditsDown(signed.assets);
        _bookMint(token, signed.payer, to, credits, signed.assets);
        uint256 held = ASSET.balanceOf(address(this));
        _receive(nonce, signed);
        _issue(token, to, credits, held + signed.assets);
    }

    /// @dev EIP-3009 knows signatures of EOAs alone; stablecoins that also ask contract wallets do so under this overload.
    function _receive(bytes32 nonce, AssetAuthorization calldata signed) private {
        IAuthorizations asset = IAuthorizations(address(ASSET));
        (address payer, uint256 assets) = (signed.payer, signed.assets);
        (uint256 validAfter, uint256 validBefore) = (signed.validAfter, signed.validBefore);
        bytes calldata signature = signed.signature;
        if (WalletSignatures.isWallet(payer)) {
            asset.receiveWithAuthorization(payer, address(this), assets, validAfter, validBefore, nonce, signature);
        } else {
            (uint8 v, bytes32 r, bytes32 s) = WalletSignatures.split(signature);
            asset.receiveWithAuthorization(payer, address(this), assets, validAfter, validBefore, nonce, v, r, s);
        }
    }

    /// @dev Before every change of the supply, so that the window's first sees what the supply was when the window began.
    function _startSupplyWindow(StoredProject storage project, address token) private {
        uint32 window = BackingMath.windowDown(block.timestamp);
        if (project.supplyWindow == window) return;
        project.supplyWindow = window;
        project.supplyAtWindowStart = ICreditToken(token).totalSupply().toUint128();
    }

    /// @dev The claim goes in full whatever it pays, so a loss is shared equally in any order.
    function _takeClaim(uint256 claim, uint256 minAssets) private returns (uint256 assets) {
        assets = BackingMath.haircutDown(claim, ASSET.balanceOf(address(this)), totalClaims);
        if (assets < minAssets) revert PayoutBelowMinimum(assets, minAssets);
        totalClaims -= claim;
    }

    /// @dev S8: what one gateway's batches take of a project in one window, for providers and margin alike. A window is a UTC
    ///     day, so a thief about midnight takes two.
    function _takePayout(address token, address gateway, uint256 backing, uint256 cap) private {
        PayoutWindow storage current = _payoutWindows[token][gateway];
        uint32 window = BackingMath.windowDown(block.timestamp);
        uint256 takenAfter = (current.window == window ? current.taken : 0) + backing;
        if (takenAfter > cap) revert PayoutAboveCap(takenAfter, cap);
        (current.window, current.taken) = (window, takenAfter.toUint128());
    }

    /// @dev Credits each provider its due, or its share rounded down of a backing that covers less.
    function _creditProviders(address token, uint64 batchId, Bill memory bill, uint256 backing)
        private
        returns (uint256 paid)
    {
        for (uint256 i = 0; i < bill.count; ++i) {
            (uint32 provider, uint256 full) = (bill.dues[i].provider, bill.dues[i].assets);
            uint256 assets = bill.assets > backing ? BackingMath.proRataDown(backing, full, bill.assets) : full;
            paid += assets;
            owedTo[provider] += assets;
            emit ProviderCredited(provider, token, batchId, assets, full - assets);
        }
    }

    // forge-lint: disable-start(unsafe-typecast)
    /// @dev Each cast cuts one field out of a packed entry.
    function _priceUsage(address token, bytes calldata usage) private view returns (Bill memory bill) {
        if (usage.length % USAGE_WIDTH != 0) revert MalformedUsage(usage.length);
        bill.dues = new Due[](BackingMath.entriesDown(usage.length, USAGE_WIDTH));
        Due memory due;
        for (uint256 offset = 0; offset < usage.length; offset += USAGE_WIDTH) {
            uint224 entry = uint224(bytes28(usage[offset:offset + USAGE_WIDTH]));
            uint32 provider = uint32(entry >> 192);
            if (offset == 0 || provider != due.provider) {
                if (provider < due.provider) revert UsageNotAscending(due.provider, provider);
                if (!_settles(token, provider)) revert ProviderNotInTerms(token, provider);
                due = bill.dues[bill.count++];
                due.provider = provider;
            }
            uint256 price = ORACLE.settlementPrice(uint32(entry >> 160), uint32(entry >> 128));
            due.usdWad += price * uint128(entry);
        }
        for (uint256 i = 0; i < bill.count; ++i) {
            due = bill.dues[i];
            due.assets = BackingMath.usdToAssetsDown(due.usdWad);
            bill.assets += due.assets;
            bill.usdWad += due.usdWad;
        }
    }

    // forge-lint: disable-end(unsafe-typecast)
}
