"""A payer's bank takes a card payment back: what the rail tells of it, and what of it stands.

    open ──won──► won        the payment stays
       └──lost──► lost       the money is gone, whatever its credits were used for

An inquiry, by which a bank only asks, is open too: it may become a dispute at any time. What has ended stays ended: should the
rail tell something else later, a person looks at it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mintery.domain.order import OrderId
from mintery.units import AssetUnits


class DisputeOutcome(StrEnum):
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Dispute:
    """As the rail tells it. ``id`` and ``payment`` are the rail's own names, ``assets`` what of the payment is disputed.
    ``outcome``: None while it is open.
    """

    id: str
    payment: str
    assets: AssetUnits
    reason: str
    opened_at: datetime
    outcome: DisputeOutcome | None = None


@dataclass(frozen=True, slots=True)
class RecordedDispute:
    """As it stands here. ``seen_at``: when it was first heard of."""

    order: OrderId
    dispute: Dispute
    seen_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutsideRefund:
    """Money that the operator gave back at the rail itself, by hand. ``id`` is the rail's name of it."""

    id: str
    payment: str
    assets: AssetUnits
    at: datetime
