"""One open batch a step further: its first attempt, the same bytes again, a higher fee, or a fresh attempt in a gap."""

import logging
from collections.abc import Iterator
from datetime import datetime

from mintery.chain.delivery import Delivery
from mintery.chain.rpc import BlockRef
from mintery.chain.sender import TRANSACTION_GAS_CAP, SignedTransaction
from mintery.crypto.transactions import sender_of
from mintery.crypto.vouchers import account_of
from mintery.domain.voucher import AccountId
from mintery.errors import LedgerInconsistent, TransactionReverted
from mintery.ledger.commands import AbandonBatch, MarkBroadcast, NotWritten, SaveAttempt
from mintery.ledger.reads import Attempt, BatchRecord
from mintery.units import ceil_div
from mintery.usecases.alarms import Alarm
from mintery.usecases.choose_batch import CONTENT_ERRORS, TOO_LARGE, gas_allowed
from mintery.usecases.form_batch import LeftOut, count_lines
from mintery.usecases.settlement import (
    WAIT_OF,
    WORDS,
    BatchAbandoned,
    BatchSent,
    BatchWaiting,
    Settlement,
    SettleResult,
    Wait,
)

log = logging.getLogger(__name__)

_ACTION = "SpendEscrow.settle"
_WOKEN_AT_ONCE = frozenset({Wait.FUNDS_MISSING, Wait.FEE_CAP, Wait.REFUSED, Wait.NONCE_GAP})
_STUCK_BUMPS = 10
"""Fees raised this often, in time, without a block: someone should look."""


def send_further(settlement: Settlement, record: BatchRecord, head: BlockRef, now: datetime) -> SettleResult:
    """Take up an open batch that is in no block, from what the ledger and the chain say of its attempts.

    Only this settler's can be raised in fee. What another one signed, before the key was changed, never holds the batch
    back: whichever is mined first settles it, once, and the others revert (WrongBatchId).

    Args:
        settlement: what settling needs.
        record: the open batch whose turn it is on chain.
        head: where the chain stands.
        now: aware UTC.
    """
    result = _send_further(settlement, record, head, now)
    tell(settlement, record, result, now)
    return result


def _send_further(settlement: Settlement, record: BatchRecord, head: BlockRef, now: datetime) -> SettleResult:
    settler = settlement.settler
    free_from = settlement.chain.rpc.nonce(settler.address, hex(head.number))
    live = [attempt for attempt in _ours(settlement, record) if attempt.nonce >= free_from]
    if not live:
        if (why := _bad_line(settlement, record, head)) is not None:
            return _abandon(settlement, record, why, now)
        return send_first(settlement, record, now)

    # The chain takes nonces in turn. A reorganisation can free an earlier one than the newest attempt's.
    newest = min(reversed(live), key=lambda attempt: (attempt.nonce, -attempt.signed_at.timestamp()))
    overdue = _age(newest, now) >= settlement.bump_after
    if overdue and (gap := _gap(settlement, free_from, newest.nonce)) is not None:
        log.warning("nonce gap", extra={"batch_id": record.batch.batch_id, "nonce": gap})
        return send_first(settlement, record, now, nonce=gap)
    if newest.broadcast_at is None or not settlement.chain.rpc.knows(newest.tx_hash):
        again = _deliver(settlement, record, newest.raw, newest.tx_hash, now)
        if not isinstance(again, BatchWaiting) or again.why is not Wait.OUTBID:
            return again
    elif not overdue:
        return BatchWaiting(record.batch.batch_id, mined=False)
    return _outbid(settlement, record, newest, now)


def send_first(
    settlement: Settlement,
    record: BatchRecord,
    now: datetime,
    *,
    nonce: int | None = None,
    left_out: tuple[LeftOut, ...] = (),
) -> SettleResult:
    """Sign at a free nonce, save, broadcast. A batch that the chain would refuse is abandoned and formed anew.

    Raises:
        TransactionReverted: the escrow refuses every batch now.
    """
    batch_id = record.batch.batch_id
    call = settlement.chain.escrow.settle_call(record.batch)
    try:
        needed = settlement.settler.gas_needed(call)
    except TransactionReverted as error:
        if error.error == "WrongBatchId":
            return BatchWaiting(batch_id, mined=False)  # it was mined this moment, or its turn went to another
        if error.error not in CONTENT_ERRORS:
            raise
        return _abandon(settlement, record, str(error), now)
    if needed is None or needed > gas_allowed(settlement):
        return _abandon(settlement, record, TOO_LARGE, now)

    fees = settlement.settler.fees_within(settlement.max_fee)
    if fees is None:
        return BatchWaiting(batch_id, mined=False, why=Wait.FEE_CAP)
    gas = min(ceil_div(needed * 5, 4), TRANSACTION_GAS_CAP)
    with settlement.settler.turn() as free:
        signed = settlement.settler.sign(call, gas=gas, nonce=free if nonce is None else nonce, fees=fees)
        if not _saved(settlement, batch_id, signed, now):
            return BatchWaiting(batch_id, mined=False)
        return _deliver(settlement, record, signed.raw, signed.hash, now, left_out=left_out)


def tell(settlement: Settlement, record: BatchRecord, result: SettleResult, now: datetime) -> None:
    """An alarm where a person is needed: at once, or when the batch has waited too long for whatever reason."""
    if not isinstance(result, BatchWaiting) or result.mined:
        settlement.alarms.clear(Alarm.SETTLEMENT_WAITS)
        return
    age = (now - record.formed_at).total_seconds()
    if result.why in _WOKEN_AT_ONCE or age >= _STUCK_BUMPS * settlement.bump_after:
        why = f"batch {result.batch_id} of settler {settlement.settler.address}, {int(age)} s: {WORDS[result.why]}"
        settlement.alarms.sound(Alarm.SETTLEMENT_WAITS, why, now)
    log.info("batch waits", extra={"batch_id": result.batch_id, "why": result.why.value})


