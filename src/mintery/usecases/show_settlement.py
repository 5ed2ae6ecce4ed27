"""What stands of settlement: batches under way with their attempts, why each waits, and what halts all of it."""

from dataclasses import dataclass
from datetime import datetime

from mintery.crypto.transactions import read_transaction, sender_of
from mintery.domain.voucher import Address
from mintery.ledger.reads import Attempt, BatchRecord
from mintery.units import Wei
from mintery.usecases.alarms import StandingAlarm
from mintery.usecases.form_batch import count_lines
from mintery.usecases.settlement import WORDS, Settlement, Wait


@dataclass(frozen=True, slots=True)
class AttemptState:
    """One signed transaction. ``state``: ``mined``, ``waits`` (nodes know it), ``unknown`` (saved; nodes do not)."""

    tx_hash: str
    settler: Address
    nonce: int
    max_fee: Wei
    signed_at: datetime
    broadcast_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class BatchState:
    """``why`` is for people: what it waits for, and what to do about that."""

    batch_id: int
    lines: int
    receipts: int
    formed_at: datetime
    attempts: tuple[AttemptState, ...]
    why: str


@dataclass(frozen=True, slots=True)
class SettlementState:
    """``next_batch`` is the chain's; ``balance`` what the settler has for gas; ``base_fee`` of the newest block."""

    next_batch: int
    settler: Address
    balance: Wei
    base_fee: Wei
    max_fee: Wei
    batches: tuple[BatchState, ...]
    halts: tuple[StandingAlarm, ...]


def show_settlement(settlement: Settlement) -> SettlementState:
    """Reads only."""
    rpc, head = settlement.chain.rpc, settlement.chain.rpc.block()
    turn = settlement.chain.escrow.next_batch_id(settlement.gateway, at=head)
    balance = rpc.balance(settlement.settler.address, at=head)
    batches = tuple(
        _batch(settlement, record, turn, base_fee=head.base_fee, balance=balance)
        for record in settlement.ledger.open_batches()
    )
    return SettlementState(
        next_batch=turn,
        settler=settlement.settler.address,
        balance=balance,
        base_fee=head.base_fee,
        max_fee=settlement.max_fee,
        batches=batches,
        halts=tuple(alarm for alarm in settlement.alarms.standing() if alarm.halt is not None),
    )


def _batch(settlement: Settlement, record: BatchRecord, turn: int, *, base_fee: Wei, balance: Wei) -> BatchState:
    attempts = tuple(_attempt(settlement, attempt) for attempt in record.attempts)
    return BatchState(
        batch_id=record.batch.batch_id,
        lines=count_lines(record.batch),
        receipts=len(record.receipts),
        formed_at=record.formed_at,
        attempts=attempts,
        why=_why(settlement, record.batch.batch_id, turn, attempts, base_fee=base_fee, balance=balance),
    )


def _attempt(settlement: Settlement, attempt: Attempt) -> AttemptState:
    rpc, signed = settlement.chain.rpc, read_transaction(attempt.raw)
    if rpc.receipt(attempt.tx_hash) is not None:
        state = "mined"
    else:
        state = "waits" if rpc.knows(attempt.tx_hash) else "unknown"
    return AttemptState(
        tx_hash=attempt.tx_hash,
        settler=sender_of(attempt.raw),
        nonce=attempt.nonce,
        max_fee=signed.max_fee,
        signed_at=attempt.signed_at,
        broadcast_at=attempt.broadcast_at,
        state=state,
    )


def _why(
    settlement: Settlement,
    batch_id: int,
    turn: int,
    attempts: tuple[AttemptState, ...],
    *,
    base_fee: Wei,
    balance: Wei,
) -> str:
    """From what can be seen now; the reason that the last step met is in the alarms of the process that settles."""
    reasons = (
        (batch_id < turn, "In a block; it waits for its confirmations."),
        (batch_id > turn, f"It follows batch {turn}, which is in no block."),
        (balance == 0, WORDS[Wait.FUNDS_MISSING]),
        (base_fee > settlement.max_fee, WORDS[Wait.FEE_CAP]),
        (not attempts, "Formed, and not signed yet; the next step does."),
        (any(attempt.state == "waits" for attempt in attempts), WORDS[Wait.FOR_A_BLOCK]),
        (True, "Its attempts are saved, and no node knows them; the next step sends them."),
    )
    return next(words for applies, words in reasons if applies)
