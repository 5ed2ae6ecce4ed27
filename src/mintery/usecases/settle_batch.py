"""Settle by an outbox. Each step is durable before the next one leaves this process, so a crash anywhere resumes from here:

====  =====================================  ========================================================================
step  durable                                what resumes it
====  =====================================  ========================================================================
1     intent: the batch, its lines, and its  the next step signs it at a free nonce, or abandons it if the chain would
      receipts taken (``FormBatch``)         refuse it now
2     signed attempt: bytes, hash, nonce     the same bytes are broadcast again; where the nonce is gone, a fresh
      (``SaveAttempt``)                      attempt is signed (2); where earlier nonces are missing, one in the gap (2)
3     broadcast: when (``MarkBroadcast``)    in no block after ``bump_after``: the same nonce for an eighth more, or what
                                             blocks cost now, up to ``max_fee`` (2); unknown to the node: (2)'s bytes
4     abandoned, receipts free again         the next batch takes them; its id is free, as the chain has not counted it
      (``AbandonBatch``)
5     confirmed: the chain's event, burns    ``sync_chain`` reads the block again; applied once by its hash. The receipts
      and outcomes (``AppendBlock``)         root in the event says which batch settled, never the id alone
====  =====================================  ========================================================================

A batch has one effect, however often and by whichever settler it is sent: its id counts once on chain. Final is what lies
as deep as the chain's finality, or below its ``finalized`` block; ``sync_chain`` tells. Batches follow one another: the next
is formed when those before it are in a block, without the accounts in them, whose counters are about to move.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from mintery.crypto.vouchers import account_of
from mintery.domain.voucher import AccountId
from mintery.errors import LedgerInconsistent
from mintery.ledger.commands import FormBatch, NotWritten
from mintery.ledger.reads import BatchRecord
from mintery.usecases.alarms import Alarm
from mintery.usecases.choose_batch import CONTENT_ERRORS, choose_batch
from mintery.usecases.form_batch import FormedBatch
from mintery.usecases.send_attempt import send_first, send_further, tell
from mintery.usecases.settlement import (
    BatchAbandoned,
    BatchSent,
    BatchWaiting,
    NothingToSettle,
    Settlement,
    SettleResult,
    Wait,
)

__all__ = [
    "CONTENT_ERRORS",
    "BatchAbandoned",
    "BatchSent",
    "BatchWaiting",
    "NothingToSettle",
    "SettleResult",
    "Settlement",
    "Wait",
    "settle_batch",
]

log = logging.getLogger(__name__)


def settle_batch(settlement: Settlement, now: datetime) -> SettleResult:
    """One step: take the batch whose turn it is further, or form the next one and send it.

    Raises:
        SettlementHalted: an alarm stands that no settlement may pass.
        TransactionReverted: the escrow refuses every batch now (NotSettler, SettlementPaused).
    """
    with settlement.lock:
        settlement.alarms.check_may_settle()
        open_batches = list(settlement.ledger.open_batches())
        head = settlement.chain.rpc.block()
        turn = settlement.chain.escrow.next_batch_id(settlement.gateway, at=head)
        for record in open_batches:
            if record.batch.batch_id == turn:
                return send_further(settlement, record, head, now)
        if len(open_batches) >= settlement.max_open:
            return BatchWaiting(open_batches[0].batch.batch_id, mined=True)
        return _settle_next(settlement, turn, open_batches, now)


def _settle_next(
    settlement: Settlement, batch_id: int, open_batches: Sequence[BatchRecord], now: datetime
) -> SettleResult:
    formed = choose_batch(settlement, batch_id, _accounts_in(open_batches))
    _tell_left_out(settlement, formed, now)
    if formed.batch is None:
        if open_batches:
            return BatchWaiting(open_batches[0].batch.batch_id, mined=True)
        settlement.alarms.clear(Alarm.SETTLEMENT_WAITS)
        return NothingToSettle(formed.left_out)

    ids = tuple(receipt.id for receipt in formed.receipts)
    (written,) = settlement.ledger.commit([FormBatch(formed.batch, ids, now)])
    if isinstance(written, NotWritten):
        if _formed_elsewhere(settlement, batch_id):
            return BatchWaiting(batch_id, mined=False)
        raise LedgerInconsistent(f"batch {batch_id} cannot be formed: {written.why}")
    log.info("batch formed", extra={"batch_id": batch_id, "receipts": len(ids)})
    record = settlement.ledger.batch(batch_id)
    if record is None:
        raise LedgerInconsistent(f"batch {batch_id} was written and is not there")
    result = send_first(settlement, record, now, left_out=formed.left_out)
    tell(settlement, record, result, now)
    return result


def _accounts_in(open_batches: Sequence[BatchRecord]) -> frozenset[AccountId]:
    return frozenset(
        account_of(line.signed) for record in open_batches for part in record.batch.tokens for line in part.lines
    )


def _formed_elsewhere(settlement: Settlement, batch_id: int) -> bool:
    """Another process on this ledger was first, with other receipts; the next step takes up its batch."""
    standing = settlement.ledger.batch(batch_id)
    return standing is not None and standing.abandoned_at is None


def _tell_left_out(settlement: Settlement, formed: FormedBatch, now: datetime) -> None:
    if not formed.left_out:
        settlement.alarms.clear(Alarm.RECEIPTS_LEFT_OUT)
        return
    first = formed.left_out[0]
    why = f"{len(formed.left_out)} receipts; {first.receipt}: {first.why}"
    settlement.alarms.sound(Alarm.RECEIPTS_LEFT_OUT, why, now)
