// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice The two kinds of project and of route. They never pay for each other.
enum Kind {
    Official,
    Routed
}

/// @title Who may be paid for model calls, and where.
/// @notice Ids count from 1. The gateway's own fees are SKUs of the gateway, registered here as a provider.
/// @dev Inactive providers take no new holds; what was called before is still paid, so settlement never reads `active`.
interface IProviderRegistry {
    struct Provider {
        address payout;
        Kind kind;
        bool active;
        bool resaleAllowed;
        string name;
    }

    error UnknownProvider(uint32 id);
    error ProviderNameTaken(string name, uint32 id);
    error EmptyProviderName();
    error ZeroPayout();
    error NotPayout(address caller, address payout);

    event ProviderRegistered(uint32 indexed id, string name, address payout, Kind kind, bool resaleAllowed);
    event PayoutChanged(uint32 indexed id, address from, address to);
    event ProviderActivated(uint32 indexed id);
    event ProviderDeactivated(uint32 indexed id);
    event ResaleAllowed(uint32 indexed id);
    event ResaleForbidden(uint32 indexed id);

    /// @notice Registers a provider under a name of its own (`acme`), as it stands before the slash in a SKU.
    /// @return id Its number from now on, counted from 1.
    function register(string calldata name, address payout, Kind kind, bool resaleAllowed) external returns (uint32 id);

    /// @notice Changes where a provider's withdrawals go. Sent by the present payout address alone.
    function changePayout(uint32 id, address payout) external;

    /// @notice Loosens: the provider takes new calls again.
    function activate(uint32 id) external;

    /// @notice Tightens at once: no new holds for this provider.
    function deactivate(uint32 id) external;

    /// @notice Loosens: routed projects may sell this provider's models on.
    function allowResale(uint32 id) external;

    /// @notice Tightens at once: routed projects may not sell this provider's models on.
    function forbidResale(uint32 id) external;

    function providerOf(uint32 id) external view returns (Provider memory);

    /// @notice What a withdrawal reads: reverts for an unknown id.
    function payoutOf(uint32 id) external view returns (address payout);

    /// @notice The kind alone, which never changes. Reverts for an unknown id.
    function kindOf(uint32 id) external view returns (Kind kind);

    /// @return id 0 when the name is not registered.
    function idOf(string calldata name) external view returns (uint32 id);

    /// @notice How many are registered; ids run from 1 to this.
    function count() external view returns (uint32);
}
