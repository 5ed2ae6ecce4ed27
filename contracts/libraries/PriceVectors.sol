// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IPriceOracle} from "../interfaces/IPriceOracle.sol";

/// @title Reads the packed prices and the bitmap of a reporter's vector.
/// @dev Prices are (uint32 sku, uint128 usdWad), 20 bytes each. In the bitmap, bit i of byte b is SKU 8b + i.
library PriceVectors {
    uint256 internal constant ENTRY_BYTES = 20;
    uint256 private constant SKU_BYTES = 4;

    /// @notice Reverts unless the vector is whole, ascending, non-zero and about SKUs below `skuCount`, each named once.
    function check(bytes calldata changed, bytes calldata unchanged, uint256 skuCount) internal pure {
        if (changed.length % ENTRY_BYTES != 0) revert IPriceOracle.MalformedReport();
        for (uint256 offset; offset < changed.length; offset += ENTRY_BYTES) {
            uint32 sku = skuAt(changed, offset);
            if (sku >= skuCount) revert IPriceOracle.UnknownSku(sku);
            if (offset != 0) {
                uint32 previous = skuAt(changed, offset - ENTRY_BYTES);
                if (sku <= previous) revert IPriceOracle.SkusNotAscending(previous, sku);
            }
            if (usdWadAt(changed, offset) == 0) revert IPriceOracle.ZeroPrice(sku);
            if (isSet(unchanged, sku)) revert IPriceOracle.MalformedReport();
        }
        _checkBitmapEnd(unchanged, skuCount);
    }

    function skuAt(bytes calldata changed, uint256 offset) internal pure returns (uint32) {
        return uint32(bytes4(changed[offset:offset + SKU_BYTES]));
    }

    /// @return 1e-18 USD per unit.
    function usdWadAt(bytes calldata changed, uint256 offset) internal pure returns (uint128) {
        return uint128(bytes16(changed[offset + SKU_BYTES:offset + ENTRY_BYTES]));
    }

    /// @dev Bits beyond the bitmap's end are not set.
    function isSet(bytes calldata unchanged, uint256 sku) internal pure returns (bool) {
        uint256 index = sku >> 3;
        return index < unchanged.length && (uint8(unchanged[index]) >> (sku & 7)) & 1 == 1;
    }

    /// @dev No byte without a SKU, and no bit of the last byte without one.
    function _checkBitmapEnd(bytes calldata unchanged, uint256 skuCount) private pure {
        if (unchanged.length << 3 <= skuCount) return;
        uint256 last = unchanged.length - 1;
        if (last << 3 >= skuCount || uint8(unchanged[last]) >> (skuCount & 7) != 0) {
            revert IPriceOracle.MalformedReport();
        }
    }
}
