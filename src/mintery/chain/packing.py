"""The fixed-width packings of the contracts' interfaces: settlement lines, usage, outcomes and price reports."""

import struct
from collections.abc import Iterable, Mapping, Sequence

from mintery.crypto.hashing import address_bytes
from mintery.domain.batch import LineOutcome, LineStatus, SettlementLine, UsageEntry
from mintery.errors import MalformedInput
from mintery.units import CreditUnits, UsdWad, nanocredits

_LINE = struct.Struct(">20s12s12s5sI16s32s32s")
_USAGE = struct.Struct(">III16s")
_OUTCOME = struct.Struct(">B12s")
_CHANGED = struct.Struct(">I16s")
LINE_BYTES = _LINE.size
USAGE_BYTES = _USAGE.size
BITS_PER_BYTE = 8


def pack_lines(lines: Iterable[SettlementLine]) -> bytes:
    """Packs holder 20 | maxSpend 12 | spentAfter 12 | deadline 5 | epoch 4 | keyHash 16 | r 32 | vs 32 for each line."""
    return b"".join(
        _LINE.pack(
            address_bytes(line.signed.voucher.holder),
            line.signed.voucher.max_spend.to_bytes(12),
            line.spent_after.to_bytes(12),
            line.signed.voucher.deadline.to_bytes(5),
            line.signed.voucher.epoch,
            line.signed.voucher.key_hash,
            line.signed.r,
            line.signed.vs,
        )
        for line in lines
    )


def pack_usage(usage: Iterable[UsageEntry]) -> bytes:
    """Packs provider 4 | sku 4 | priceVersion 4 | quantity 16 for each entry, in the order given."""
    return b"".join(
        _USAGE.pack(entry.provider_id, entry.sku_index, entry.price_version, entry.quantity.to_bytes(16))
        for entry in usage
    )


def unpack_usage(packed: bytes) -> tuple[UsageEntry, ...]:
    """Raises MalformedInput for a length that is no multiple of 28."""
    return tuple(
        UsageEntry(provider, sku, version, int.from_bytes(quantity))
        for provider, sku, version, quantity in _USAGE.iter_unpack(_whole(packed, _USAGE))
    )


def unpack_outcomes(packed: bytes) -> tuple[LineOutcome, ...]:
    """Reads status 1 | burned 12 for each line, in the order of the batch. Burns are whole nanocredits.

    Raises:
        MalformedInput: a length that is no multiple of 13, or a status that this release does not know.
    """
    return tuple(
        LineOutcome(_status(status), nanocredits(CreditUnits(int.from_bytes(burned))))
        for status, burned in _OUTCOME.iter_unpack(_whole(packed, _OUTCOME))
    )


def pack_changed(prices: Mapping[int, UsdWad]) -> bytes:
    """Packs sku 4 | usdWad 16 for each changed price, SKU numbers ascending."""
    return b"".join(_CHANGED.pack(sku, price.to_bytes(16)) for sku, price in sorted(prices.items()))


def unpack_changed(packed: bytes) -> dict[int, UsdWad]:
    """Raises MalformedInput for a length that is no multiple of 20."""
    return {sku: UsdWad(int.from_bytes(price)) for sku, price in _CHANGED.iter_unpack(_whole(packed, _CHANGED))}


def pack_unchanged(skus: Iterable[int]) -> bytes:
    """A bitmap, least significant bit of byte 0 first, no longer than its highest SKU needs."""
    bits = 0
    for sku in skus:
        bits |= 1 << sku
    return bits.to_bytes((bits.bit_length() + BITS_PER_BYTE - 1) >> 3, "little")


def unpack_unchanged(packed: bytes) -> frozenset[int]:
    bits = int.from_bytes(packed, "little")
    return frozenset(sku for sku in range(len(packed) * BITS_PER_BYTE) if bits >> sku & 1)


def ascending(addresses: Sequence[str]) -> list[str]:
    """As the contracts compare addresses: by number, whatever the case of their letters."""
    return sorted(addresses, key=str.lower)


def _whole(packed: bytes, record: struct.Struct) -> bytes:
    if len(packed) % record.size:
        raise MalformedInput(f"{len(packed)} packed bytes are no whole records of {record.size}")
    return packed


def _status(number: int) -> LineStatus:
    try:
        return LineStatus(number)
    except ValueError:
        raise MalformedInput(f"{number} is no status of a settlement line") from None
