"""A top-up order: what was promised, what the rail told of it, and what follows from both.

    pending ──paid in time──► paid ──────────────► refunded
       │  ╲                     ▲  accepted             ▲
       │   ╲─paid, by bank──► manual review ──refused───┤
       │                        ▲                       │
       ├──time──► expired ──────┤ paid late (card) ─────┤
       └──► failed ─────────────┴ paid after all (card)─┘

Whatever a card has paid may become ``disputed``: a payer's bank asks for the money back. It is won, and the order is what it
was, or lost, and the payment is gone as if refunded.

Facts are set once and never taken back; the status is derived from them and ``now``. Whether a payment was in time is told by
the rail's own clock, so it does not matter when, how often or in which order the news of it comes. Expired orders become
paid by such news, as what was promised in time is kept.

- A card's payment never waits for a person: in time, whole and of an order that had not failed, it is accepted; else it is
  returned.
- A bank transfer is always looked at by a person. So is every other payment that is late, of another amount, or of an order
  that had failed.
- Credits are created for accepted payments alone, for what came, once (``minting_at``). From then on nothing returns the
  payment but a refund of unused credits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from mintery.domain.voucher import AccountKey
from mintery.errors import OrderTransitionRefused
from mintery.units import AssetUnits

OrderId = NewType("OrderId", str)
"""``ord_`` and 32 hex digits."""


class Rail(StrEnum):
    """How the money comes."""

    CARD = "card"
    BANK = "bank"
    CHAIN = "chain"


PENDING_FOR: Mapping[Rail, timedelta] = {
    Rail.CARD: timedelta(minutes=31),
    Rail.BANK: timedelta(days=7),
    Rail.CHAIN: timedelta(minutes=15),
}
"""How long an order waits for its payment. A checkout page lives for half an hour at least, bank transfers take days."""


class OrderStatus(StrEnum):
    PENDING = "pending"
    PAID = "paid"
    EXPIRED = "expired"
    FAILED = "failed"
    MANUAL_REVIEW = "manual_review"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


class Decision(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came over a rail. ``id`` is the rail's own name of it, ``at`` the rail's time."""

    id: str
    assets: AssetUnits
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order's facts. ``assets`` is what was asked for, at par with USD; a payment may differ.

    Attributes:
        account: where the credits go.
        reference: the rail's name of the order: a checkout session, what a bank transfer must say, an authorization's nonce.
        page: where the payer goes to pay, if anywhere.
        signed: the holder's authorization that brings the credits into the account, as JSON; None: they stay in the wallet.
        closed_at: since when the rail takes no payment for it any more.
        refunded: of what was paid, what went back.
        disputed: of what was paid, what an open dispute asks for.
        lost: of what was paid, what disputes took.
    """

    id: OrderId
    account: AccountKey
    rail: Rail
    assets: AssetUnits
    placed_at: datetime
    expires_at: datetime
    idempotency_key: str | None = None
    signed: str | None = None
    reference: str | None = None
    page: str | None = None
    closed_at: datetime | None = None
    payment: Payment | None = None
    payment_seen_at: datetime | None = None
    review_at: datetime | None = None
    review_why: str | None = None
    decided_at: datetime | None = None
    decision: Decision | None = None
    decided_by: str | None = None
    decided_why: str | None = None
    accepted_at: datetime | None = None
    failed_at: datetime | None = None
    failed_why: str | None = None
    minting_at: datetime | None = None
    refund_due_at: datetime | None = None
    refund_why: str | None = None
    refunded: AssetUnits = AssetUnits(0)
    disputed: AssetUnits = AssetUnits(0)
    lost: AssetUnits = AssetUnits(0)

    def asks_as(self, other: "Order") -> bool:
        """Whether both were asked for in the same words: what one idempotency key may say twice."""
        asked = (other.account, other.rail, other.assets, other.signed)
        return (self.account, self.rail, self.assets, self.signed) == asked

    def status_at(self, now: datetime) -> OrderStatus:
        if self.payment is not None and self.refunded + self.lost >= self.payment.assets:
            return OrderStatus.REFUNDED
        if self.disputed:
            return OrderStatus.DISPUTED
        if self.accepted_at is not None:
            return OrderStatus.PAID
        if self.review_at is not None:
            return OrderStatus.MANUAL_REVIEW
        if self.failed_at is not None:
            return OrderStatus.FAILED
        return OrderStatus.EXPIRED if now >= self.expires_at else OrderStatus.PENDING

    def credits_from(self, card_hold: timedelta) -> datetime | None:
        """When credits are created for its payment: one by card lies for ``card_hold``, as it may be disputed. None: it has none."""
        if self.payment is None:
            return None
        return self.payment.at + card_hold if self.rail is Rail.CARD else self.payment.at

    @property
    def in_time(self) -> bool:
        """Its payment came before it expired, by the rail's clock."""
        return self.payment is not None and self.payment.at < self.expires_at


