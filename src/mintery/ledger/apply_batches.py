"""The settlement outbox: intent, signed attempts, broadcast, or abandoned. What the chain made of it is in ``apply_settled``."""

from dataclasses import dataclass

from sqlalchemy import bindparam, exists, func, null, select, update

from mintery.crypto.vouchers import account_of, voucher_digest
from mintery.domain.batch import SettlementLine
from mintery.domain.hold import RequestId
from mintery.domain.voucher import AccountId, Address
from mintery.ledger.apply_write_offs import undo_write_offs
from mintery.ledger.commands import AbandonBatch, Done, FormBatch, MarkBroadcast, NotWritten, SaveAttempt
from mintery.ledger.rows import uint96_text, usage_text, voucher_row
from mintery.ledger.schema import (
    accounts,
    attempts,
    batch_lines,
    batch_receipts,
    batch_tokens,
    batches,
    requests,
    vouchers,
)
from mintery.ledger.work import Statement, Work, insert_of, micros
from mintery.ledger.written_off import is_written_off
from mintery.units import NanoCredits, credit_units

_OPEN = batches.c.abandoned_at.is_(None) & batches.c.settled_block.is_(None)
_standing = Statement(
    select(batches.c.seq, batches.c.receipts_root, batches.c.settled_block).where(
        batches.c.batch_id == bindparam("batch_id"), batches.c.abandoned_at.is_(None)
    )
)
_insert_batch = Statement(insert_of(batches).returning(batches.c.seq))
_insert_token = Statement(insert_of(batch_tokens))
_insert_line = Statement(insert_of(batch_lines))
_insert_batch_receipt = Statement(insert_of(batch_receipts))
_insert_voucher = Statement(insert_of(vouchers).on_conflict_do_nothing())
_claim_receipt = Statement(
    update(requests)
    .where(requests.c.id == bindparam("request"), requests.c.captured > 0, requests.c.batch.is_(None))
    .values(batch=bindparam("into"))
    .returning(requests.c.account, requests.c.captured, requests.c.epoch)
)
_spent_settled = Statement(
    select(accounts.c.epoch, accounts.c.spent_settled, accounts.c.token).where(accounts.c.id == bindparam("account"))
)
_in_open_batch = Statement(
    select(batches.c.batch_id)
    .join_from(batch_lines, batches, batch_lines.c.batch == batches.c.seq)
    .where(batch_lines.c.account == bindparam("account"), _OPEN)
    .limit(1)
)
# Locked, so that saving an attempt and abandoning the batch are never both decided by what was there before.
_open_batch = Statement(
    select(batches.c.seq).where(batches.c.batch_id == bindparam("batch_id"), _OPEN).with_for_update()
)
_written_off = Statement(
    select(requests.c.id).where(requests.c.batch == bindparam("its_batch"), is_written_off(requests.c.id)).limit(1)
)
_insert_attempt = Statement(insert_of(attempts).on_conflict_do_nothing())
_attempt = Statement(
    select(batches.c.batch_id, attempts.c.broadcast_at)
    .join_from(attempts, batches, attempts.c.batch == batches.c.seq)
    .where(attempts.c.tx_hash == bindparam("tx_hash"))
)
_broadcast = Statement(
    update(attempts)
    .where(
        attempts.c.tx_hash == bindparam("its_hash"),
        attempts.c.broadcast_at.is_(None),
        exists().where(batches.c.seq == attempts.c.batch, batches.c.abandoned_at.is_(None)),
    )
    .values(broadcast_at=bindparam("at"))
)
_later, _line, _later_line = batches.alias("later"), batch_lines.alias("line"), batch_lines.alias("later_line")
# Its lines count on from what this batch's would have spent: were it to settle alone, it would burn for both.
_stood_upon = (
    select(_later.c.seq)
    .join_from(_later, _later_line, _later_line.c.batch == _later.c.seq)
    .join(_line, _line.c.account == _later_line.c.account)
    .where(
        _line.c.batch == batches.c.seq,
        _later.c.seq > batches.c.seq,
        _later.c.abandoned_at.is_(None),
        _later.c.settled_block.is_(None),
    )
    .exists()
)
_abandon = Statement(
    update(batches)
    .where(
        batches.c.batch_id == bindparam("number"),
        batches.c.formed_at <= bindparam("at"),
        _OPEN,
        ~_stood_upon,
        select(func.count()).where(attempts.c.batch == batches.c.seq).scalar_subquery() <= bindparam("dead_attempts"),
    )
    .values(abandoned_at=bindparam("at"), why=bindparam("reason"))
    .returning(batches.c.seq)
)
_free_receipts = Statement(update(requests).where(requests.c.batch == bindparam("abandoned")).values(batch=null()))
_abandoned_with_root = Statement(
    select(batches.c.seq)
    .where(
        batches.c.batch_id == bindparam("batch_id"),
        batches.c.receipts_root == bindparam("receipts_root"),
        batches.c.abandoned_at.is_not(None),
    )
    .order_by(batches.c.seq.desc())
    .limit(1)
)
_give_way = Statement(
    update(batches)
    .where(batches.c.seq == bindparam("its_batch"), _OPEN)
    .values(abandoned_at=bindparam("at"), why=bindparam("reason"))
)
_stand_again = Statement(
    update(batches).where(batches.c.seq == bindparam("its_batch")).values(abandoned_at=null(), why=null())
)
_its_receipts = select(batch_receipts.c.request).where(batch_receipts.c.batch == bindparam("its_batch"))
_count_receipts = Statement(select(func.count()).where(batch_receipts.c.batch == bindparam("its_batch")))
_take_back = Statement(
    update(requests).where(requests.c.id.in_(_its_receipts), requests.c.batch.is_(None)).values(batch=bindparam("into"))
)
_last_abandoned = Statement(select(func.max(batches.c.abandoned_at)).where(batches.c.batch_id == bindparam("batch_id")))


