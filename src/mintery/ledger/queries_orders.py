"""Reads of top-up orders. Each call is one snapshot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import orjson
from sqlalchemy import ColumnElement, Connection, Select, or_, select

from mintery.domain.order import Order, OrderId, Payment, Rail, Refund
from mintery.domain.voucher import AccountId, Address
from mintery.ledger.commands import Command, Result
from mintery.ledger.queries_calls import CallReads
from mintery.ledger.queries_disputes import DisputeReads
from mintery.ledger.queries_lots import LotReads
from mintery.ledger.queries_postponed import PostponedReads, is_due
from mintery.ledger.queries_refunds import LotRefundReads
from mintery.ledger.rows_orders import ORDER_COLUMNS, REFUND_COLUMNS, order_of, refund_of
from mintery.ledger.schema_orders import order_events, orders, payments, refunds
from mintery.ledger.work import instant_of, micros
from mintery.units import AssetUnits

Read = Callable[..., Any]
_AT_ONCE = 100
_UNMINTED = (
    orders.c.accepted_at.is_not(None),
    orders.c.minting_at.is_(None),
    orders.c.refund_due_at.is_(None),
    orders.c.disputed == 0,
    orders.c.lost == 0,
)


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One line of an order's journal: what happened, by whom, and the facts it brought (as texts)."""

    order: OrderId
    kind: str
    actor: str
    facts: dict[str, str]
    at: datetime


