"""Reads of disputes, of refunds made by hand, and of what is frozen for them. Amounts of credits are nanocredits."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, case, cast, func, literal, or_, select

from mintery.domain.dispute import Dispute, DisputeOutcome, OutsideRefund, RecordedDispute
from mintery.domain.order import OrderId
from mintery.ledger.freezing import COUNTED
from mintery.ledger.schema import accounts
from mintery.ledger.schema_calls import chain_calls
from mintery.ledger.schema_disputes import disputes, outside_refunds
from mintery.ledger.schema_lots import lots
from mintery.ledger.schema_orders import orders
from mintery.ledger.work import instant_of
from mintery.units import AssetUnits, pro_rata_up

_AT_ONCE = 100


class DisputeReads:
    """``read`` runs a query on a connection of the ledger's readers."""

    def __init__(self, read: Callable[..., Any]) -> None:
        self._read = read

    def dispute(self, dispute: str) -> RecordedDispute | None:
        return next(iter(self._disputes(disputes.c.id == dispute)), None)

    def of_order(self, order: OrderId) -> Sequence[RecordedDispute]:
        """Oldest first."""
        return self._disputes(disputes.c.order_id == order)

    def open(self, *, limit: int = _AT_ONCE) -> Sequence[RecordedDispute]:
        """Oldest first."""
        return self._disputes(disputes.c.outcome.is_(None), limit=limit)

    def recent(self, *, limit: int = _AT_ONCE) -> Sequence[RecordedDispute]:
        """Newest first: open, won and lost."""
        query = select(disputes).order_by(disputes.c.opened_at.desc(), disputes.c.id).limit(limit)
        return [_dispute_of(row) for row in self._read(_all, query)]

    def outside_refunds_of(self, order: OrderId) -> Sequence[OutsideRefund]:
        """Oldest first."""
        query = select(outside_refunds).where(outside_refunds.c.order_id == order)
        rows = self._read(_all, query.order_by(outside_refunds.c.at, outside_refunds.c.id))
        return [OutsideRefund(row.id, row.payment, AssetUnits(row.assets), instant_of(row.at)) for row in rows]

    def _disputes(self, *chosen: ColumnElement[bool], limit: int = _AT_ONCE) -> Sequence[RecordedDispute]:
        query = select(disputes).where(*chosen).order_by(disputes.c.opened_at, disputes.c.id).limit(limit)
        return [_dispute_of(row) for row in self._read(_all, query)]


def _dispute_of(row: Any) -> RecordedDispute:
    outcome = None if row.outcome is None else DisputeOutcome(row.outcome)
    told = Dispute(row.id, row.payment, AssetUnits(row.assets), row.reason, instant_of(row.opened_at), outcome)
    ended = None if row.ended_at is None else instant_of(row.ended_at)
    return RecordedDispute(OrderId(row.order_id), told, instant_of(row.seen_at), ended)


def _all(connection: Connection, query: Select[Any]) -> Sequence[Any]:
    return connection.execute(query).all()


def check_frozen(connection: Connection) -> Iterator[str]:
    """An order's sums are those of its disputes, a lot's claim is what its order says, nothing is frozen beyond it or beyond what is
    left, and an account's sum is that of its lots.
    """
    yield from _sums_of_orders(connection)
    claimed = select(lots.c.seq, lots.c.account, lots.c.amount, lots.c.remaining, lots.c.claimed, lots.c.frozen)
    beyond = or_(lots.c.frozen < 0, lots.c.frozen > lots.c.claimed, lots.c.frozen > lots.c.remaining)
    yield from (f"of lot {row.seq} more is frozen than may be" for row in connection.execute(claimed.where(beyond)))
    summed = select(lots.c.account, func.sum(lots.c.frozen).label("frozen")).group_by(lots.c.account).subquery()
    torn = (
        select(accounts.c.id)
        .join_from(accounts, summed, summed.c.account == accounts.c.id, isouter=True)
        .where(accounts.c.frozen != func.coalesce(summed.c.frozen, 0))
    )
    yield from (f"account {name} does not freeze what its lots do" for (name,) in connection.execute(torn))
    yield from _claims(connection)


def _sums_of_orders(connection: Connection) -> Iterator[str]:
    its = and_(disputes.c.order_id == orders.c.id, disputes.c.payment == orders.c.payment)
    open_ = func.coalesce(func.sum(case((disputes.c.outcome.is_(None), disputes.c.assets), else_=0)), 0)
    lost = func.coalesce(func.sum(case((disputes.c.outcome == "lost", disputes.c.assets), else_=0)), 0)
    query = (
        select(orders.c.id)
        .join_from(orders, disputes, its, isouter=True)
        .group_by(orders.c.id, orders.c.disputed, orders.c.lost)
        .having((open_ != orders.c.disputed) | (lost != orders.c.lost))
    )
    yield from (f"order {name} does not say what its disputes do" for (name,) in connection.execute(query))


def _claims(connection: Connection) -> Iterator[str]:
    outside = (
        select(func.coalesce(func.sum(COUNTED), 0))
        .where(outside_refunds.c.order_id == orders.c.id, outside_refunds.c.payment == orders.c.payment)
        .scalar_subquery()
    )
    place = chain_calls.c.block_hash + literal("/") + cast(chain_calls.c.log_index, Text)
    query = (
        select(
            lots.c.seq, lots.c.amount, lots.c.claimed, orders.c.paid_assets, orders.c.disputed, orders.c.lost, outside
        )
        .join_from(lots, chain_calls, lots.c.reference == place)
        .join(orders, orders.c.id == chain_calls.c.subject)
        .where(orders.c.paid_assets.is_not(None))
    )
    for seq, amount, claimed, paid, disputed, lost, given in connection.execute(query):
        if claimed != pro_rata_up(amount, min(paid, disputed + lost + int(given)), paid):
            yield f"of lot {seq} another part is claimed than of its payment"
