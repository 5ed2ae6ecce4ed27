// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IProviderRegistry, Kind} from "./interfaces/IProviderRegistry.sol";

/// @title Who may be paid for model calls, and where.
/// @dev A provider's kind never changes, so whoever checked it once may rely on it.
contract ProviderRegistry is IProviderRegistry, AccessManaged {
    /// @inheritdoc IProviderRegistry
    uint32 public count;
    /// @inheritdoc IProviderRegistry
    mapping(string name => uint32) public idOf;
    mapping(uint32 id => Provider) private _providers;

    constructor(address authority_) AccessManaged(authority_) {}

    /// @inheritdoc IProviderRegistry
    function register(string calldata name, address payout, Kind kind, bool resaleAllowed)
        external
        restricted
        returns (uint32 id)
    {
        if (bytes(name).length == 0) revert EmptyProviderName();
        if (payout == address(0)) revert ZeroPayout();
        if (idOf[name] != 0) revert ProviderNameTaken(name, idOf[name]);

        id = ++count;
        idOf[name] = id;
        _providers[id] = Provider({payout: payout, kind: kind, active: true, resaleAllowed: resaleAllowed, name: name});
        emit ProviderRegistered(id, name, payout, kind, resaleAllowed);
    }

    /// @inheritdoc IProviderRegistry
    function changePayout(uint32 id, address payout) external {
        Provider storage provider = _provider(id);
        if (msg.sender != provider.payout) revert NotPayout(msg.sender, provider.payout);
        if (payout == address(0)) revert ZeroPayout();
        provider.payout = payout;
        emit PayoutChanged(id, msg.sender, payout);
    }

    /// @inheritdoc IProviderRegistry
    function activate(uint32 id) external restricted {
        _provider(id).active = true;
        emit ProviderActivated(id);
    }

    /// @inheritdoc IProviderRegistry
    function deactivate(uint32 id) external restricted {
        _provider(id).active = false;
        emit ProviderDeactivated(id);
    }

    /// @inheritdoc IProviderRegistry
    function allowResale(uint32 id) external restricted {
        _provider(id).resaleAllowed = true;
        emit ResaleAllowed(id);
    }

    /// @inheritdoc IProviderRegistry
    function forbidResale(uint32 id) external restricted {
        _provider(id).resaleAllowed = false;
        emit ResaleForbidden(id);
    }

    /// @inheritdoc IProviderRegistry
    function providerOf(uint32 id) external view returns (Provider memory) {
        return _provider(id);
    }

    /// @inheritdoc IProviderRegistry
    function payoutOf(uint32 id) external view returns (address payout) {
        return _provider(id).payout;
    }

    /// @inheritdoc IProviderRegistry
    function kindOf(uint32 id) external view returns (Kind kind) {
        return _provider(id).kind;
    }

    function _provider(uint32 id) private view returns (Provider storage) {
        if (id == 0 || id > count) revert UnknownProvider(id);
        return _providers[id];
    }
}
