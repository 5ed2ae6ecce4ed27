// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {CreditTokenDeployer} from "./CreditTokenDeployer.sol";
import {IProviderRegistry, Kind} from "./interfaces/IProviderRegistry.sol";
import {IReserveVault} from "./interfaces/IReserveVault.sol";

/// @title What each project is, and who may change that, how fast.
/// @dev Tightening (by issuer or guardian) acts at once on everything new and drops whatever loosening is pending, else an
///     old proposal could undo it in the next block. Settlement feels the issuer's an exit delay later: an issuer who spends
///     as a holder could else stop the settlement and exit with what it spent. Loosening is the issuer's and waits two exit
///     delays, so every holder can leave first.
abstract contract ProjectTerms is IReserveVault, AccessManaged {
    /// @dev Packed for settlement, which reads the first three slots, and the last while the issuer's lower cap is pending.
    struct StoredProject {
        // 0 when there is no such project.
        uint64 par;
        uint16 markupBps;
        Kind kind;
        uint40 retiredAt;
        uint128 payoutCap;
        uint128 reserve;
        uint128 margin;
        address feeRecipient;
        // The 24 h window in which the supply last changed.
        uint32 supplyWindow;
        bool publicMint;
        bool allowlist;
        // Unix seconds before which settlement goes by `earlierPayoutCap`.
        uint40 earlierCapUntil;
        uint128 mintCap;
        // Credits (18 decimals) when that window began.
        uint128 supplyAtWindowStart;
        address issuer;
        uint128 earlierPayoutCap;
    }

    struct Loosening {
        uint128 mintCap;
        uint128 payoutCap;
        // Unix seconds from which it may be applied, 0 when none is proposed.
        uint40 readyAt;
        uint32[] providers;
    }

    uint256 private constant LEAST_PAR = 1e3;
    uint256 private constant MOST_PAR = 1e9;
    /// @dev How long a loosening may be applied once it is ready. One that never lapsed could be kept in store and applied
    ///     at once on holders who came after it was announced.
    uint40 private constant LOOSENING_LIFE = 1 days;
    uint40 private constant LISTED = type(uint40).max;

    IProviderRegistry public immutable REGISTRY;
    CreditTokenDeployer public immutable TOKEN_DEPLOYER;
    /// @inheritdoc IReserveVault
    uint40 public immutable EXIT_DELAY;

    /// @inheritdoc IReserveVault
    mapping(address issuer => uint256) public projectCount;
    /// @inheritdoc IReserveVault
    mapping(address token => mapping(address member => bool)) public isListed;
    /// @dev Unix seconds before which a provider's usage settles: LISTED, the end of its last exit delay, or 0 for never.
    ///     Only ids whose kind is the project's get in, and a kind never changes: settlement need not ask the registry.
    mapping(address token => mapping(uint32 provider => uint40)) private _settlesUntil;
    mapping(address token => Loosening) private _loosenings;
    mapping(address token => StoredProject) private _projects;

    constructor(IProviderRegistry registry, uint40 exitDelay) {
        REGISTRY = registry;
        EXIT_DELAY = exitDelay;
        TOKEN_DEPLOYER = new CreditTokenDeployer();
    }

    /// @inheritdoc IReserveVault
    function openProject(Terms calldata terms) external returns (address token) {
        if (bytes(terms.name).length == 0 || bytes(terms.symbol).length == 0) revert EmptyName();
        if (terms.par < LEAST_PAR || terms.par > MOST_PAR) revert ParOutOfRange(terms.par, LEAST_PAR, MOST_PAR);
        if (terms.kind == Kind.Official && terms.markupBps != 0) revert MarkupOnOfficialProject(terms.markupBps);
        if (terms.feeRecipient == address(0)) revert ZeroFeeRecipient();
        _checkProviders(terms.providers, terms.kind);

        bytes32 salt = keccak256(abi.encode(msg.sender, projectCount[msg.sender]++));
        token = address(TOKEN_DEPLOYER.deploy(salt, terms.name, terms.symbol, terms.allowlist));

        StoredProject storage project = _projects[token];
        project.issuer = msg.sender;
        project.feeRecipient = terms.feeRecipient;
        project.par = terms.par;
        project.markupBps = terms.markupBps;
        project.kind = terms.kind;
        project.publicMint = terms.publicMint;
        project.allowlist = terms.allowlist;
        project.mintCap = terms.mintCap;
        project.payoutCap = terms.payoutCap;
        for (uint256 i = 0; i < terms.providers.length; ++i) {
            _settlesUntil[token][terms.providers[i]] = LISTED;
        }
        emit ProjectOpened(token, msg.sender, terms);
    }

    /// @inheritdoc IReserveVault
    function retire(address token) external {
        StoredProject storage project = _projectTightenedBySender(token);
        if (project.retiredAt != 0) revert ProjectRetired(token, project.retiredAt);
        project.retiredAt = uint40(block.timestamp);
        emit Retired(token, msg.sender);
    }

    /// @inheritdoc IReserveVault
    /// @dev One lowering of the payout cap is pending at a time. A second would have to bind sooner than an exit delay, which
    ///     strands what was taken on in between, or keep the earlier cap alive for longer.
    function tightenCaps(address token, uint128 mintCap, uint128 payoutCap) external {
        StoredProject storage project = _projectTightenedBySender(token);
        uint128 earlierCap = project.payoutCap;
        if (mintCap > project.mintCap) revert CapNotLower(mintCap, project.mintCap);
        if (payoutCap > earlierCap) revert CapNotLower(payoutCap, earlierCap);
        if (msg.sender != project.issuer) {
            project.earlierCapUntil = 0;
        } else if (payoutCap < earlierCap) {
            uint40 until = project.earlierCapUntil;
            if (block.timestamp < until) revert TighteningPending(until);
            project.earlierPayoutCap = earlierCap;
            project.earlierCapUntil = uint40(block.timestamp) + EXIT_DELAY;
        }
        project.mintCap = mintCap;
        project.payoutCap = payoutCap;
        delete _loosenings[token];
        emit TermsTightened(token, msg.sender, mintCap, payoutCap);
    }

    /// @inheritdoc IReserveVault
    function removeProvider(address token, uint32 provider) external {
        bool byIssuer = msg.sender == _projectTightenedBySender(token).issuer;
        if (!(byIssuer ? hasProvider(token, provider) : _settles(token, provider))) {
            revert ProviderNotInTerms(token, provider);
        }
        _settlesUntil[token][provider] = byIssuer ? uint40(block.timestamp) + EXIT_DELAY : 0;
        delete _loosenings[token];
        emit ProviderRemoved(token, provider, msg.sender);
    }

    /// @inheritdoc IReserveVault
    /// @dev Caps only rise: one lowered on application would bind settlement without an exit delay. Tightening drops the
    ///     proposal, so they are no lower then either.
    function proposeLoosening(address token, uint128 mintCap, uint128 payoutCap, uint32[] calldata providers) external {
        StoredProject storage project = _projectOfIssuer(token);
        if (mintCap < project.mintCap) revert CapNotHigher(mintCap, project.mintCap);
        if (payoutCap < project.payoutCap) revert CapNotHigher(payoutCap, project.payoutCap);
        _checkProviders(providers, project.kind);
        uint40 readyAt = uint40(block.timestamp) + 2 * EXIT_DELAY;
        _loosenings[token] = Loosening(mintCap, payoutCap, readyAt, providers);
        emit LooseningProposed(token, mintCap, payoutCap, providers, readyAt);
    }

    /// @inheritdoc IReserveVault
    /// @dev A pending lower cap or removal has long taken effect: what is applied was proposed after it, two exit delays ago.
    function applyLoosening(address token) external {
        StoredProject storage project = _projectOfIssuer(token);
        Loosening memory loosening = _loosenings[token];
        if (loosening.readyAt == 0 || block.timestamp > loosening.readyAt + LOOSENING_LIFE) {
            revert NoLooseningProposed(token);
        }
        if (block.timestamp < loosening.readyAt) revert LooseningNotReady(uint40(block.timestamp), loosening.readyAt);
        _checkProviders(loosening.providers, project.kind);
        delete _loosenings[token];

        project.mintCap = loosening.mintCap;
        project.payoutCap = loosening.payoutCap;
        emit Loosened(token, loosening.mintCap, loosening.payoutCap);
        for (uint256 i = 0; i < loosening.providers.length; ++i) {
            _settlesUntil[token][loosening.providers[i]] = LISTED;
            emit ProviderAdded(token, loosening.providers[i]);
        }
    }

    /// @inheritdoc IReserveVault
    function setListMember(address token, address member, bool listed) external {
        if (listed) _projectOfIssuer(token);
        else _projectTightenedBySender(token);
        isListed[token][member] = listed;
        emit ListMemberChanged(token, member, listed);
    }

    /// @inheritdoc IReserveVault
    function projectOf(address token) external view returns (Project memory) {
        StoredProject storage project = _project(token);
        return Project({
            issuer: project.issuer,
            feeRecipient: project.feeRecipient,
            par: project.par,
            markupBps: project.markupBps,
            kind: project.kind,
            publicMint: project.publicMint,
            allowlist: project.allowlist,
            retiredAt: project.retiredAt,
            reserve: project.reserve,
            margin: project.margin,
            mintCap: project.mintCap,
            payoutCap: project.payoutCap
        });
    }

    /// @inheritdoc IReserveVault
    function hasProvider(address token, uint32 provider) public view returns (bool) {
        return _settlesUntil[token][provider] == LISTED;
    }

    /// @inheritdoc IReserveVault
    function isProject(address token) external view returns (bool) {
        return _projects[token].par != 0;
    }

    /// @inheritdoc IReserveVault
    function acceptsDeposits(address token) external view returns (bool) {
        return _projects[token].par != 0 && _projects[token].retiredAt == 0;
    }

    function _project(address token) internal view returns (StoredProject storage project) {
        project = _projects[token];
        if (project.par == 0) revert UnknownProject(token);
    }

    /// @dev Whether usage of the provider is settled now; for an exit delay after the issuer removed it, it still is.
    function _settles(address token, uint32 provider) internal view returns (bool) {
        return block.timestamp < _settlesUntil[token][provider];
    }

    /// @dev The payout cap that settlement keeps now; for an exit delay after the issuer lowered it, the earlier one.
    function _settlingCap(StoredProject storage project) internal view returns (uint128) {
        return block.timestamp < project.earlierCapUntil ? project.earlierPayoutCap : project.payoutCap;
    }

    function _projectOfIssuer(address token) private view returns (StoredProject storage project) {
        project = _project(token);
        if (msg.sender != project.issuer) revert NotIssuer(msg.sender, project.issuer);
    }

    /// @dev A guardian is whom the authority lets call the present function without delay.
    function _projectTightenedBySender(address token) private view returns (StoredProject storage project) {
        project = _project(token);
        if (msg.sender == project.issuer) return project;
        (bool immediate,) = IAccessManager(authority()).canCall(msg.sender, address(this), msg.sig);
        if (!immediate) revert NotIssuerOrGuardian(msg.sender);
    }

    /// @dev Settlement reads neither flag: what was called before a provider lost one is still paid.
    function _checkProviders(uint32[] memory providers, Kind kind) private view {
        for (uint256 i = 0; i < providers.length; ++i) {
            IProviderRegistry.Provider memory provider = REGISTRY.providerOf(providers[i]);
            if (provider.kind != kind) revert ProviderKindMismatch(providers[i], provider.kind, kind);
            if (!provider.active) revert ProviderInactive(providers[i]);
            if (kind == Kind.Routed && !provider.resaleAllowed) revert ResaleForbidden(providers[i]);
        }
    }
}
