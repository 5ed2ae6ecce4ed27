"""Settle everything that is owed now, and wait until the chain's word on it is final."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from mintery.chain.events import BatchSettled, events_of
from mintery.chain.rpc import TxReceipt
from mintery.domain.batch import LineOutcome, LineStatus
from mintery.errors import TransactionMissing
from mintery.usecases.form_batch import LeftOut
from mintery.usecases.onchain import Clock
from mintery.usecases.settle_batch import BatchAbandoned, BatchSent, NothingToSettle, Settlement, settle_batch

_FIRST_POLL, _LAST_POLL = 0.02, 1.0


@dataclass(frozen=True, slots=True)
class FinalBatch:
    """One batch as the chain settled it, with its transaction. ``outcomes`` in the order of the lines."""

    batch_id: int
    lines: int
    receipts: int
    outcomes: tuple[LineOutcome, ...]
    tx: TxReceipt

    @property
    def skipped(self) -> int:
        return sum(outcome.status not in {LineStatus.SETTLED, LineStatus.PARTIAL} for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class SettledAll:
    batches: tuple[FinalBatch, ...]
    left_out: tuple[LeftOut, ...]


def settle_until_final(
    settlement: Settlement, sync: Callable[[], object], clock: Clock, *, seconds: int = 600
) -> SettledAll:
    """Batches one after the other until nothing more can be settled. ``sync`` brings the ledger up to the chain.

    Raises:
        TransactionMissing: a batch was not final after ``seconds``; it goes on from there at the next call.
        SettlementHalted, TransactionReverted: as ``settle_batch``.
    """
    batches: list[FinalBatch] = []
    under_way: dict[int, None] = {}
    until = time.monotonic() + seconds
    pause = _FIRST_POLL
    while True:
        sync()
        for batch_id in [*under_way]:
            if (final := _final(settlement, batch_id)) is not None:
                batches.append(final)
                del under_way[batch_id]
        result = settle_batch(settlement, clock())
        if isinstance(result, NothingToSettle):
            return SettledAll(tuple(batches), result.left_out)
        if isinstance(result, BatchSent | BatchAbandoned):
            pause = _FIRST_POLL
        if not isinstance(result, BatchAbandoned):
            under_way[result.batch_id] = None
        if time.monotonic() >= until:
            raise TransactionMissing(_newest_hash(settlement, [*under_way]), seconds)
        time.sleep(pause)
        pause = min(2 * pause, _LAST_POLL)


def _final(settlement: Settlement, batch_id: int) -> FinalBatch | None:
    record = settlement.ledger.batch(batch_id)
    if record is None or record.settled_in is None:
        return None
    for attempt in record.attempts:
        tx = settlement.chain.rpc.receipt(attempt.tx_hash)
        if tx is not None and tx.succeeded:
            settled = next(events_of(tx.logs, settlement.chain.escrow.address, BatchSettled))
            lines = len(settled.outcomes)
            return FinalBatch(batch_id, lines, len(record.receipts), settled.outcomes, tx)
    return None


def _newest_hash(settlement: Settlement, under_way: list[int]) -> str:
    record = settlement.ledger.batch(under_way[0]) if under_way else None
    return record.attempts[-1].tx_hash if record is not None and record.attempts else "of the open batch"
