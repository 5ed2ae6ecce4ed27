"""A batch as the chain settled it: what was burned, and what of it the operator bears."""

from typing import Any

from sqlalchemy import bindparam, select, update

from mintery.domain.batch import LineOutcome
from mintery.domain.hold import Ending, RequestId
from mintery.errors import LedgerInconsistent, OutcomeMismatch
from mintery.ledger.apply_batches import restore_batch
from mintery.ledger.books import Book, Move, OpenAccount
from mintery.ledger.commands import BatchSettledSeen, Block
from mintery.ledger.limits import free_limits
from mintery.ledger.schema import batch_lines, batches, requests, vouchers
from mintery.ledger.work import Statement, Work
from mintery.units import CreditUnits, nanocredits

_standing_batch = Statement(
    select(batches.c.seq, batches.c.receipts_root, batches.c.settled_block)
    .where(batches.c.batch_id == bindparam("batch_id"), batches.c.abandoned_at.is_(None))
    .with_for_update()
)
_ITS_VOUCHER = (vouchers.c.account == batch_lines.c.account) & (vouchers.c.digest == batch_lines.c.voucher)
_lines = Statement(
    select(
        batch_lines.c.position, batch_lines.c.account, batch_lines.c.due, vouchers.c.epoch, batch_lines.c.spent_after
    )
    .join_from(batch_lines, vouchers, _ITS_VOUCHER)
    .where(batch_lines.c.batch == bindparam("batch"))
    .order_by(batch_lines.c.position)
)
_settle_line = Statement(
    update(batch_lines)
    .where(batch_lines.c.batch == bindparam("its_batch"), batch_lines.c.position == bindparam("line"))
    .values(status=bindparam("outcome"), burned=bindparam("taken"), recovered=bindparam("more"))
)
_settle_batch = Statement(
    update(batches)
    .where(batches.c.seq == bindparam("its_batch"))
    .values(settled_block=bindparam("block"), settled_tx=bindparam("tx"))
)
_limited = Statement(select(requests.c.id).where(requests.c.batch == bindparam("its_batch"), requests.c.limits > 0))


_any_batch = Statement(select(batches.c.seq).limit(1))
_NEW = (
    "this ledger has formed none, so the gateway settled from another ledger before. Restore that one and name it "
    "(MINTERY_LEDGER or --ledger); if it is lost, begin with a new gateway identity (MINTERY_GATEWAY_ADDRESS), for which "
    "holders deposit anew"
)


def apply_settled(
    work: Work, event: BatchSettledSeen, *, block: Block, reference: str, at: int
) -> tuple[RequestId, ...]:
    """The receipts root in the event names the batch, also one that was abandoned here. Receipts whose write-off that undid.

    Raises:
        OutcomeMismatch: the batch, its receipts or its lines are not recorded here.
    """
    found = work.row(_standing_batch, batch_id=event.batch_id)
    another = found is None or bytes(found[1]) != event.receipts_root
    undone: tuple[RequestId, ...] | None = None
    if another and (undone := restore_batch(work, event.batch_id, event.receipts_root, at=at)) is not None:
        found = work.row(_standing_batch, batch_id=event.batch_id)
    if found is None:
        formed = work.row(_any_batch) is not None
        raise OutcomeMismatch(event.batch_id, "no such batch was formed here, or it was abandoned" if formed else _NEW)
    batch, root, settled_block = found
    if settled_block is not None:
        raise OutcomeMismatch(event.batch_id, f"it settled before, in block {settled_block}")
    if bytes(root) != event.receipts_root:
        raise OutcomeMismatch(event.batch_id, "its receipts root is another one")
    lines = work.rows(_lines, batch=batch)
    if len(lines) != len(event.outcomes):
        raise OutcomeMismatch(event.batch_id, f"it has {len(event.outcomes)} lines there and {len(lines)} here")

    for line, outcome in zip(lines, event.outcomes, strict=True):
        _settle(work, event.batch_id, line, outcome, reference=reference, at=at)
        due, burned = line[2], outcome.burned
        work.run(
            _settle_line,
            its_batch=batch,
            line=line[0],
            outcome=int(outcome.status),
            taken=min(burned, due),
            more=max(burned - due, 0),
        )
    work.run(_settle_batch, its_batch=batch, block=block.hash, tx=event.tx_hash)
    for (request,) in work.rows(_limited, its_batch=batch):
        free_limits(work, request, {Ending.SETTLEMENT: 0})
    return undone or ()


def _settle(work: Work, batch_id: int, line: Any, outcome: LineOutcome, *, reference: str, at: int) -> None:
    """Burn what the chain burned; the rest of what was due is lost.

    A voucher's counter is cumulative: where an earlier batch was undone and settled again for less, this line burns what
    that one had lost.
    """
    _, account, due, epoch, spent_after = line
    burned = outcome.burned
    opened = OpenAccount.lock(work, account, reference=reference, at=at)
    if opened is None:
        raise LedgerInconsistent(f"account {account} of batch {batch_id} is unknown")
    if epoch != opened.epoch:
        if burned:
            raise OutcomeMismatch(batch_id, f"account {account} burned {burned} in epoch {epoch}, which had ended here")
        return

    most = nanocredits(CreditUnits(int(spent_after))) - opened.spent_settled
    if burned > most:
        raise OutcomeMismatch(batch_id, f"account {account} burned {burned} there; {most} was due")
    opened.move(Move.UNDO_LOSS, max(burned - due, 0))
    lost = max(due - burned, 0)
    opened.uncapture(max(lost - opened[Book.UNCOVERED], 0))
    opened.move(Move.LOSS, lost)
    if burned > opened.on_chain:
        raise LedgerInconsistent(f"account {account} burned {burned} on chain and has {opened.on_chain} here")
    opened.recapture(burned)
    opened.move(Move.BURN, burned)
    opened.spent_settled += burned
    opened.save()
