"""Following the transfers: which lot gave what, first in, first out.

An account's free credits are those that nothing has charged: available and held. Every transfer that lowers them takes from
the account's lots, the oldest first; what raises them again goes back to the newest that gave something. A deposit is a new
lot; one that the chain took back gives up what it still has, and the older ones the rest. So what remains in an account's
lots is its free credits, to the unit, at every point of the chain of seals.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import Insert

from mintery.ledger.books import Move
from mintery.ledger.bulk import Bulk, Row
from mintery.ledger.commands import Done
from mintery.ledger.commands_lots import TraceLots
from mintery.ledger.schema import seals, transfers
from mintery.ledger.schema_lots import lot_progress, lot_uses, lots
from mintery.ledger.schema_refunds import lot_refunds
from mintery.ledger.sealing import Source
from mintery.ledger.work import Statement, Work

_TAKES = frozenset(
    each.kind for each in (Move.CAPTURE, Move.RECAPTURE, Move.EXIT, Move.RELEASED_ON_CHAIN, Move.UNDO_DEPOSIT)
)
_GIVES_BACK = frozenset(each.kind for each in (Move.UNCAPTURE, Move.UNDO_EXIT, Move.UNDO_RELEASED_ON_CHAIN))
_DEPOSIT, _UNDO_DEPOSIT, _CAPTURE = Move.DEPOSIT.kind, Move.UNDO_DEPOSIT.kind, Move.CAPTURE.kind
CHANGES: Mapping[str, int] = {_DEPOSIT: 1, **dict.fromkeys(_TAKES, -1), **dict.fromkeys(_GIVES_BACK, 1)}
"""How a kind of transfer changes the free credits of its account."""
_UNDO = "undo/"
_RELEASED = Move.RELEASED_ON_CHAIN.kind

_progress = Statement(select(lot_progress.c.position).where(lot_progress.c.one == 1).with_for_update())
_advance = Statement(update(lot_progress).where(lot_progress.c.one == 1).values(position=bindparam("last")))
_sealed = Statement(
    select(
        seals.c.position,
        transfers.c.seq,
        transfers.c.kind,
        transfers.c.debit,
        transfers.c.credit,
        transfers.c.amount,
        transfers.c.reference,
        transfers.c.at,
    )
    .join_from(
        seals,
        transfers,
        and_(
            seals.c.source == int(Source.TRANSFERS),
            transfers.c.seq == seals.c.row_seq,
            or_(*(transfers.c.kind == kind for kind in CHANGES)),
        ),
        isouter=True,
    )
    .where(seals.c.position > bindparam("mark"))
    .order_by(seals.c.position)
    .limit(bindparam("most"))
)
_COLUMNS = (lots.c.seq, lots.c.amount, lots.c.remaining, lots.c.reference, lots.c.undone_at)
_filled = Statement(
    select(*_COLUMNS).where(lots.c.account == bindparam("its_account"), lots.c.remaining > 0).order_by(lots.c.seq)
)
_drawn = Statement(
    select(*_COLUMNS)
    .where(lots.c.account == bindparam("its_account"), lots.c.remaining < lots.c.amount)
    .order_by(lots.c.seq)
)
_without_lot = Statement(
    select(func.coalesce(func.sum(lot_uses.c.amount), 0)).where(
        lot_uses.c.account == bindparam("its_account"), lot_uses.c.lot.is_(None)
    )
)
_refunded = Statement(select(lot_refunds.c.lot).where(lot_refunds.c.released == bindparam("place")))
_NEW = ("account", "token", "reference", "transfer", "amount", "remaining", "at", "undone_at")
_insert_lot = Statement(Insert(lots).values({name: bindparam(name) for name in _NEW}).returning(lots.c.seq))
_LOTS = Bulk("update", lots, ("seq", "remaining", "undone_at"))
_USES = Bulk("insert", lot_uses, ("lot", "account", "transfer", "kind", "request", "amount", "at"))


@dataclass(slots=True)
class _Transfer:
    seq: int
    kind: str
    account: str
    token: str
    amount: int
    reference: str
    at: int


@dataclass(slots=True)
class _Lot:
    seq: int
    amount: int
    remaining: int
    reference: str
    undone_at: int | None


@dataclass(slots=True)
class _LotBook:
    """The lots of one account as far as they matter, and what lies outside of them (``outside``: taken from no lot)."""

    work: Work
    account: str
    by_seq: dict[int, _Lot] = field(default_factory=dict)
    outside: int = 0
    uses: list[Row] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)
    all_drawn: bool = False

    @classmethod
    def load(cls, work: Work, account: str) -> "_LotBook":
        row = work.row(_without_lot, its_account=account)
        book = cls(work, account, outside=int(row[0]) if row is not None else 0)
        book._add(work.rows(_filled, its_account=account))
        return book

    def _add(self, rows: Any) -> None:
        for row in rows:
            self.by_seq.setdefault(row[0], _Lot(*row))

    def deposit(self, transfer: _Transfer) -> None:
        row = self.work.row(
            _insert_lot,
            account=self.account,
            token=transfer.token,
            reference=transfer.reference,
            transfer=transfer.seq,
            amount=transfer.amount,
            remaining=transfer.amount,
            at=transfer.at,
            undone_at=None,
        )
        if row is None:
            raise LookupError(transfer.reference)
        lot = self.by_seq[row[0]] = _Lot(row[0], transfer.amount, transfer.amount, transfer.reference, None)
        if (early := min(self.outside, transfer.amount)) > 0:
            self._use(lot, early, transfer, request=None)
            self._outside(-early, transfer, request=None)

    def take(self, transfer: _Transfer) -> None:
        left = transfer.amount
        request = transfer.reference if transfer.kind == _CAPTURE else None
        if self.outside < 0:
            left -= (free := min(left, -self.outside))
            self._outside(free, transfer, request)
        for lot in self._in_turn(transfer):
            if left == 0:
                break
            left -= (given := min(left, lot.remaining))
            self._use(lot, given, transfer, request)
        self._outside(left, transfer, request)

    def give_back(self, transfer: _Transfer) -> None:
        left = transfer.amount
        if self.outside > 0:
            left -= (owed := min(left, self.outside))
            self._outside(-owed, transfer, request=None)
        if not self.all_drawn:
            self._add(self.work.rows(_drawn, its_account=self.account))
            self.all_drawn = True
        for lot in sorted(self.by_seq.values(), key=lambda each: -each.seq):
            room = 0 if lot.undone_at is not None else lot.amount - lot.remaining
            left -= (fits := min(left, room))
            self._use(lot, -fits, transfer, request=None)
        self._outside(-left, transfer, request=None)

    def _in_turn(self, transfer: _Transfer) -> Iterator[_Lot]:
        """Oldest first; before all, the lot of a deposit that the chain took back, or the one that is refunded."""
        ordered = sorted(self.by_seq.values(), key=lambda each: each.seq)
        if transfer.kind == _UNDO_DEPOSIT:
            undone = transfer.reference.removeprefix(_UNDO)
            for lot in ordered:
                if lot.reference == undone:
                    lot.undone_at = transfer.at
                    self.changed.add(lot.seq)
                    yield lot
        if transfer.kind == _RELEASED:
            row = self.work.row(_refunded, place=transfer.reference)
            if row is not None and row[0] in self.by_seq:
                yield self.by_seq[row[0]]
        yield from ordered

    def _use(self, lot: _Lot, amount: int, transfer: _Transfer, request: str | None) -> None:
        if amount:
            lot.remaining -= amount
            self.changed.add(lot.seq)
            self.uses.append((lot.seq, *self._of(transfer, request, amount)))

    def _outside(self, amount: int, transfer: _Transfer, request: str | None) -> None:
        if amount:
            self.outside += amount
            self.uses.append((None, *self._of(transfer, request, amount)))

    def _of(self, transfer: _Transfer, request: str | None, amount: int) -> Row:
        return self.account, transfer.seq, transfer.kind, request, amount, transfer.at


def trace_lots(work: Work, command: TraceLots) -> Done:
    """Follow up to ``limit`` seals; ``changed`` counts them. Whoever holds the mark follows; others then find it moved."""
    mark = work.row(_progress)
    rows = work.rows(_sealed, mark=0 if mark is None else mark[0], most=command.limit)
    if not rows:
        return Done(0)
    books: dict[str, _LotBook] = {}
    for position, *found in rows:
        del position
        if found[0] is None:
            continue
        transfer = _read(found)
        if (book := books.get(transfer.account)) is None:
            book = books[transfer.account] = _LotBook.load(work, transfer.account)
        if transfer.kind == _DEPOSIT:
            book.deposit(transfer)
        elif transfer.kind in _TAKES:
            book.take(transfer)
        else:
            book.give_back(transfer)
    work.run(_advance, last=rows[-1][0])
    changed = [
        (lot.seq, lot.remaining, lot.undone_at)
        for _, book in sorted(books.items())
        for seq in sorted(book.changed)
        for lot in (book.by_seq[seq],)
    ]
    work.write_later([(_LOTS, changed), (_USES, [use for _, book in sorted(books.items()) for use in book.uses])])
    return Done(len(rows))


def _read(found: Any) -> _Transfer:
    """One side names the account's bucket, the other its token's book or another bucket."""
    seq, kind, debit, credit, amount, reference, at = found
    giver, receiver = debit.partition(":")[2], credit.partition(":")[2]
    account, token = (receiver, giver) if kind == _DEPOSIT else (giver, receiver)
    if kind in {Move.UNDO_EXIT.kind, Move.UNDO_RELEASED_ON_CHAIN.kind}:
        account, token = receiver, giver
    return _Transfer(seq, kind, account, token, amount, reference, at)
