"""Settle by an outbox: intent → signed attempt saved → broadcast → confirmed → final.

Every step is durable before the next one leaves this process, so a crash anywhere resumes from the ledger. One batch is
open at a time; its id counts once on chain, so it takes effect once however often it is sent. ``final`` is written by
``sync_chain`` alone, when the batch's event has its confirmations.
"""

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mintery.chain.raw_transaction import parse_raw
from mintery.chain.sender import Sender, SignedTransaction
from mintery.crypto.transactions import sender_of
from mintery.crypto.vouchers import account_id
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import AccountId, Address
from mintery.errors import LedgerInconsistent, RpcRefused, TransactionReverted
from mintery.ledger.commands import AbandonBatch, FormBatch, MarkBroadcast, NotWritten, SaveAttempt
from mintery.ledger.reads import BatchRecord, Ledger
from mintery.units import nanocredits, nanocredits_down
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.form_batch import FormedBatch, LeftOut, Standing, count_lines, form_batch
from mintery.usecases.onchain import OnChain

log = logging.getLogger(__name__)

CONTENT_ERRORS = frozenset(
    {
        "OverBurn",
        "PayoutAboveCap",
        "PriceVersionExpired",
        "ProjectRetired",
        "ProviderNotInTerms",
        "SettlementEnded",
        "UnknownPriceVersion",
    }
)
"""Refusals that some receipts cause, and that the others need not share."""
_NONCE_TAKEN = ("nonce too low", "replacement transaction underpriced", "invalid nonce")


@dataclass(frozen=True, slots=True)
class Settlement:
    """What settling needs. ``bump_after``: seconds in no block after which the fees rise. One step runs at a time."""

    chain: OnChain
    ledger: Ledger
    settler: Sender
    gateway: Address
    alarms: Alarms
    max_lines: int
    max_receipts: int
    bump_after: int
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class NothingToSettle:
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class BatchSent:
    """It left in this call, or again; ``tx_hash`` is its newest attempt."""

    batch_id: int
    tx_hash: str
    lines: int
    receipts: int
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchWaiting:
    """It is under way: in no block yet, or in one without its confirmations (``mined``)."""

    batch_id: int
    mined: bool


@dataclass(frozen=True, slots=True)
class BatchAbandoned:
    batch_id: int
    why: str


SettleResult = NothingToSettle | BatchSent | BatchWaiting | BatchAbandoned


def settle_batch(settlement: Settlement, now: datetime) -> SettleResult:
    """One step: resume the open batch, or form the next one and send it.

    Raises:
        SettlementHalted: an alarm stands that no settlement may pass.
        TransactionReverted: the escrow refuses every batch now (NotSettler, SettlementPaused, WrongBatchId).
    """
    with settlement.lock:
        settlement.alarms.check_may_settle()
        open_batches = settlement.ledger.open_batches()
        if open_batches:
            return _resume(settlement, open_batches[0], now)
        return _settle_next(settlement, now)


def _settle_next(settlement: Settlement, now: datetime) -> SettleResult:
    formed = _oldest_settleable(settlement)
    _tell_left_out(settlement, formed, now)
    if formed.batch is None:
        return NothingToSettle(formed.left_out)

    ids = tuple(receipt.id for receipt in formed.receipts)
    (written,) = settlement.ledger.commit([FormBatch(formed.batch, ids, now)])
    if isinstance(written, NotWritten):
        if _formed_elsewhere(settlement, formed.batch.batch_id):
            return BatchWaiting(formed.batch.batch_id, mined=False)
        raise LedgerInconsistent(f"batch {formed.batch.batch_id} cannot be formed: {written.why}")
    log.info("batch formed", extra={"batch_id": formed.batch.batch_id, "receipts": len(ids)})
    record = settlement.ledger.batch(formed.batch.batch_id)
    if record is None:
        raise LedgerInconsistent(f"batch {formed.batch.batch_id} was written and is not there")
    return _send_first(settlement, record, now, left_out=formed.left_out)


def _formed_elsewhere(settlement: Settlement, batch_id: int) -> bool:
    """Another process on this ledger was first, with other receipts; the next step takes up its batch."""
    standing = settlement.ledger.batch(batch_id)
    return standing is not None and standing.abandoned_at is None