@dataclass(frozen=True, slots=True)
class Due:
    """What the batch's receipts charge to one account, in nanocredits."""

    amount: NanoCredits
    receipts: int


def form_batch(work: Work, command: FormBatch) -> Done | NotWritten:
    """Record the batch if it says exactly what its receipts do, or change nothing.

    Every receipt is captured, of the account's epoch, and in no other batch; every line's counter rises by what its
    account's receipts cost; no account is in another open batch, whose outcome would move that counter.
    """
    batch = command.batch
    standing = work.row(_standing, batch_id=batch.batch_id)
    if standing is not None:
        same = bytes(standing[1]) == batch.receipts_root
        return Done(0) if same else NotWritten(f"batch {batch.batch_id} was formed with other receipts")
    with work.undoable() as undo:
        why = _form(work, command)
        if why is not None:
            undo.undo()
            return NotWritten(why)
    return Done(1)


def _form(work: Work, command: FormBatch) -> str | None:
    batch = command.batch
    row = work.row(
        _insert_batch,
        batch_id=batch.batch_id,
        gateway=batch.gateway,
        receipts_root=batch.receipts_root,
        formed_at=micros(command.formed_at),
        settled_block=None,
        settled_tx=None,
        abandoned_at=None,
        why=None,
    )
    if row is None:
        raise LookupError(batch.batch_id)
    seq = row[0]
    due, why = _claim(work, seq, command.receipts)
    position = 0
    for index, part in enumerate(batch.tokens):
        work.run(
            _insert_token,
            batch=seq,
            position=index,
            token=part.token,
            requests=part.requests,
            usage=usage_text(part.usage),
        )
        counted = 0
        for line in part.lines:
            taken = due.pop(account_of(line.signed), None)
            why = why or _record_line(work, seq, position, token=part.token, line=line, due=taken)
            counted += taken.receipts if taken else 0
            position += 1
        if counted != part.requests:
            why = why or f"token {part.token} states {part.requests} requests; its receipts are {counted}"
    if due:
        why = why or f"no line settles the receipts of account {next(iter(due))}"
    return why


def _claim(work: Work, seq: int, receipts: tuple[RequestId, ...]) -> tuple[dict[AccountId, Due], str | None]:
    """Take the receipts into the batch and sum them by account."""
    due: dict[AccountId, Due] = {}
    epochs: dict[AccountId, int] = {}
    for position, request in enumerate(receipts):
        row = work.row(_claim_receipt, request=request, into=seq)
        if row is None:
            return due, f"receipt {request} has no cost or is in another batch"
        account, cost, epoch = row
        if epochs.setdefault(account, epoch) != epoch:
            return due, f"receipt {request} is of another epoch than the others of its account"
        before = due.get(account, Due(NanoCredits(0), 0))
        due[account] = Due(NanoCredits(before.amount + cost), before.receipts + 1)
        work.run(_insert_batch_receipt, batch=seq, position=position, request=request)
    if (row := work.row(_written_off, its_batch=seq)) is not None:
        return due, f"receipt {row[0]} was written off"
    for account, epoch in epochs.items():
        current = work.row(_spent_settled, account=account)
        if current is None or current[0] != epoch:
            return due, f"the receipts of account {account} are of epoch {epoch}, which has ended"
    return due, None


