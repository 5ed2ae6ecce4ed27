// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Authorizations} from "./Authorizations.sol";
import {ICreditToken} from "./interfaces/ICreditToken.sol";
import {IReserveVault} from "./interfaces/IReserveVault.sol";

/// @title The credits of one project: moves by transfer or by signature, minted and burned by the vault alone.
contract CreditToken is Authorizations, ICreditToken {
    /// @inheritdoc ICreditToken
    address public immutable VAULT;
    /// @notice Whether transfers are limited to the list that the vault keeps for this token.
    bool public immutable ALLOWLIST;

    modifier onlyVault() {
        if (msg.sender != VAULT) revert NotVault(msg.sender, VAULT);
        _;
    }

    constructor(address vault, string memory name_, string memory symbol_, bool allowlist)
        Authorizations(name_, symbol_)
    {
        VAULT = vault;
        ALLOWLIST = allowlist;
    }

    /// @inheritdoc ICreditToken
    function mint(address to, uint256 credits) external onlyVault {
        _mint(to, credits);
    }

    /// @inheritdoc ICreditToken
    function burn(address from, uint256 credits) external onlyVault {
        _burn(from, credits);
    }

    /// @dev Mint, burn, deposit and exit pass any list: a holder can always redeem, spend, and take back what it put in.
    ///     The escrow is no way around the list, because an account pays out to the holder who filled it alone.
    function _update(address from, address to, uint256 credits) internal override {
        if (ALLOWLIST && from != address(0) && to != address(0)) {
            IReserveVault vault = IReserveVault(VAULT);
            address escrow = vault.escrow();
            if (from != escrow && to != escrow) {
                if (!vault.isListed(address(this), from)) revert TransferNotAllowed(from);
                if (!vault.isListed(address(this), to)) revert TransferNotAllowed(to);
            }
        }
        super._update(from, to, credits);
    }
}
