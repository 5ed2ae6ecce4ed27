"""Following the transfers in the order in which they were sealed: which lot gave what (see ``lot_books``)."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy import CompoundSelect, Select, and_, bindparam, func, or_, select, union_all, update
from sqlalchemy.dialects.postgresql import Insert

from mintery.ledger.books import Book, Move
from mintery.ledger.bulk import Bulk
from mintery.ledger.commands import Done
from mintery.ledger.commands_lots import TraceLots
from mintery.ledger.freezing import claim_order, claimed_order_at, lock_accounts, refreeze
from mintery.ledger.lot_books import (
    CHANGES,
    DEPOSIT,
    RELEASES,
    UNDO_DEPOSIT,
    LotBook,
    LotState,
    RefundState,
    TransferSeen,
)
from mintery.ledger.schema import seal_gaps, seal_marks, seals, transfers
from mintery.ledger.schema_lots import lot_progress, lot_uses, lots
from mintery.ledger.schema_refunds import lot_refunds, lot_releases, lot_set_asides
from mintery.ledger.sealing import Source
from mintery.ledger.work import Statement, Work

_progress = Statement(select(lot_progress.c.position).where(lot_progress.c.one == 1).with_for_update())
_advance = Statement(update(lot_progress).where(lot_progress.c.one == 1).values(position=bindparam("last")))
_READ = (
    transfers.c.seq,
    transfers.c.kind,
    transfers.c.debit,
    transfers.c.credit,
    transfers.c.amount,
    transfers.c.reference,
    transfers.c.at,
)
_IS_CHANGE = or_(*(transfers.c.kind == kind for kind in CHANGES))
_IS_TRANSFER = seals.c.source == int(Source.TRANSFERS)
_sealed = Statement(
    select(seals.c.position, *_READ)
    .join_from(
        seals,
        transfers,
        and_(_IS_TRANSFER, transfers.c.seq == seals.c.row_seq, _IS_CHANGE),
        isouter=True,
    )
    .where(seals.c.position > bindparam("mark"))
    .order_by(seals.c.position)
    .limit(bindparam("most"))
)


def _untraced_of_account() -> CompoundSelect[Any]:
    """Sealed and not followed yet, not sealed yet, or in a gap of the seals: one statement, so one state of the ledger."""
    mine = and_(
        _IS_CHANGE,
        or_(
            transfers.c.credit == bindparam("available"),
            transfers.c.debit == bindparam("available"),
            transfers.c.debit == bindparam("held"),
        ),
    )
    sealed: Select[Any] = select(*_READ).join_from(
        seals, transfers, and_(_IS_TRANSFER, transfers.c.seq == seals.c.row_seq)
    )
    fresh: Select[Any] = select(*_READ).join_from(seal_marks, transfers, transfers.c.seq > seal_marks.c.through)
    late: Select[Any] = select(*_READ).join_from(
        seal_gaps, transfers, transfers.c.seq.between(seal_gaps.c.first, seal_gaps.c.last)
    )
    return union_all(
        sealed.where(seals.c.position > bindparam("mark"), mine),
        fresh.where(seal_marks.c.source == int(Source.TRANSFERS), mine),
        late.where(seal_gaps.c.source == int(Source.TRANSFERS), mine),
    ).order_by("seq")


_untraced = Statement(_untraced_of_account())
_COLUMNS = (
    *(lots.c.seq, lots.c.amount, lots.c.remaining, lots.c.refunded, lots.c.reference, lots.c.undone_at),
    *(lots.c.claimed, lots.c.frozen),
)
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
_refund = (
    select(
        lot_refunds.c.id,
        lot_refunds.c.lot,
        lot_refunds.c.amount,
        lot_set_asides.c.asked_after,
        lot_set_asides.c.failed_after,
        lot_set_asides.c.followed,
    )
).join_from(lot_refunds, lot_set_asides, lot_set_asides.c.refund == lot_refunds.c.id)
_unfollowed = Statement(
    _refund.where(lot_set_asides.c.account == bindparam("its_account"), lot_set_asides.c.followed == 0)
)
_released_at = Statement(
    _refund.join(lot_releases, lot_releases.c.refund == lot_refunds.c.id).where(
        lot_releases.c.place == bindparam("its_place")
    )
)
_NEW = ("account", "token", "reference", "transfer", "amount", "remaining", "at", "undone_at")
_insert_lot = Statement(Insert(lots).values({name: bindparam(name) for name in _NEW}).returning(lots.c.seq))
_LOTS = Bulk("update", lots, ("seq", "remaining", "refunded", "undone_at"))
_USES = Bulk("insert", lot_uses, ("lot", "account", "transfer", "kind", "request", "amount", "at"))
_REFUNDS = Bulk("update", lot_set_asides, ("refund", "followed"))
_NOT_A_LOT_YET = 1 << 62

_Insert = Callable[[TransferSeen], int]


class _Books:
    """The books of the accounts that a run meets, read when they are first needed. ``insert``: a deposit's new lot's number."""

    def __init__(self, work: Work, insert: _Insert) -> None:
        self._work = work
        self._insert = insert
        self._books: dict[str, LotBook] = {}
        self._all_drawn: set[str] = set()

    def __iter__(self) -> Iterator[LotBook]:
        return iter(book for _, book in sorted(self._books.items()))

    def of(self, account: str) -> LotBook:
        if (book := self._books.get(account)) is None:
            row = self._work.row(_without_lot, its_account=account)
            book = self._books[account] = LotBook(account, outside=int(row[0]) if row is not None else 0)
            self._add_lots(book, self._work.rows(_filled, its_account=account))
            self._add_refunds(book, self._work.rows(_unfollowed, its_account=account))
        return book

    def follow(self, transfer: TransferSeen) -> None:
        book = self.of(transfer.account)
        if transfer.kind == DEPOSIT:
            amount = transfer.amount
            book.deposit(LotState(self._insert(transfer), amount, amount, 0, transfer.reference, None), transfer)
            return
        if (CHANGES[transfer.kind] > 0 or transfer.kind == UNDO_DEPOSIT) and transfer.account not in self._all_drawn:
            self._add_lots(book, self._work.rows(_drawn, its_account=transfer.account))
            self._all_drawn.add(transfer.account)
        refund = None
        if transfer.kind in RELEASES and (found := self._work.rows(_released_at, its_place=transfer.undone)):
            self._add_refunds(book, found)
            refund = found[0][0]
        book.follow(transfer, refund)

    @staticmethod
    def _add_lots(book: LotBook, rows: Iterable[Any]) -> None:
        for row in rows:
            book.lots.setdefault(row[0], LotState(*row))

    @staticmethod
    def _add_refunds(book: LotBook, rows: Iterable[Any]) -> None:
        for name, lot, amount, asked_after, failed_after, followed in rows:
            refund = RefundState(name, lot, amount, asked_after, failed_after, bool(followed))
            book.refunds.setdefault(name, refund)


def trace_lots(work: Work, command: TraceLots) -> Done:
    """Follow up to ``limit`` seals; ``changed`` counts them. Whoever holds the mark follows; others then find it moved."""
    mark = work.row(_progress)
    rows = work.rows(_sealed, mark=0 if mark is None else mark[0], most=command.limit)
    if not rows:
        return Done(0)
    books = _Books(work, lambda transfer: _new_lot(work, transfer))
    disputed: list[tuple[str, str]] = []
    for _, *found in rows:
        if found[0] is not None:
            books.follow(transfer := _read(found))
            if transfer.kind == DEPOSIT and (order := claimed_order_at(work, transfer.reference)) is not None:
                disputed.append((transfer.account, order))
    work.run(_advance, last=rows[-1][0])
    met = list(books)
    changed = [
        (lot.seq, lot.remaining, lot.refunded, lot.undone_at)
        for book in met
        for lot in (book.lots[seq] for seq in sorted(book.changed))
    ]
    followed = [(name, int(book.refunds[name].followed)) for book in met for name in sorted(book.followed)]
    work.write_later([(_LOTS, changed), (_USES, [use for book in met for use in book.uses]), (_REFUNDS, followed)])
    claimed = {book.account: seqs for book in met if (seqs := book.claimed_lots())}
    lock_accounts(work, {*claimed, *(account for account, _ in disputed)})
    for _, order in disputed:
        claim_order(work, order)
    for seqs in claimed.values():
        for seq in seqs:
            refreeze(work, seq)
    return Done(len(rows))


def lock_progress(work: Work) -> int:
    """Nobody else follows transfers until this transaction ends; how far they were followed."""
    row = work.row(_progress)
    return 0 if row is None else int(row[0])


def book_as_it_stands(work: Work, account: str, *, mark: int) -> LotBook:
    """What the lots of ``account`` are after all its transfers, those included that were not followed to here (``mark``), nor
    sealed. Its row is locked: no transfer of it is on its way. Nothing of this is written.
    """
    books = _Books(work, lambda transfer: _NOT_A_LOT_YET + transfer.seq)
    sides = {side: f"{book.value}:{account}" for side, book in (("available", Book.AVAILABLE), ("held", Book.HELD))}
    for found in work.rows(_untraced, mark=mark, **sides):
        books.follow(_read(found))
    return books.of(account)


def _new_lot(work: Work, transfer: TransferSeen) -> int:
    row = work.row(
        _insert_lot,
        account=transfer.account,
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
    return int(row[0])


def _read(found: Any) -> TransferSeen:
    """One side names the account's bucket, the other its token's book or another bucket."""
    seq, kind, debit, credit, amount, reference, at = found
    giver, receiver = debit.partition(":")[2], credit.partition(":")[2]
    account, token = (receiver, giver) if kind == DEPOSIT else (giver, receiver)
    if kind in {Move.UNDO_EXIT.kind, Move.UNDO_RELEASED_ON_CHAIN.kind}:
        account, token = receiver, giver
    return TransferSeen(seq, kind, account, token, amount, reference, at)
