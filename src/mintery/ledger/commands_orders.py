"""What the ledger can be asked to write of top-up orders. As everything in ``commands``, each may be given twice and takes effect
once; what an order's facts do not allow is refused (NotWritten). Assets are base units, at par with USD.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mintery.domain.card_caps import CardCaps
from mintery.domain.order import Decision, Order, OrderId, Payment, Refund
from mintery.units import AssetUnits


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """A new order. One of the same holder and idempotency key is answered as it stands, if it asks for the same. One by card is
    refused (CapReached) where it would pass ``caps``.
    """

    order: Order
    caps: CardCaps | None = None


@dataclass(frozen=True, slots=True)
class NameOrder:
    """The rail's own name of the order, and where its payer goes to pay."""

    order: OrderId
    reference: str
    page: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class TakePayment:
    """Money came for the order. A payment is counted once by the rail's name of it; one beside the order's own is a surplus and
    goes back.
    """

    order: OrderId
    payment: Payment
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FailOrder:
    order: OrderId
    why: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CloseOrder:
    """The rail takes no payment for it any more: nobody asks the rail about it again."""

    order: OrderId
    at: datetime


@dataclass(frozen=True, slots=True)
class DecideOrder:
    """A person's decision on a payment in review."""

    order: OrderId
    decision: Decision
    actor: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReturnPayment:
    """An accepted payment goes back whole, as its credits cannot be created. Refused once they are being created."""

    order: OrderId
    why: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FinishRefund:
    """The rail paid it back, under this name."""

    refund: str
    reference: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderTold:
    """The order as it stands now; ``news`` is False where it stood so before."""

    order: Order
    news: bool


@dataclass(frozen=True, slots=True)
class RefundTold:
    refund: Refund
    news: bool


@dataclass(frozen=True, slots=True)
class CapReached:
    """``whose``: the holder's cap, or that of all. ``limit``: what it has room for now."""

    whose: Literal["holder", "whole"]
    actual: AssetUnits
    limit: AssetUnits


OrderCommand = (
    PlaceOrder | NameOrder | TakePayment | FailOrder | CloseOrder | DecideOrder | ReturnPayment | FinishRefund
)
OrderResult = OrderTold | RefundTold | CapReached
