"""Reads of lots: what is left of each, which requests used it, which lots a request used. Amounts are nanocredits."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, case, cast, func, or_, select

from mintery.domain.hold import RequestId
from mintery.domain.order import OrderId
from mintery.domain.voucher import AccountId, Address
from mintery.ledger.lot_books import CHANGES
from mintery.ledger.schema import seals, transfers
from mintery.ledger.schema_calls import chain_calls
from mintery.ledger.schema_lots import lot_progress, lot_uses, lots
from mintery.ledger.sealing import Source
from mintery.ledger.work import instant_of
from mintery.units import NanoCredits

_AT_ONCE = 100
_ORDER = "ord_"


@dataclass(frozen=True, slots=True)
class Lot:
    """One top-up or deposit. ``order``: the order that brought it, None for a plain deposit. ``frozen``: of what remains, what a
    dispute keeps from being used.
    """

    id: int
    account: AccountId
    token: Address
    amount: NanoCredits
    remaining: NanoCredits
    at: datetime
    reference: str
    order: OrderId | None
    undone_at: datetime | None
    frozen: NanoCredits = NanoCredits(0)


@dataclass(frozen=True, slots=True)
class LotUse:
    """What a lot gave, below zero where it was given back. ``kind`` is the transfer's; ``request`` for what was charged."""

    id: int
    lot: int | None
    account: AccountId
    kind: str
    request: RequestId | None
    amount: NanoCredits
    at: datetime


class LotReads:
    """``read`` runs a query on a connection of the ledger's readers."""

    def __init__(self, read: Callable[..., Any]) -> None:
        self._read = read

    def lot(self, lot: int) -> Lot | None:
        return next(iter(self._lots(lots.c.seq == lot)), None)

    def of_accounts(self, accounts: Sequence[AccountId], *, limit: int = _AT_ONCE) -> Sequence[Lot]:
        """Newest first."""
        return self._lots(lots.c.account.in_(accounts), limit=limit)

    def of_reference(self, reference: str) -> Lot | None:
        """By the place of its deposit in the chain: block hash and log index."""
        return next(iter(self._lots(lots.c.reference == reference)), None)

    def uses_of(self, lot: int, *, after: int = 0, limit: int = _AT_ONCE) -> Sequence[LotUse]:
        """Oldest first."""
        return self._uses(lot_uses.c.lot == lot, lot_uses.c.seq > after, limit=limit)

    def is_use_of(self, use: int, lot: int) -> bool:
        return bool(self._uses(lot_uses.c.seq == use, lot_uses.c.lot == lot, limit=1))

    def of_request(self, request: RequestId) -> Sequence[LotUse]:
        """The lots that it used, in that order; none before it was followed, which takes seconds."""
        return self._uses(lot_uses.c.request == request, limit=_AT_ONCE)

    def taken_of(self, lot: int) -> dict[str, int]:
        """What it gave, less what it was given back, by the kind of transfer."""
        query = select(lot_uses.c.kind, func.sum(lot_uses.c.amount)).where(lot_uses.c.lot == lot)
        return {kind: int(amount) for kind, amount in self._read(_all, query.group_by(lot_uses.c.kind))}

    def outside(self, account: AccountId) -> int:
        """What no lot of the account had when it was charged, and none has covered since; below zero, what came back and fits
        into no lot. Nothing, unless rows became visible out of turn.
        """
        query = select(func.coalesce(func.sum(lot_uses.c.amount), 0))
        rows = self._read(_all, query.where(lot_uses.c.account == account, lot_uses.c.lot.is_(None)))
        return int(rows[0][0])

    def _lots(self, *chosen: ColumnElement[bool], limit: int = _AT_ONCE) -> Sequence[Lot]:
        brought_by = chain_calls.c.block_hash + "/" + cast(chain_calls.c.log_index, Text)
        query = (
            select(lots, chain_calls.c.subject)
            .join_from(lots, chain_calls, lots.c.reference == brought_by, isouter=True)
            .where(*chosen)
            .order_by(lots.c.seq.desc())
            .limit(limit)
        )
        return [_lot_of(row) for row in self._read(_all, query)]

    def _uses(self, *chosen: ColumnElement[bool], limit: int) -> Sequence[LotUse]:
        query = select(lot_uses).where(*chosen).order_by(lot_uses.c.seq).limit(limit)
        return [
            LotUse(
                row.seq,
                row.lot,
                AccountId(row.account),
                row.kind,
                None if row.request is None else RequestId(row.request),
                NanoCredits(row.amount),
                instant_of(row.at),
            )
            for row in self._read(_all, query)
        ]


def _lot_of(row: Any) -> Lot:
    subject = row.subject or ""
    return Lot(
        id=row.seq,
        account=AccountId(row.account),
        token=Address(row.token),
        amount=NanoCredits(row.amount),
        remaining=NanoCredits(row.remaining),
        at=instant_of(row.at),
        reference=row.reference,
        order=OrderId(subject) if subject.startswith(_ORDER) else None,
        undone_at=None if row.undone_at is None else instant_of(row.undone_at),
        frozen=NanoCredits(min(row.frozen, row.remaining)),
    )


def _all(connection: Connection, query: Select[Any]) -> Sequence[Any]:
    return connection.execute(query).all()


def check_lots(connection: Connection) -> Iterator[str]:
    """What remains in an account's lots is its free credits, as far as the seals were followed; uses explain every lot and
    every charge.
    """
    for told, query in _wrong_lots().items():
        yield from (told.format(seq) for (seq,) in connection.execute(query))


@cache
def _wrong_lots() -> Mapping[str, Select[Any]]:
    """What is told of a row that is wrong, and where such rows are found."""
    free = case(*((transfers.c.kind == kind, sign * transfers.c.amount) for kind, sign in CHANGES.items()), else_=0)
    traced = (
        select(transfers.c.seq, transfers.c.kind, transfers.c.reference, transfers.c.amount, free.label("free"))
        .join_from(
            seals,
            transfers,
            and_(seals.c.source == int(Source.TRANSFERS), transfers.c.seq == seals.c.row_seq),
        )
        .where(seals.c.position <= select(lot_progress.c.position).scalar_subquery(), transfers.c.kind.in_(CHANGES))
        .subquery()
    )
    used = select(lot_uses.c.transfer, func.sum(lot_uses.c.amount).label("used")).where(
        lot_uses.c.kind.in_([kind for kind in CHANGES if kind != "deposit"])
    )
    by_transfer = used.group_by(lot_uses.c.transfer).subquery()
    unexplained = (
        select(traced.c.seq)
        .join_from(traced, by_transfer, by_transfer.c.transfer == traced.c.seq, isouter=True)
        .where(traced.c.kind != "deposit", func.coalesce(by_transfer.c.used, 0) != -traced.c.free)
    )

    of_lot = select(lot_uses.c.lot, func.sum(lot_uses.c.amount).label("used")).group_by(lot_uses.c.lot).subquery()
    torn = (
        select(lots.c.seq)
        .join_from(lots, of_lot, of_lot.c.lot == lots.c.seq, isouter=True)
        .where(
            or_(
                lots.c.amount - func.coalesce(of_lot.c.used, 0) != lots.c.remaining,
                lots.c.remaining + lots.c.refunded > lots.c.amount,
            )
        )
    )
    missing = select(traced.c.seq).where(
        traced.c.kind == "deposit", ~select(lots.c.seq).where(lots.c.transfer == traced.c.seq).exists()
    )
    return {
        "transfer {} is not what its lots gave": unexplained,
        "lot {} is not what was put in, less its uses": torn,
        "deposit {} is no lot": missing,
    }