class OrderReads:
    """``read`` runs a query on a connection of the ledger's readers."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def order(self, order: OrderId) -> Order | None:
        return self._first(orders.c.id == order)

    def by_reference(self, rail: Rail, reference: str) -> Order | None:
        return self._first(orders.c.rail == rail.value, orders.c.reference == reference)

    def of_payment(self, rail: Rail, payment: str) -> Order | None:
        """The one that a payment came for, whether as its own or beside it."""
        its = select(payments.c.order_id).where(payments.c.rail == rail.value, payments.c.id == payment)
        return self._first(orders.c.id.in_(its))

    def by_key(self, holder: Address, idempotency_key: str) -> Order | None:
        """The one that its holder placed with that key."""
        return self._first(orders.c.holder == holder, orders.c.idempotency_key == idempotency_key)

    def of_holder(
        self,
        holder: Address,
        *,
        account: AccountId | None = None,
        limit: int = _AT_ONCE,
        before: datetime | None = None,
    ) -> Sequence[Order]:
        """Newest first; of one ``account`` where it is named."""
        earlier = () if before is None else (orders.c.placed_at < micros(before),)
        one = () if account is None else (orders.c.account == account,)
        query = select(*ORDER_COLUMNS).where(orders.c.holder == holder, *earlier, *one)
        return self._orders(query.order_by(orders.c.placed_at.desc(), orders.c.id).limit(limit))

    def recent(self, *, limit: int = _AT_ONCE) -> Sequence[Order]:
        """Of everybody, newest first."""
        return self._orders(select(*ORDER_COLUMNS).order_by(orders.c.placed_at.desc(), orders.c.id).limit(limit))

    def watched(self, rail: Rail, *, limit: int = _AT_ONCE, after: OrderId | None = None) -> Sequence[Order]:
        """Of which the rail may still have news, by id."""
        later = () if after is None else (orders.c.id > after,)
        query = select(*ORDER_COLUMNS).where(orders.c.rail == rail.value, orders.c.closed_at.is_(None), *later)
        return self._orders(query.order_by(orders.c.id).limit(limit))

    def in_review(self, *, limit: int = _AT_ONCE) -> Sequence[Order]:
        """What waits for a person's decision, oldest first."""
        waits = orders.c.review_at.is_not(None) & orders.c.decided_at.is_(None)
        return self._orders(select(*ORDER_COLUMNS).where(waits).order_by(orders.c.review_at, orders.c.id).limit(limit))

    def unminted(self, *, limit: int = _AT_ONCE) -> Sequence[Order]:
        """Accepted and not disputed, and nobody has begun to create their credits."""
        query = select(*ORDER_COLUMNS).where(*_UNMINTED)
        return self._orders(query.order_by(orders.c.accepted_at, orders.c.id).limit(limit))

    def to_mint(self, now: datetime, *, limit: int = _AT_ONCE, after: OrderId | None = None) -> Sequence[Order]:
        """As ``unminted``, by id, without those that are tried again later."""
        later = () if after is None else (orders.c.id > after,)
        query = select(*ORDER_COLUMNS).where(*_UNMINTED, is_due(orders.c.id, now), *later)
        return self._orders(query.order_by(orders.c.id).limit(limit))

    def payments_of(self, order: OrderId) -> Sequence[Payment]:
        query = select(payments.c.id, payments.c.assets, payments.c.paid_at).where(payments.c.order_id == order)
        rows = self._read(_all, query.order_by(payments.c.seen_at, payments.c.id))
        return [Payment(id_, AssetUnits(assets), instant_of(at)) for id_, assets, at in rows]

    def refunds_due(self, rail: Rail | None = None, *, limit: int = _AT_ONCE) -> Sequence[Refund]:
        """Oldest first."""
        chosen = () if rail is None else (refunds.c.rail == rail.value,)
        query = select(*REFUND_COLUMNS).where(refunds.c.done_at.is_(None), *chosen)
        return [refund_of(row) for row in self._read(_all, query.order_by(refunds.c.due_at, refunds.c.id).limit(limit))]

    def signed_unplanned(self, holder: Address, *, limit: int = _AT_ONCE) -> Sequence[Order]:
        """Of ``holder``'s, by card or bank: those whose credits may yet be created, with what was signed for their deposit."""
        waits = (orders.c.minting_at.is_(None), orders.c.failed_at.is_(None), orders.c.refund_due_at.is_(None))
        may_come = or_(orders.c.closed_at.is_(None), orders.c.payment.is_not(None))
        query = select(*ORDER_COLUMNS).where(
            orders.c.holder == holder, orders.c.rail != Rail.CHAIN.value, orders.c.signed.is_not(None), *waits, may_come
        )
        return self._orders(query.order_by(orders.c.placed_at, orders.c.id).limit(limit))

    def to_give_back(
        self, rail: Rail, now: datetime, *, limit: int = _AT_ONCE, after: str | None = None
    ) -> Sequence[Refund]:
        """As ``refunds_due``, by id, without those that are tried again later."""
        later = () if after is None else (refunds.c.id > after,)
        chosen = (refunds.c.rail == rail.value, refunds.c.done_at.is_(None), is_due(refunds.c.id, now), *later)
        query = select(*REFUND_COLUMNS).where(*chosen).order_by(refunds.c.id).limit(limit)
        return [refund_of(row) for row in self._read(_all, query)]

    def refund(self, refund: str) -> Refund | None:
        rows = self._read(_all, select(*REFUND_COLUMNS).where(refunds.c.id == refund))
        return refund_of(rows[0]) if rows else None

    def refunds_of(self, order: OrderId) -> Sequence[Refund]:
        query = select(*REFUND_COLUMNS).where(refunds.c.order_id == order).order_by(refunds.c.due_at, refunds.c.id)
        return [refund_of(row) for row in self._read(_all, query)]

    def events_of(self, order: OrderId) -> Sequence[OrderEvent]:
        """In the order of their commit."""
        columns = (order_events.c.kind, order_events.c.actor, order_events.c.facts, order_events.c.at)
        query = select(*columns).where(order_events.c.order_id == order).order_by(order_events.c.seq)
        return [
            OrderEvent(order, kind, actor, orjson.loads(facts), instant_of(at))
            for kind, actor, facts, at in self._read(_all, query)
        ]

    def _first(self, *chosen: ColumnElement[bool]) -> Order | None:
        return next(iter(self._orders(select(*ORDER_COLUMNS).where(*chosen))), None)

    def _orders(self, query: Select[Any]) -> Sequence[Order]:
        return [order_of(row) for row in self._read(_all, query)]


def _all(connection: Connection, query: Select[Any]) -> Sequence[Any]:
    return connection.execute(query).all()


class OrderLedger(Protocol):
    """The ledger as the use cases of orders see it."""

    def commit(self, commands: Sequence[Command]) -> Sequence[Result]: ...

    @property
    def orders(self) -> OrderReads: ...

    @property
    def lots(self) -> LotReads: ...

    @property
    def disputes(self) -> DisputeReads: ...

    @property
    def lot_refunds(self) -> LotRefundReads: ...

    @property
    def chain_calls(self) -> CallReads: ...

    @property
    def postponed(self) -> PostponedReads: ...
