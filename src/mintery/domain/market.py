"""What the gateway sells by: projects, prices and the vault's state, as read together at one confirmed block."""

from collections.abc import Mapping
from dataclasses import dataclass

from mintery.domain.price import PriceInForce, Sku
from mintery.domain.project import Project
from mintery.domain.voucher import Address
from mintery.units import AssetUnits, UnixSeconds


@dataclass(frozen=True, slots=True)
class PayoutWindow:
    """What one project's batches of this gateway may still take, providers and margin, in the window that ``ends`` then."""

    room: AssetUnits
    ends: UnixSeconds


@dataclass(frozen=True, slots=True)
class Market:
    """One consistent reading.

    Attributes:
        block_number, block_hash, block_time: where it was read; rules of the chain use this time.
        payouts: for each project token.
        depegged: the oracle says the asset does not hold its par.
        assets, claims: what the vault holds and what all claims on it sum to; short when assets < claims.
        paused_until: settlement is paused until then, 0 when it is not.
        inactive_providers: registry ids that take no new holds: switched off, or routed without leave to be sold on.
        resale_forbidden: those of them that are closed only for want of that leave.
    """

    block_number: int
    block_hash: str
    block_time: UnixSeconds
    projects: Mapping[Address, Project]
    prices: Mapping[Sku, PriceInForce]
    payouts: Mapping[Address, PayoutWindow]
    inactive_providers: frozenset[int]
    depegged: bool
    assets: AssetUnits
    claims: AssetUnits
    paused_until: UnixSeconds
    resale_forbidden: frozenset[int] = frozenset()
