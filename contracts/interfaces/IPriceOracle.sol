// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title What one unit of each SKU costs, by quorum.
/// @notice Prices are 1e-18 USD per unit (`usdWad`). SKUs are numbered from 0 in the order they were added; number 0 is
///     `asset:usd`, the reserve asset itself. Versions of a SKU count from 1.
/// @dev A report is one reporter's signed vector. Every price is the median of what the quorum saw. A first price, and a
///     move beyond the bounds, waits in a queue for `QUEUE_DELAY`, needs a second epoch within 2 %, and can be vetoed. Only
///     the asset's own price never waits on its way below 0.98 USD: that tightens.
interface IPriceOracle {
    /// @notice One reporter's signed vector for one epoch.
    /// @dev EIP-712 `PriceReport(bytes32 configDigest,uint32 epoch,uint40 observedAt,bytes changed,bytes unchanged)` in
    ///     the domain {name: "Mintery Prices", version: "1", chainId, verifyingContract}.
    struct PriceReport {
        /// @dev block.timestamp / EPOCH_LENGTH when it was observed.
        uint32 epoch;
        /// @dev Unix seconds, inside the epoch.
        uint40 observedAt;
        /// @dev Packed (uint32 sku, uint128 usdWad), 20 bytes each, SKUs ascending: the prices that differ from those in force.
        bytes changed;
        /// @dev Bitmap over the SKUs, least significant bit of byte 0 is SKU 0: those seen at the price in force.
        bytes unchanged;
        bytes32 r;
        /// @dev EIP-2098: s with the parity in the top bit.
        bytes32 vs;
    }

    struct Price {
        /// @dev 1e-18 USD per unit.
        uint128 usdWad;
        /// @dev Unix seconds when it came into force.
        uint40 since;
        /// @dev Unix seconds when a later version replaced it, 0 while it is in force.
        uint40 supersededAt;
    }

    struct QueuedPrice {
        /// @dev 1e-18 USD per unit, 0 when nothing is queued.
        uint128 usdWad;
        /// @dev Unix seconds when it was queued.
        uint40 since;
        /// @dev The epoch that queued it; only a later one confirms it.
        uint32 epoch;
    }

    error WrongEpoch(uint32 actual, uint32 current);
    error EpochAlreadyReported(uint32 epoch, uint32 last);
    error ObservedOutsideEpoch(uint40 observedAt, uint32 epoch);
    error QuorumTooSmall(uint256 reports, uint256 quorum);
    error NotReporter(address signer);
    error ReportersNotAscending(address previous, address next);
    /// @notice Not N >= 3f+1 with f >= 1 and 2f+1 <= M <= N-f, M odd; or more than 31 reporters.
    error InvalidQuorum(uint256 reporters, uint256 quorum);
    error ZeroEpochLength();
    error SkusNotAscending(uint32 previous, uint32 next);
    error UnknownSku(uint32 sku);
    error EmptySkuName();
    error SkuTaken(string name, uint32 sku);
    error ZeroPrice(uint32 sku);
    error MalformedReport();
    error UnknownPriceVersion(uint32 sku, uint32 version);
    /// @notice The version was superseded more than 24 h ago and settles no longer.
    error PriceVersionExpired(uint32 sku, uint32 version, uint40 supersededAt);
    error NothingQueued(uint32 sku);

    event SkuAdded(uint32 indexed sku, string name);
    event ReportersChanged(address[] reporters, uint8 quorum, bytes32 configDigest);
    event PriceInForce(uint32 indexed sku, uint32 indexed version, uint128 usdWad);
    event PriceQueued(uint32 indexed sku, uint128 usdWad, uint128 inForce);
    event PriceVetoed(uint32 indexed sku, uint128 usdWad);
    event PriceDequeued(uint32 indexed sku, uint128 usdWad);
    event EpochReported(uint32 indexed epoch, uint256 reports);
    event DepegDeclared(bool declared);

    function EPOCH_LENGTH() external view returns (uint40);
    function QUEUE_DELAY() external view returns (uint40);

    /// @notice Adds a SKU by its name, `provider/model:unit`; SKUs are never removed.
    function addSku(string calldata name) external returns (uint32 sku);

    /// @notice Replaces the reporters, sorted by ascending address, and the quorum. N >= 3f+1, M >= 2f+1 and odd, so 4 to
    ///     6 reporters need 3.
    function setReporters(address[] calldata reporters, uint8 quorum) external;

    /// @notice Takes one vector of each of at least `quorum` reporters, sorted by ascending signer address, all of one epoch
    ///     no earlier than the last one taken: the present epoch or the one before it. Anyone may send it. Each SKU takes
    ///     an epoch once; a later report of the same epoch counts for the SKUs that the earlier ones left without a quorum,
    ///     and reverts where there are none.
    /// @dev A SKU moves only if `quorum` of these vectors name it. A bit in `unchanged` counts only for a price that was in
    ///     force when its reporter looked. One malformed vector reverts the call: the sender leaves it out.
    function report(PriceReport[] calldata reports) external;

    /// @notice Guardian: drops a queued price.
    function vetoPrice(uint32 sku) external;

    /// @notice Guardian: the asset no longer holds its par; mint stops and gateways take no new holds.
    function declareDepeg() external;

    /// @notice Loosens: the guardian's declaration no longer stands.
    function withdrawDepeg() external;

    /// @notice keccak256(abi.encode(SKU names' running hash, reporters, quorum)): what a report is signed for.
    function configDigest() external view returns (bytes32);

    /// @notice EIP-712 digest that a reporter signs.
    function reportDigest(uint32 epoch, uint40 observedAt, bytes calldata changed, bytes calldata unchanged)
        external
        view
        returns (bytes32);

    /// @notice The version in force (0 when the SKU has no price) and its price in 1e-18 USD per unit.
    function currentPrice(uint32 sku) external view returns (uint32 version, uint128 usdWad);

    /// @notice A version's price, while it still settles: in force, or superseded at most 24 h ago.
    function settlementPrice(uint32 sku, uint32 version) external view returns (uint128 usdWad);

    function priceOf(uint32 sku, uint32 version) external view returns (Price memory);

    function queuedPriceOf(uint32 sku) external view returns (QueuedPrice memory);

    /// @notice Unix seconds when a quorum last saw this SKU's price; 0 for never.
    function refreshedAt(uint32 sku) external view returns (uint40);

    /// @notice The guardian declared it, or the price of `asset:usd` in force is below 0.98 USD.
    function depegged() external view returns (bool);

    function skuCount() external view returns (uint32);
    function skuName(uint32 sku) external view returns (string memory);
    /// @return found False when no SKU carries the name.
    function skuOf(string calldata name) external view returns (bool found, uint32 sku);
    function reporters() external view returns (address[] memory);
    function quorum() external view returns (uint8);
    function lastEpoch() external view returns (uint32);
}
