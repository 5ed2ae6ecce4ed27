"""What the ledger can be asked to write of disputes, and of refunds that were made at the rail by hand."""

from dataclasses import dataclass
from datetime import datetime

from mintery.domain.dispute import Dispute, OutsideRefund
from mintery.domain.order import OrderId


@dataclass(frozen=True, slots=True)
class TakeDispute:
    """The order's payment is disputed, or that has ended. What is left of its credits is frozen in the same commit, or freed.
    It counts with the amount that was told first; another one that comes with its end is written in the order's journal.
    Refused (NotWritten) where it contradicts how the dispute ended before, or where nothing but its amount is another.
    """

    order: OrderId
    dispute: Dispute
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TakeOutsideRefund:
    """Counted once by the rail's name of it. As many of the credits that are left stay frozen."""

    order: OrderId
    refund: OutsideRefund
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RefreezeLots:
    """Freeze what is free of lots that are claimed and could be frozen. Whatever frees it freezes it too: a second look at that."""


DisputeCommand = TakeDispute | TakeOutsideRefund | RefreezeLots