def _record_line(
    work: Work, seq: int, position: int, *, token: Address, line: SettlementLine, due: Due | None
) -> str | None:
    account = account_of(line.signed)
    if due is None:
        return f"no receipt charges account {account}"
    if (other := work.row(_in_open_batch, account=account)) is not None:
        return f"account {account} is in open batch {other[0]}"
    row = work.row(_spent_settled, account=account)
    if row is None or row[2] != token or line.signed.voucher.token != token:
        return f"account {account} is not of token {token}"
    if line.signed.voucher.epoch != row[0]:
        return f"the voucher of account {account} is of epoch {line.signed.voucher.epoch}, which is {row[0]} now"
    if line.spent_after != (expected := credit_units(NanoCredits(row[1] + due.amount))):
        return f"account {account} would have spent {line.spent_after} base units; its receipts say {expected}"

    digest = voucher_digest(line.signed.voucher, work.domain)
    work.run(_insert_voucher, **voucher_row(line.signed, digest, account))
    work.run(
        _insert_line,
        batch=seq,
        position=position,
        token=token,
        account=account,
        voucher=digest,
        spent_after=uint96_text(line.spent_after),
        due=due.amount,
        status=None,
        burned=None,
        recovered=None,
    )
    return None


def save_attempt(work: Work, command: SaveAttempt) -> Done | NotWritten:
    row = work.row(_open_batch, batch_id=command.batch_id)
    if row is None:
        return NotWritten(f"batch {command.batch_id} is not open")
    return Done(
        work.run(
            _insert_attempt,
            tx_hash=command.tx_hash,
            batch=row[0],
            raw=command.raw,
            nonce=command.nonce,
            signed_at=micros(command.signed_at),
            broadcast_at=None,
        )
    )


def mark_broadcast(work: Work, command: MarkBroadcast) -> Done | NotWritten:
    """Refused for an abandoned batch: its receipts may be in another one already."""
    if changed := work.run(_broadcast, its_hash=command.tx_hash, at=micros(command.at)):
        return Done(changed)
    row = work.row(_attempt, tx_hash=command.tx_hash)
    if row is None:
        return NotWritten(f"no attempt {command.tx_hash} was saved")
    return NotWritten(f"batch {row[0]} was abandoned") if row[1] is None else Done(0)


def abandon_batch(work: Work, command: AbandonBatch) -> Done | NotWritten:
    """The batch id is free again, as the chain has not counted it; so are the receipts."""
    at = micros(command.at)
    work.row(_open_batch, batch_id=command.batch_id)
    row = work.row(_abandon, number=command.batch_id, at=at, reason=command.why, dead_attempts=command.dead_attempts)
    if row is not None:
        work.run(_free_receipts, abandoned=row[0])
        return Done(1)
    abandoned = work.row(_last_abandoned, batch_id=command.batch_id)
    if abandoned is not None and abandoned[0] == at:
        return Done(0)
    return NotWritten(
        f"batch {command.batch_id} is not open, an attempt of it may take effect, or a later batch stands on it"
    )


def restore_batch(work: Work, batch_id: int, receipts_root: bytes, *, at: int) -> tuple[RequestId, ...] | None:
    """Let the abandoned batch of this root stand again, as the chain settled it and not the one that took its id.

    An attempt by a settler's former key was mined after all. The batch under its id gives way and frees its receipts. What
    was written off of it is taken back, and named. None, and nothing changed, where there is no such batch, or where a
    further batch has taken a receipt of it.
    """
    found = work.row(_abandoned_with_root, batch_id=batch_id, receipts_root=receipts_root)
    if found is None:
        return None
    standing = work.row(_standing, batch_id=batch_id)
    with work.undoable() as undo:
        if standing is not None:
            gave_way = work.run(
                _give_way, its_batch=standing[0], at=at, reason="the chain settled what was formed before"
            )
            if not gave_way:
                undo.undo()
                return None
            work.run(_free_receipts, abandoned=standing[0])
        counted = work.row(_count_receipts, its_batch=found[0])
        taken = work.run(_take_back, its_batch=found[0], into=found[0])
        if counted is None or taken != counted[0]:
            undo.undo()
            return None
        work.run(_stand_again, its_batch=found[0])
        return undo_write_offs(work, found[0], batch_id, at=at)
