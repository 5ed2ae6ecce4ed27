"""What one settlement transaction carries."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from mintery.domain.quote import PricedLine
from mintery.domain.voucher import Address, SignedVoucher
from mintery.units import CreditUnits, NanoCredits


class LineStatus(IntEnum):
    """As ``LineStatus`` of the escrow."""

    SETTLED = 0
    PARTIAL = 1
    BAD_SIGNATURE = 2
    EXPIRED = 3
    WRONG_EPOCH = 4
    ABOVE_VOUCHER = 5
    NOTHING_NEW = 6
    NOT_WHOLE_NANOCREDITS = 7
    EMPTY = 8


@dataclass(frozen=True, slots=True)
class SettlementLine:
    """One account's part: its highest voucher, and its spent counter (credit base units) after this batch."""

    signed: SignedVoucher
    spent_after: CreditUnits


@dataclass(frozen=True, slots=True, order=True)
class UsageEntry:
    """``quantity`` units of a SKU that a provider sold at one price version. Sorts as the vault wants it."""

    provider_id: int
    sku_index: int
    price_version: int
    quantity: int


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """The part of a batch that burns one project's credits. ``requests`` counts its receipts."""

    token: Address
    requests: int
    lines: tuple[SettlementLine, ...]
    usage: tuple[UsageEntry, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """``receipts_root`` is the Merkle root (32 bytes) over the digests of its receipts. Tokens ascend."""

    gateway: Address
    batch_id: int
    receipts_root: bytes
    tokens: tuple[TokenBatch, ...]


@dataclass(frozen=True, slots=True)
class LineOutcome:
    status: LineStatus
    burned: NanoCredits


def sum_usage(lines: Iterable[PricedLine]) -> tuple[UsageEntry, ...]:
    """Usage of many receipts, one entry per (provider, SKU, version), ascending."""
    totals: dict[tuple[int, int, int], int] = {}
    for line in lines:
        key = (line.provider_id, line.sku_index, line.price_version)
        totals[key] = totals.get(key, 0) + line.quantity
    return tuple(UsageEntry(*key, quantity) for key, quantity in sorted(totals.items()))