def _oldest_settleable(settlement: Settlement) -> FormedBatch:
    """Looks past receipts that no batch can carry, however many: they must not keep the newer ones waiting."""
    left_out: list[LeftOut] = []
    passed, most = 0, settlement.max_receipts
    while True:
        receipts = settlement.ledger.unbatched(limit=passed + most)[passed:]
        formed = _largest_settleable(settlement, receipts)
        left_out += formed.left_out
        if formed.batch is not None or len(receipts) < most:
            return replace(formed, left_out=tuple(left_out))
        passed += len(receipts)


def _largest_settleable(settlement: Settlement, receipts: Sequence[Receipt]) -> FormedBatch:
    """The batch of as many of the receipts as the chain takes, found by halving where it refuses some."""
    formed = _form(settlement, receipts)
    if formed.batch is None:
        return formed
    refusal = _refusal(settlement, formed)
    if refusal is None:
        return formed
    carried = formed.receipts
    if len(carried) == 1:
        return FormedBatch(None, (), (*formed.left_out, LeftOut(carried[0].id, refusal)), formed.waiting)

    half = len(carried) >> 1
    older, newer = (_largest_settleable(settlement, part) for part in (carried[:half], carried[half:]))
    left_out = (*formed.left_out, *older.left_out, *newer.left_out)
    together = _form(settlement, (*older.receipts, *newer.receipts))
    if together.batch is not None and _refusal(settlement, together) is None:
        return FormedBatch(together.batch, together.receipts, left_out, formed.waiting)
    # Each half alone is taken and both are not: together they pass a cap. The newer ones wait for its next window.
    first, later = (older, newer) if older.batch is not None else (newer, older)
    return FormedBatch(first.batch, first.receipts, left_out, formed.waiting + len(later.receipts))


def _form(settlement: Settlement, receipts: Sequence[Receipt]) -> FormedBatch:
    accounts = {account_id(receipt.account): receipt.account for receipt in receipts}
    head = settlement.chain.rpc.block()
    standings: dict[AccountId, Standing] = {}
    for account, key in accounts.items():
        seen = settlement.chain.escrow.account_of(key, at=head)
        standings[account] = Standing(seen.epoch, nanocredits(seen.spent), nanocredits_down(seen.balance))
    return form_batch(
        receipts,
        gateway=settlement.gateway,
        batch_id=settlement.chain.escrow.next_batch_id(settlement.gateway, at=head),
        standings=standings,
        find_voucher=settlement.ledger.highest_voucher,
        max_lines=settlement.max_lines,
        now=settlement.chain.next_time(),
    )


def _refusal(settlement: Settlement, formed: FormedBatch) -> str | None:
    """Why the chain would refuse the batch for what it carries; None when it takes it."""
    if formed.batch is None:
        return None
    try:
        settlement.settler.simulate(settlement.chain.escrow.settle_call(formed.batch))
    except TransactionReverted as error:
        if error.error not in CONTENT_ERRORS:
            raise
        return str(error)
    return None


def _tell_left_out(settlement: Settlement, formed: FormedBatch, now: datetime) -> None:
    if not formed.left_out:
        settlement.alarms.clear(Alarm.RECEIPTS_LEFT_OUT)
        return
    first = formed.left_out[0]
    why = f"{len(formed.left_out)} receipts; {first.receipt}: {first.why}"
    settlement.alarms.sound(Alarm.RECEIPTS_LEFT_OUT, why, now)


def _resume(settlement: Settlement, record: BatchRecord, now: datetime) -> SettleResult:
    """Take up an open batch from what the ledger and the chain say of its attempts.

    Only this settler's can be raised in fee; what another one signed, before the key was changed, may still take effect,
    which settles the batch as well.
    """
    batch_id = record.batch.batch_id
    if settlement.chain.escrow.next_batch_id(settlement.gateway) > batch_id:
        return BatchWaiting(batch_id, mined=True)
    free_from = settlement.chain.rpc.nonce(settlement.settler.address)
    ours = [attempt for attempt in record.attempts if sender_of(attempt.raw) == settlement.settler.address]
    live = [attempt for attempt in ours if attempt.nonce >= free_from]
    if not live:
        return _send_first(settlement, record, now)

    newest = max(live, key=lambda attempt: attempt.signed_at)
    if newest.broadcast_at is None or not settlement.chain.rpc.knows(newest.tx_hash):
        return _broadcast(settlement, record, newest.raw, newest.tx_hash, now)
    if (now - newest.broadcast_at).total_seconds() >= settlement.bump_after:
        bumped = settlement.settler.bump(parse_raw(newest.raw, action="SpendEscrow.settle"))
        _save(settlement, batch_id, bumped, now)
        return _broadcast(settlement, record, bumped.raw, bumped.hash, now)
    return BatchWaiting(batch_id, mined=False)


