// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IPriceOracle} from "./interfaces/IPriceOracle.sol";
import {BackingMath} from "./libraries/BackingMath.sol";
import {Medians} from "./libraries/Medians.sol";
import {PriceBounds} from "./libraries/PriceBounds.sol";
import {PriceVectors} from "./libraries/PriceVectors.sol";

/// @title What one unit of each SKU costs, by quorum.
/// @dev A report moves a SKU only when `quorum` of its vectors name it. What moves too far waits in the SKU's queue, which
///     holds one price. The chain's clock is the only clock.
contract PriceOracle is IPriceOracle, AccessManaged, EIP712 {
    using Medians for uint256[];
    using PriceBounds for uint256;
    using PriceVectors for bytes;
    using SafeCast for uint256;

    struct Sku {
        /// @dev The version in force, 0 for none.
        uint32 version;
        uint40 refreshedAt;
        /// @dev The last epoch that gave it a median.
        uint32 takenEpoch;
        QueuedPrice queued;
    }

    bytes32 private constant REPORT_TYPE_HASH =
        keccak256("PriceReport(bytes32 configDigest,uint32 epoch,uint40 observedAt,bytes changed,bytes unchanged)");
    uint32 private constant ASSET_USD = 0;
    /// @dev 0.98 USD.
    uint128 private constant PAR_FLOOR = 0.98e18;
    /// @dev A superseded version settles for so long, and bounds the next move for so long.
    uint40 private constant WINDOW = 24 hours;
    /// @dev Versions looked back on for the trailing bound: a day of five-minute epochs. A SKU that changed more often
    ///     queues its move, so the loop is bounded and never passes a price by looking away.
    uint256 private constant MAX_VERSIONS_IN_WINDOW = 288;
    /// @dev Medians are sorted by insertion.
    uint256 private constant MAX_REPORTERS = 31;

    /// @inheritdoc IPriceOracle
    uint40 public immutable EPOCH_LENGTH;
    /// @inheritdoc IPriceOracle
    uint40 public immutable QUEUE_DELAY;

    /// @inheritdoc IPriceOracle
    uint8 public quorum;
    /// @inheritdoc IPriceOracle
    uint32 public lastEpoch;
    bool private _depegDeclared;
    /// @dev h' = keccak256(abi.encode(h, name)) for every SKU added, from 0.
    bytes32 private _namesHash;
    address[] private _reporters;
    string[] private _names;
    mapping(bytes32 nameHash => uint256 skuPlusOne) private _skuPlusOne;
    mapping(uint32 sku => Sku) private _skus;
    mapping(uint32 sku => mapping(uint32 version => Price)) private _prices;

    /// @param epochLength Seconds; at most one report is taken in each epoch.
    /// @param queueDelay Seconds that a first or leaping price waits.
    /// @param authority The AccessManager that says who adds SKUs, replaces reporters and guards.
    constructor(address[] memory reporters_, uint8 quorum_, uint40 epochLength, uint40 queueDelay, address authority)
        AccessManaged(authority)
        EIP712("Mintery Prices", "1")
    {
        if (epochLength == 0) revert ZeroEpochLength();
        EPOCH_LENGTH = epochLength;
        QUEUE_DELAY = queueDelay;
        _addSku("asset:usd");
        _setReporters(reporters_, quorum_);
    }

    // What a report is about

    /// @inheritdoc IPriceOracle
    function addSku(string calldata name) external restricted returns (uint32 sku) {
        return _addSku(name);
    }

    function _addSku(string memory name) private returns (uint32 sku) {
        if (bytes(name).length == 0) revert EmptySkuName();
        bytes32 nameHash = keccak256(bytes(name));
        if (_skuPlusOne[nameHash] != 0) revert SkuTaken(name, (_skuPlusOne[nameHash] - 1).toUint32());

        sku = _names.length.toUint32();
        _names.push(name);
        _skuPlusOne[nameHash] = _names.length;
        _namesHash = keccak256(abi.encode(_namesHash, name));
        emit SkuAdded(sku, name);
    }

    /// @inheritdoc IPriceOracle
    function setReporters(address[] calldata reporters_, uint8 quorum_) external restricted {
        _setReporters(reporters_, quorum_);
    }

    function _setReporters(address[] memory reporters_, uint8 quorum_) private {
        uint256 count = reporters_.length;
        // f of count reporters may lie: count >= 3f + 1. No set that would trust a single one is taken.
        uint256 liars = count == 0 ? 0 : BackingMath.entriesDown(count - 1, 3);
        bool live = quorum_ + liars <= count;
        if (liars == 0 || count > MAX_REPORTERS || !live || quorum_ < 2 * liars + 1 || quorum_ % 2 == 0) {
            revert InvalidQuorum(count, quorum_);
        }
        address previous;
        for (uint256 i; i < count; ++i) {
            if (reporters_[i] <= previous) revert ReportersNotAscending(previous, reporters_[i]);
            previous = reporters_[i];
        }
        (_reporters, quorum) = (reporters_, quorum_);
        emit ReportersChanged(reporters_, quorum_, configDigest());
    }

    // Reports

    /// @inheritdoc IPriceOracle
    /// @dev An epoch is used up SKU by SKU: else whoever sends first, with one reporter's empty vector to make up the
    ///     quorum, would leave every SKU without a report in every epoch.
    function report(PriceReport[] calldata reports) external {
        uint32 epoch = _checkReports(reports);
        bool isNew = epoch > lastEpoch;
        lastEpoch = epoch;

        uint256[] memory votes = new uint256[](reports.length);
        uint256[] memory cursors = new uint256[](reports.length);
        uint32 count = skuCount();
        for (uint32 sku; sku < count; ++sku) {
            uint256 voters = _collect(reports, sku, votes, cursors);
            if (voters < quorum || _skus[sku].takenEpoch >= epoch) continue;
            _take(sku, votes.lowerMedian(voters).toUint128(), epoch);
            isNew = true;
        }
        if (!isNew) revert EpochAlreadyReported(epoch, epoch);
        emit EpochReported(epoch, reports.length);
    }

    /// @return epoch The one epoch of all vectors.
    function _checkReports(PriceReport[] calldata reports) private view returns (uint32 epoch) {
        if (reports.length < quorum) revert QuorumTooSmall(reports.length, quorum);
        epoch = reports[0].epoch;
        uint32 current = BackingMath.epochDown(block.timestamp, EPOCH_LENGTH).toUint32();
        // An older vector is dead: nobody can save prices up and send them when they have become wrong.
        if (epoch > current || epoch + 1 < current) revert WrongEpoch(epoch, current);
        if (epoch < lastEpoch) revert EpochAlreadyReported(epoch, lastEpoch);

        bytes32 config = configDigest();
        address[] memory known = _reporters;
        uint256 skus = _names.length;
        address previous;
        uint256 next;
        for (uint256 i; i < reports.length; ++i) {
            PriceReport calldata vector = reports[i];
            if (vector.epoch != epoch) revert WrongEpoch(vector.epoch, epoch);
            if (BackingMath.epochDown(vector.observedAt, EPOCH_LENGTH) != epoch || vector.observedAt > block.timestamp)
            {
                revert ObservedOutsideEpoch(vector.observedAt, epoch);
            }

            address signer = _signerOf(vector, config);
            if (signer <= previous && signer != address(0)) revert ReportersNotAscending(previous, signer);
            // Both lists ascend, so one pass over the reporters finds every signer.
            while (next < known.length && known[next] < signer) ++next;
            if (next == known.length || known[next] != signer) revert NotReporter(signer);
            previous = signer;

            PriceVectors.check(vector.changed, vector.unchanged, skus);
        }
    }

    /// @return signer Zero when the signature is no one's.
    function _signerOf(PriceReport calldata vector, bytes32 config) private view returns (address signer) {
        bytes32 digest = _digest(config, vector.epoch, vector.observedAt, vector.changed, vector.unchanged);
        (signer,,) = ECDSA.tryRecover(digest, vector.r, vector.vs);
    }

    /// @dev Fills the front of `votes` with the prices that the vectors give a SKU, in 1e-18 USD per unit.
    /// @param cursors For each vector, the offset of its first price not passed yet: SKUs are asked for in order.
    /// @return voters How many votes there are.
    function _collect(PriceReport[] calldata reports, uint32 sku, uint256[] memory votes, uint256[] memory cursors)
        private
        view
        returns (uint256 voters)
    {
        for (uint256 i; i < reports.length; ++i) {
            PriceReport calldata vector = reports[i];
            uint256 cursor = cursors[i];
            if (cursor < vector.changed.length && vector.changed.skuAt(cursor) == sku) {
                votes[voters++] = vector.changed.usdWadAt(cursor);
                cursors[i] = cursor + PriceVectors.ENTRY_BYTES;
            } else if (vector.unchanged.isSet(sku)) {
                Price storage inForce = _inForce(sku);
                // A reporter who looked before this price came into force meant the one before it.
                if (inForce.usdWad != 0 && inForce.since <= vector.observedAt) votes[voters++] = inForce.usdWad;
            }
        }
    }

    /// @dev One median's way: into force, into the queue, or into force from the queue.
    function _take(uint32 sku, uint128 median, uint32 epoch) private {
        Sku storage state = _skus[sku];
        uint128 inForce = _inForce(sku).usdWad;
        uint128 waiting = state.queued.usdWad;
        state.takenEpoch = epoch;

        if (median == inForce || !_mustWait(sku, median, inForce)) {
            if (waiting != 0) {
                delete state.queued;
                emit PriceDequeued(sku, waiting);
            }
            _apply(sku, median, inForce);
        } else if (waiting == 0 || !uint256(median).confirms(waiting)) {
            state.queued = QueuedPrice(median, _now(), epoch);
            emit PriceQueued(sku, median, inForce);
        } else if (_now() >= state.queued.since + QUEUE_DELAY) {
            // An epoch is taken once for each SKU, so this is the second one.
            delete state.queued;
            _apply(sku, median, inForce);
        }
    }

    /// @dev An unchanged price makes no version.
    function _apply(uint32 sku, uint128 median, uint128 inForce) private {
        Sku storage state = _skus[sku];
        state.refreshedAt = _now();
        if (median == inForce) return;

        uint32 version = state.version + 1;
        if (version > 1) _prices[sku][version - 1].supersededAt = _now();
        _prices[sku][version] = Price(median, _now(), 0);
        state.version = version;
        emit PriceInForce(sku, version, median);
    }

    /// @dev Whether this is a first price, leaps from the one in force, or drifts from any in force in the trailing window.
    ///     A depeg stops mint at once however deep it is; only the way back waits.
    function _mustWait(uint32 sku, uint256 median, uint256 inForce) private view returns (bool) {
        if (sku == ASSET_USD && median < PAR_FLOOR) return false;
        if (inForce == 0 || median.leapsFrom(inForce)) return true;

        uint32 version = _skus[sku].version - 1;
        for (uint256 seen; version > 0; --version) {
            Price storage earlier = _prices[sku][version];
            if (earlier.supersededAt + WINDOW < block.timestamp) return false;
            if (++seen > MAX_VERSIONS_IN_WINDOW || median.driftsFrom(earlier.usdWad)) return true;
        }
        return false;
    }

    // Guardian

    /// @inheritdoc IPriceOracle
    function vetoPrice(uint32 sku) external restricted {
        uint128 waiting = _skus[sku].queued.usdWad;
        if (waiting == 0) revert NothingQueued(sku);

        delete _skus[sku].queued;
        emit PriceVetoed(sku, waiting);
    }

    /// @inheritdoc IPriceOracle
    function declareDepeg() external restricted {
        _depegDeclared = true;
        emit DepegDeclared(true);
    }

    /// @inheritdoc IPriceOracle
    function withdrawDepeg() external restricted {
        _depegDeclared = false;
        emit DepegDeclared(false);
    }

    // Views

    /// @inheritdoc IPriceOracle
    function configDigest() public view returns (bytes32) {
        return keccak256(abi.encode(_namesHash, _reporters, quorum));
    }

    /// @inheritdoc IPriceOracle
    function reportDigest(uint32 epoch, uint40 observedAt, bytes calldata changed, bytes calldata unchanged)
        external
        view
        returns (bytes32)
    {
        return _digest(configDigest(), epoch, observedAt, changed, unchanged);
    }

    /// @inheritdoc IPriceOracle
    function currentPrice(uint32 sku) external view returns (uint32 version, uint128 usdWad) {
        _requireSku(sku);
        return (_skus[sku].version, _inForce(sku).usdWad);
    }

    /// @inheritdoc IPriceOracle
    function settlementPrice(uint32 sku, uint32 version) external view returns (uint128 usdWad) {
        Price storage price = _prices[sku][version];
        usdWad = price.usdWad;
        if (usdWad == 0) revert UnknownPriceVersion(sku, version);
        uint40 supersededAt = price.supersededAt;
        if (supersededAt != 0 && block.timestamp > supersededAt + WINDOW) {
            revert PriceVersionExpired(sku, version, supersededAt);
        }
    }

    /// @inheritdoc IPriceOracle
    function priceOf(uint32 sku, uint32 version) external view returns (Price memory price) {
        price = _prices[sku][version];
        if (price.usdWad == 0) revert UnknownPriceVersion(sku, version);
    }

    /// @inheritdoc IPriceOracle
    function queuedPriceOf(uint32 sku) external view returns (QueuedPrice memory) {
        _requireSku(sku);
        return _skus[sku].queued;
    }

    /// @inheritdoc IPriceOracle
    function refreshedAt(uint32 sku) external view returns (uint40) {
        _requireSku(sku);
        return _skus[sku].refreshedAt;
    }

    /// @inheritdoc IPriceOracle
    /// @dev No price yet is no depeg.
    function depegged() external view returns (bool) {
        uint128 usdWad = _inForce(ASSET_USD).usdWad;
        return _depegDeclared || (usdWad != 0 && usdWad < PAR_FLOOR);
    }

    /// @inheritdoc IPriceOracle
    function skuCount() public view returns (uint32) {
        return _names.length.toUint32();
    }

    /// @inheritdoc IPriceOracle
    function skuName(uint32 sku) external view returns (string memory) {
        _requireSku(sku);
        return _names[sku];
    }

    /// @inheritdoc IPriceOracle
    function skuOf(string calldata name) external view returns (bool found, uint32 sku) {
        uint256 skuPlusOne = _skuPlusOne[keccak256(bytes(name))];
        return skuPlusOne == 0 ? (false, 0) : (true, (skuPlusOne - 1).toUint32());
    }

    /// @inheritdoc IPriceOracle
    function reporters() external view returns (address[] memory) {
        return _reporters;
    }

    // Shared

    /// @dev Version 0 is never stored: a SKU without a price reads as price 0.
    function _inForce(uint32 sku) private view returns (Price storage) {
        return _prices[sku][_skus[sku].version];
    }

    function _digest(bytes32 config, uint32 epoch, uint40 observedAt, bytes calldata changed, bytes calldata unchanged)
        private
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(
            keccak256(abi.encode(REPORT_TYPE_HASH, config, epoch, observedAt, keccak256(changed), keccak256(unchanged)))
        );
    }

    function _requireSku(uint32 sku) private view {
        if (sku >= _names.length) revert UnknownSku(sku);
    }

    function _now() private view returns (uint40) {
        return uint40(block.timestamp);
    }
}
