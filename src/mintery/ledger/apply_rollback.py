"""Taking back the last recorded block: what each of its events did is undone by transfers that run the other way.

Blocks are undone newest first, and a block's events last first, so each finds its accounts as it left them, but for the
requests that were placed and charged meanwhile. What those were promised is then short, and whoever bears a shortfall
bears this one (see ``books``); when the same credits come again, they cover it.
"""

import json
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, literal, null, select, update
from sqlalchemy.dialects.postgresql import Insert

from mintery.domain.voucher import AccountId
from mintery.errors import LedgerInconsistent
from mintery.ledger.books import Move, OpenAccount
from mintery.ledger.chain_rows import Place, last_block, lock_chain, place_of, set_epoch, set_exit
from mintery.ledger.commands import Done, MarkFinal, NotWritten, RollBackBlock
from mintery.ledger.covering import cover, turn_epoch
from mintery.ledger.limits import count_again
from mintery.ledger.refund_marks import refund_unreleased
from mintery.ledger.schema import batch_lines, batches, blocks, events, finality, requests, undone_blocks, vouchers
from mintery.ledger.work import Statement, Work, insert_of, micros

_new_mark = Insert(finality).values(one=literal(1, finality.c.one.type), number=bindparam("number"))
_mark_final = Statement(
    _new_mark.on_conflict_do_update(
        index_elements=[finality.c.one],
        set_={"number": _new_mark.excluded.number},
        where=finality.c.number < _new_mark.excluded.number,
    )
)
_final = Statement(select(finality.c.number))
_undone_at = Statement(select(func.max(undone_blocks.c.undone_at)).where(undone_blocks.c.hash == bindparam("hash")))
_its_events = Statement(
    select(events.c.log_index, events.c.kind, events.c.account, events.c.amount, events.c.batch_id, events.c.earlier)
    .where(events.c.block_hash == bindparam("hash"))
    .order_by(events.c.log_index.desc())
)
_insert_undone = Statement(insert_of(undone_blocks))
_drop_events = Statement(delete(events).where(events.c.block_hash == bindparam("hash")))
_drop_block = Statement(delete(blocks).where(blocks.c.hash == bindparam("hash")))
_settled_batch = Statement(
    select(batches.c.seq)
    .where(batches.c.batch_id == bindparam("batch_id"), batches.c.settled_block == bindparam("hash"))
    .with_for_update()
)
_ITS_VOUCHER = (vouchers.c.account == batch_lines.c.account) & (vouchers.c.digest == batch_lines.c.voucher)
_lines = Statement(
    select(batch_lines.c.account, batch_lines.c.due, batch_lines.c.burned, batch_lines.c.recovered, vouchers.c.epoch)
    .join_from(batch_lines, vouchers, _ITS_VOUCHER)
    .where(batch_lines.c.batch == bindparam("batch"))
    .order_by(batch_lines.c.position.desc())
)
_reopen_lines = Statement(
    update(batch_lines)
    .where(batch_lines.c.batch == bindparam("its_batch"))
    .values(status=null(), burned=null(), recovered=null())
)
_reopen_batch = Statement(
    update(batches).where(batches.c.seq == bindparam("its_batch")).values(settled_block=null(), settled_tx=null())
)
_limited = Statement(
    select(requests.c.id).where(
        requests.c.batch == bindparam("its_batch"),
        requests.c.account == bindparam("account"),
        requests.c.limits > 0,
    )
)


def mark_final(work: Work, command: MarkFinal) -> Done:
    return Done(work.run(_mark_final, number=command.number))


def roll_back_block(work: Work, command: RollBackBlock) -> Done | NotWritten:
    """Undo the last recorded block; refused when it is another one, or when it is final."""
    lock_chain(work)
    at = micros(command.at)
    last = last_block(work)
    if last is None or last.hash != command.hash:
        row = work.row(_undone_at, hash=command.hash)
        done = row is not None and row[0] == at
        return Done(0) if done else NotWritten(f"block {command.hash} is not the last one recorded")
    final = work.row(_final)
    if final is not None and last.number <= final[0]:
        return NotWritten(f"block {last.number} is final, as is every block up to {final[0]}")

    place_at = place_of(work, last)
    recorded = work.rows(_its_events, hash=last.hash)
    for row in recorded:
        event = _Event(*row)
        _undo(work, place_at(event.log_index), event)
    work.run(
        _insert_undone,
        hash=last.hash,
        number=last.number,
        parent=last.parent,
        timestamp=last.timestamp,
        events=json.dumps([list(row) for row in reversed(recorded)], separators=(",", ":")),
        undone_at=at,
    )
    work.run(_drop_events, hash=last.hash)
    work.run(_drop_block, hash=last.hash)
    return Done(1)