def _send_first(
    settlement: Settlement, record: BatchRecord, now: datetime, *, left_out: tuple[LeftOut, ...] = ()
) -> SettleResult:
    """Sign at a free nonce, save, broadcast. A batch that the chain would refuse is abandoned and formed anew."""
    call = settlement.chain.escrow.settle_call(record.batch)
    try:
        gas = settlement.settler.gas_limit(call)
    except TransactionReverted as error:
        if error.error not in CONTENT_ERRORS:
            raise
        return _abandon(settlement, record, str(error), now)
    nonce = settlement.chain.rpc.nonce(settlement.settler.address, "pending")
    signed = settlement.settler.sign(call, gas=gas, nonce=nonce)
    _save(settlement, record.batch.batch_id, signed, now)
    return _broadcast(settlement, record, signed.raw, signed.hash, now, left_out=left_out)


def _save(settlement: Settlement, batch_id: int, signed: SignedTransaction, now: datetime) -> None:
    attempt = SaveAttempt(batch_id, signed.hash, signed.raw, signed.nonce, now)
    (written,) = settlement.ledger.commit([attempt])
    if isinstance(written, NotWritten):
        raise LedgerInconsistent(f"an attempt of batch {batch_id} cannot be saved: {written.why}")


def _broadcast(
    settlement: Settlement,
    record: BatchRecord,
    raw: bytes,
    tx_hash: str,
    now: datetime,
    *,
    left_out: tuple[LeftOut, ...] = (),
) -> SettleResult:
    """A nonce that another transaction took is no fault: the next call signs at a free one."""
    batch = record.batch
    try:
        settlement.settler.broadcast(raw)
    except RpcRefused as error:
        if not any(words in error.message.lower() for words in _NONCE_TAKEN):
            raise
        return BatchWaiting(batch.batch_id, mined=False)
    (written,) = settlement.ledger.commit([MarkBroadcast(tx_hash, now)])
    if isinstance(written, NotWritten):
        raise LedgerInconsistent(f"batch {batch.batch_id} was sent and cannot be marked so: {written.why}")
    log.info("batch sent", extra={"batch_id": batch.batch_id, "tx_hash": tx_hash})
    return BatchSent(batch.batch_id, tx_hash, count_lines(batch), len(record.receipts), left_out)


def _abandon(settlement: Settlement, record: BatchRecord, why: str, now: datetime) -> BatchAbandoned | BatchWaiting:
    """Only when no attempt can take effect any more; until then its nonce waits for its confirmations."""
    batch_id = record.batch.batch_id
    used = _confirmed_nonces(settlement, {sender_of(attempt.raw) for attempt in record.attempts})
    if any(attempt.nonce >= used[sender_of(attempt.raw)] for attempt in record.attempts):
        return BatchWaiting(batch_id, mined=False)
    (written,) = settlement.ledger.commit([AbandonBatch(batch_id, why, now, dead_attempts=len(record.attempts))])
    if isinstance(written, NotWritten):
        log.warning("batch not abandoned", extra={"batch_id": batch_id, "why": written.why})
        return BatchWaiting(batch_id, mined=False)
    log.warning("batch abandoned", extra={"batch_id": batch_id, "why": why})
    return BatchAbandoned(batch_id, why)


def _confirmed_nonces(settlement: Settlement, settlers: Iterable[Address]) -> dict[Address, int]:
    """Every lower nonce of each settler was used in a block that is believed."""
    block = hex(settlement.chain.confirmed_block().number)
    return {settler: settlement.chain.rpc.nonce(settler, block) for settler in settlers}