def _ours(settlement: Settlement, record: BatchRecord) -> Iterator[Attempt]:
    return (attempt for attempt in record.attempts if sender_of(attempt.raw) == settlement.settler.address)


def _age(attempt: Attempt, now: datetime) -> float:
    return (now - (attempt.broadcast_at or attempt.signed_at)).total_seconds()


def _bad_line(settlement: Settlement, record: BatchRecord, head: BlockRef) -> str | None:
    """Why the escrow would skip a line of a batch that was formed a while ago. What it charges would be lost, though another
    voucher may cover it, and its usage would be paid from what the others burn.
    """
    signed = [line.signed for part in record.batch.tokens for line in part.lines]
    at = settlement.chain.next_time()
    if any(each.voucher.deadline < at for each in signed):
        return "a voucher in it expired before it was sent"
    positions = settlement.chain.escrow.positions_of([each.account for each in signed], at=head)
    if any(each.voucher.epoch != found.epoch for each, found in zip(signed, positions, strict=True)):
        return "an account in it was closed before it was sent"
    return None


def _gap(settlement: Settlement, first: int, nonce: int) -> int | None:
    """The first nonce below ``nonce`` that nothing in the node's pool will use: until something does, no later one is mined."""
    missing = settlement.chain.rpc.nonce(settlement.settler.address, "pending")
    return missing if first <= missing < nonce else None


def _outbid(settlement: Settlement, record: BatchRecord, newest: Attempt, now: datetime) -> SettleResult:
    bumped = settlement.settler.outbid(settlement.settler.restore(_ACTION, newest.raw), cap=settlement.max_fee)
    if bumped is None:
        return BatchWaiting(record.batch.batch_id, mined=False, why=Wait.FEE_CAP)
    if not _saved(settlement, record.batch.batch_id, bumped, now):
        return BatchWaiting(record.batch.batch_id, mined=False)
    return _deliver(settlement, record, bumped.raw, bumped.hash, now)


def _saved(settlement: Settlement, batch_id: int, signed: SignedTransaction, now: datetime) -> bool:
    """False where another process has recorded the batch's end meanwhile: then nothing may be sent for it."""
    attempt = SaveAttempt(batch_id, signed.hash, signed.raw, signed.nonce, now)
    (written,) = settlement.ledger.commit([attempt])
    if isinstance(written, NotWritten):
        log.info("attempt not saved", extra={"batch_id": batch_id, "why": written.why})
        return False
    return True


def _deliver(
    settlement: Settlement,
    record: BatchRecord,
    raw: bytes,
    tx_hash: str,
    now: datetime,
    *,
    left_out: tuple[LeftOut, ...] = (),
) -> SettleResult:
    batch = record.batch
    delivered = settlement.settler.deliver(raw)
    if delivered.end is not Delivery.TAKEN:
        log.warning("attempt not taken", extra={"batch_id": batch.batch_id, "tx_hash": tx_hash, "said": delivered.said})
        return BatchWaiting(batch.batch_id, mined=False, why=WAIT_OF[delivered.end])
    (written,) = settlement.ledger.commit([MarkBroadcast(tx_hash, now)])
    if isinstance(written, NotWritten):
        raise LedgerInconsistent(f"batch {batch.batch_id} was sent and cannot be marked so: {written.why}")
    log.info("batch sent", extra={"batch_id": batch.batch_id, "tx_hash": tx_hash})
    return BatchSent(batch.batch_id, tx_hash, count_lines(batch), len(record.receipts), left_out)


def _abandon(settlement: Settlement, record: BatchRecord, why: str, now: datetime) -> BatchAbandoned | BatchWaiting:
    """The batch, and before it, newest first, those that count on from it: a reorganisation can open it under them."""
    accounts = _accounts_of(record)
    for later in reversed(settlement.ledger.open_batches()):
        if later.batch.batch_id > record.batch.batch_id and accounts & _accounts_of(later):
            fallen = _abandon_one(settlement, later, f"batch {record.batch.batch_id} before it is abandoned", now)
            if isinstance(fallen, BatchWaiting):
                return fallen
    return _abandon_one(settlement, record, why, now)


def _accounts_of(record: BatchRecord) -> frozenset[AccountId]:
    return frozenset(account_of(line.signed) for part in record.batch.tokens for line in part.lines)


def _abandon_one(settlement: Settlement, record: BatchRecord, why: str, now: datetime) -> BatchAbandoned | BatchWaiting:
    """When no attempt of this settler can take effect any more: its nonce is used in a block that never goes away.

    Those of another settler are not waited for. Should one be mined after all, its event's receipts root says that this
    batch settled and not the one that took its id, and the ledger follows (``apply_settled``).
    """
    batch_id = record.batch.batch_id
    final = hex(settlement.chain.finalized_block().number)
    used = settlement.chain.rpc.nonce(settlement.settler.address, final)
    if any(attempt.nonce >= used for attempt in _ours(settlement, record)):
        return BatchWaiting(batch_id, mined=False, why=Wait.ATTEMPT_LIVE)
    (written,) = settlement.ledger.commit([AbandonBatch(batch_id, why, now, dead_attempts=len(record.attempts))])
    if isinstance(written, NotWritten):
        log.warning("batch not abandoned", extra={"batch_id": batch_id, "why": written.why})
        return BatchWaiting(batch_id, mined=False, why=Wait.ATTEMPT_LIVE)
    log.warning("batch abandoned", extra={"batch_id": batch_id, "why": why})
    return BatchAbandoned(batch_id, why)