class _Event(NamedTuple):
    log_index: int
    kind: str
    account: AccountId | None
    amount: int | None
    batch_id: int | None
    earlier: str | None


def _undo(work: Work, place: Place, event: _Event) -> None:
    account, amount, earlier = event.account, event.amount or 0, event.earlier
    if event.batch_id is not None:
        _undo_settled(work, place, event.batch_id)
        return
    if account is None:
        raise LedgerInconsistent(f"event {place.reference} names no account")
    match event.kind:
        case "Deposit":
            opened = _open(work, place, account)
            opened.free(amount)
            opened.move(Move.UNDO_DEPOSIT, amount)
            opened.save()
        case "Released":
            opened = _open(work, place, account)
            opened.move(Move.UNDO_RELEASED_ON_CHAIN, amount)
            cover(opened)
            opened.save()
            refund_unreleased(work, account, amount, place.reference)
        case "ExitStarted" | "ExitCancelled" | "ExitExecuted":
            if earlier is None:
                raise LedgerInconsistent(f"event {place.reference} was recorded before events could be undone")
            epoch, spent_settled, exiting, unlock, closing = json.loads(earlier)
            if event.kind == "ExitExecuted":
                _undo_exit(work, place, account, amount, epoch=epoch, spent_settled=spent_settled)
            work.run(set_exit, account=account, amount=exiting, unlock=unlock, flag=closing)
        case _:
            raise LedgerInconsistent(f"event {place.reference} is of an unknown kind, {event.kind}")


def _open(work: Work, place: Place, account: AccountId) -> OpenAccount:
    opened = OpenAccount.lock(work, account, reference=place.undone, at=place.at)
    if opened is None:
        raise LedgerInconsistent(f"account {account} of event {place.reference} is unknown")
    return opened


def _undo_exit(work: Work, place: Place, account: AccountId, amount: int, *, epoch: int, spent_settled: int) -> None:
    opened = OpenAccount.lock(work, account, reference=place.undone, at=place.at)
    if opened is None or opened.token is None:
        work.run(set_epoch, account=account, new=epoch)
        return
    opened.move(Move.UNDO_EXIT, amount)
    if epoch == opened.epoch:
        cover(opened)
    else:
        turn_epoch(opened, epoch, spent_settled)
    opened.save()


def _undo_settled(work: Work, place: Place, batch_id: int) -> None:
    """The batch is open again, and its receipts are unsettled: its attempts may take effect in another block."""
    row = work.row(_settled_batch, batch_id=batch_id, hash=place.block.hash)
    if row is None:
        raise LedgerInconsistent(f"batch {batch_id} is not recorded as settled in block {place.block.hash}")
    for line in work.rows(_lines, batch=row[0]):
        _undo_line(work, place, row[0], line)
    work.run(_reopen_lines, its_batch=row[0])
    work.run(_reopen_batch, its_batch=row[0])


def _undo_line(work: Work, place: Place, batch: int, line: Any) -> None:
    """A line of an epoch that had ended did nothing, and there is nothing to undo."""
    account, due, burned, recovered, epoch = line
    more = recovered or 0
    opened = _open(work, place, account)
    if epoch != opened.epoch:
        return
    opened.move(Move.UNDO_BURN, burned + more)
    opened.move(Move.UNDO_LOSS, due - burned)
    # What an earlier batch had lost is lost again.
    opened.uncapture(more)
    opened.move(Move.LOSS, more)
    opened.spent_settled -= burned + more
    cover(opened)
    opened.save()
    for (request,) in work.rows(_limited, its_batch=batch, account=account):
        count_again(work, request)
