"""Receipts that can never settle, given up by the operator: the charge is a loss, and the holder's credits are free."""

from sqlalchemy import bindparam, select

from mintery.domain.hold import Ending
from mintery.errors import LedgerInconsistent
from mintery.ledger.books import Book, Move, OpenAccount
from mintery.ledger.commands import Done, NotWritten, WriteOff
from mintery.ledger.covering import cover
from mintery.ledger.limits import free_limits
from mintery.ledger.schema import batches, requests, write_offs
from mintery.ledger.work import Statement, Work, insert_of, micros

_written = Statement(select(write_offs.c.seq).where(write_offs.c.request == bindparam("request")))
_account_of = Statement(select(requests.c.account).where(requests.c.id == bindparam("request")))
# Locked: a batch that is being formed either has it already, or does not get it.
_charged = Statement(
    select(requests.c.captured, requests.c.epoch, requests.c.batch, requests.c.limits)
    .where(requests.c.id == bindparam("request"))
    .with_for_update()
)
_batch_id = Statement(select(batches.c.batch_id).where(batches.c.seq == bindparam("batch")))
_insert = Statement(insert_of(write_offs))


def write_off(work: Work, command: WriteOff) -> Done | NotWritten:
    """Give up what the receipt charged, once; refused while a batch has it, whatever became of that batch."""
    request = command.request
    account = work.row(_account_of, request=request)
    if account is None:
        return NotWritten(f"there is no request {request}")
    at = micros(command.at)
    opened = OpenAccount.lock(work, account[0], reference=f"{request}/write_off", at=at)
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
