"""Receipts that can never settle, given up by the operator: the charge is a loss, and the holder's credits are free.

Should the chain settle one after all, in a batch whose attempt was believed dead, its write-off is undone by transfers that
run the other way: it is owed again, and paid by what is available as far as that goes.
"""

from sqlalchemy import bindparam, func, select

from mintery.domain.hold import Ending, RequestId
from mintery.errors import LedgerInconsistent
from mintery.ledger.books import Book, Move, OpenAccount
from mintery.ledger.commands import Done, NotWritten, WriteOff
from mintery.ledger.covering import cover
from mintery.ledger.limits import count_again, free_limits
from mintery.ledger.schema import batches, requests, undone_write_offs, write_offs
from mintery.ledger.work import Statement, Work, insert_of, micros
from mintery.ledger.written_off import is_standing, is_written_off

_written = Statement(select(write_offs.c.seq).where(write_offs.c.request == bindparam("request"), is_standing()))
_times = Statement(select(func.count()).select_from(write_offs).where(write_offs.c.request == bindparam("request")))
_account_of = Statement(select(requests.c.account).where(requests.c.id == bindparam("request")))
# Locked: a batch that is being formed either has it already, or does not get it.
_charged = Statement(
    select(requests.c.captured, requests.c.epoch, requests.c.batch, requests.c.limits)
    .where(requests.c.id == bindparam("request"))
    .with_for_update()
)
_batch_id = Statement(select(batches.c.batch_id).where(batches.c.seq == bindparam("batch")))
_insert = Statement(insert_of(write_offs))
_insert_undone = Statement(insert_of(undone_write_offs))
_in_batch = Statement(
    select(requests.c.id, requests.c.account, requests.c.captured, requests.c.epoch, requests.c.limits)
    .where(requests.c.batch == bindparam("batch"), is_written_off(requests.c.id))
    .order_by(requests.c.account, requests.c.id)
)


def write_off(work: Work, command: WriteOff) -> Done | NotWritten:
    """Give up what the receipt charged, once, and again only after that was undone; refused while a batch has it, whatever became
    of that batch.
    """
    request = command.request
    account = work.row(_account_of, request=request)
    if account is None:
        return NotWritten(f"there is no request {request}")
    at = micros(command.at)
    opened = OpenAccount.lock(work, account[0], reference=_reference(request, _times_written(work, request)), at=at)
    if opened is None:
        raise LedgerInconsistent(f"account {account[0]} of request {request} is unknown")
    row = work.row(_charged, request=request)
    if work.row(_written, request=request) is not None:
        return Done(0)
    if row is None or not row[0]:
        return NotWritten(f"request {request} charged nothing")
    cost, epoch, batch, limits = row
    if batch is not None:
        its = work.row(_batch_id, batch=batch)
        return NotWritten(f"receipt {request} is in batch {'?' if its is None else its[0]}")

    work.run(_insert, request=request, account=opened.id, amount=cost, reason=command.reason, at=at)
    if epoch == opened.epoch:  # else it was lost when its epoch ended
        opened.uncapture(max(cost - opened[Book.UNCOVERED], 0))
        opened.move(Move.LOSS, cost)
        cover(opened)
        opened.save()
        if limits:
            free_limits(work, request, {Ending.SETTLEMENT: 0})
    return Done(1)


def undo_write_offs(work: Work, batch: int, batch_id: int, *, at: int) -> tuple[RequestId, ...]:
    """Of the receipts that ``batch`` has, which stands again; ``at`` is microseconds since 1970."""
    rows = work.rows(_in_batch, batch=batch)
    for request, account, cost, epoch, limits in rows:
        written = work.row(_written, request=request)
        if written is None:
            raise LedgerInconsistent(f"the write-off of request {request} is gone")
        work.run(_insert_undone, request=request, batch_id=batch_id, at=at, write_off=written[0])
        reference = f"{_reference(request, _times_written(work, request) - 1)}/undone"
        opened = OpenAccount.lock(work, account, reference=reference, at=at)
        if opened is None:
            raise LedgerInconsistent(f"account {account} of request {request} is unknown")
        if epoch == opened.epoch:  # else it was lost when its epoch ended
            opened.move(Move.UNDO_LOSS, cost)
            cover(opened)
            opened.save()
            if limits:
                count_again(work, request)
    return tuple(RequestId(row[0]) for row in rows)


def _times_written(work: Work, request: str) -> int:
    row = work.row(_times, request=request)
    return 0 if row is None else int(row[0])


def _reference(request: str, before: int) -> str:
    """Of the transfers of a write-off that ``before`` others of the request came before."""
    return f"{request}/write_off" + (f"~{before}" if before else "")