def with_payment(order: Order, payment: Payment, now: datetime) -> Order:
    """``payment`` came for ``order``.

    Raises:
        OrderTransitionRefused: another payment was recorded for it.
    """
    if order.payment is not None:
        if order.payment.id == payment.id:
            return order
        raise OrderTransitionRefused(order.id, order.status_at(now).value, "it was paid before")
    paid = replace(order, payment=payment, payment_seen_at=now)
    if (why := _amiss(paid)) is None and order.rail is not Rail.BANK:
        minted = now if order.rail is Rail.CHAIN else None  # there, payment and credits are one transaction
        return replace(paid, accepted_at=now, minting_at=minted)
    if order.rail is not Rail.CARD:
        return replace(paid, review_at=now, review_why=why or "bank transfers are reviewed")
    if order.status_at(now) is OrderStatus.PENDING and paid.in_time:
        paid = replace(paid, failed_at=now, failed_why=why)
    return replace(paid, refund_due_at=now, refund_why=why)


def _amiss(paid: Order) -> str | None:
    payment = paid.payment
    if payment is None:
        return "it was not paid"
    if paid.failed_at is not None:
        return f"the order had failed: {paid.failed_why}"
    if not paid.in_time:
        return "it was paid after the order had expired"
    return None if payment.assets == paid.assets else "another amount was paid than was asked for"


def failed(order: Order, why: str, now: datetime) -> Order:
    """It will never be paid. Nothing more for one that failed before.

    Raises:
        OrderTransitionRefused: it was paid, or had expired.
    """
    if order.failed_at is not None:
        return order
    if order.status_at(now) is not OrderStatus.PENDING:
        raise OrderTransitionRefused(order.id, order.status_at(now).value, "only a pending order fails")
    return replace(order, failed_at=now, failed_why=why)


def decided(order: Order, decision: Decision, *, by: str, why: str, now: datetime) -> Order:
    """A person looked at the payment.

    Raises:
        OrderTransitionRefused: it is not in review, or was decided otherwise.
    """
    if order.decision is decision:
        return order
    if order.review_at is None or order.decision is not None:
        raise OrderTransitionRefused(order.id, order.status_at(now).value, "nothing of it waits for a decision")
    seen = replace(order, decided_at=now, decision=decision, decided_by=by, decided_why=why)
    if decision is Decision.ACCEPTED:
        return replace(seen, accepted_at=now)
    return replace(seen, refund_due_at=now, refund_why=why)


def minting(order: Order, now: datetime) -> Order:
    """From now on credits are being created for it.

    Raises:
        OrderTransitionRefused: its payment was not accepted, or goes back.
    """
    if order.minting_at is not None:
        return order
    if order.accepted_at is None or order.refund_due_at is not None or order.disputed or order.lost:
        raise OrderTransitionRefused(order.id, order.status_at(now).value, "no credits are created for it")
    return replace(order, minting_at=now)


def returned(order: Order, why: str, now: datetime) -> Order:
    """An accepted payment goes back whole, as its credits cannot be created.

    Raises:
        OrderTransitionRefused: it was not accepted, or its credits are being created.
    """
    if order.refund_due_at is not None:
        return order
    if order.accepted_at is None or order.minting_at is not None or order.disputed or order.lost:
        raise OrderTransitionRefused(order.id, order.status_at(now).value, "its payment cannot be returned whole")
    return replace(order, refund_due_at=now, refund_why=why)


def returnable(order: Order) -> AssetUnits:
    """What of its payment may still be given back: nothing goes back twice, by whatever way."""
    paid = 0 if order.payment is None else order.payment.assets
    return AssetUnits(max(0, paid - order.refunded - order.disputed - order.lost))


class RefundKind(StrEnum):
    WHOLE = "whole"
    """The payment of an order that creates no credits."""
    SURPLUS = "surplus"
    """A payment beside the one that the order was paid with."""
    UNUSED = "unused"
    """What the unused credits of a lot were bought for."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that goes back over the rail it came by. ``reference``: the rail's name of it, None while it is due."""

    id: str
    order: OrderId
    rail: Rail
    payment: str
    kind: RefundKind
    why: str
    assets: AssetUnits
    due_at: datetime
    reference: str | None = None
    done_at: datetime | None = None
