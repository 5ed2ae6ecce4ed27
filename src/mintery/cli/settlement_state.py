"""What stands of settlement, for people and as JSON."""

from typing import TYPE_CHECKING, Any

from mintery.units import format_gwei

if TYPE_CHECKING:
    from mintery.usecases.show_settlement import BatchState, SettlementState


def state_facts(state: "SettlementState") -> dict[str, Any]:
    """Fees and balances are wei, as strings."""
    return {
        "next_batch": state.next_batch,
        "settler": state.settler,
        "balance_wei": str(state.balance),
        "base_fee_wei": str(state.base_fee),
        "max_fee_wei": str(state.max_fee),
        "halts": [{"id": halt.halt, "alarm": halt.alarm.value, "why": halt.why} for halt in state.halts],
        "open": [_batch_facts(batch) for batch in state.batches],
    }


def state_rows(state: "SettlementState") -> list[tuple[str, str]]:
    rows = [
        ("settler", f"{state.settler}, {format_gwei(state.balance)} gwei"),
        ("blocks cost", f"{format_gwei(state.base_fee)} gwei per gas; at most {format_gwei(state.max_fee)} is offered"),
    ]
    rows += [(f"halt {halt.halt}", f"{halt.alarm.value}: {halt.why}") for halt in state.halts]
    for batch in state.batches:
        rows.append((f"batch {batch.batch_id}", f"{batch.receipts} receipts in {batch.lines} lines. {batch.why}"))
        rows += [
            (f"  nonce {attempt.nonce}", f"{attempt.state}, {format_gwei(attempt.max_fee)} gwei, {attempt.tx_hash}")
            for attempt in batch.attempts
        ]
    return rows


def _batch_facts(batch: "BatchState") -> dict[str, Any]:
    return {
        "batch_id": batch.batch_id,
        "lines": batch.lines,
        "receipts": batch.receipts,
        "formed_at": batch.formed_at.isoformat(),
        "why": batch.why,
        "attempts": [
            {
                "tx_hash": attempt.tx_hash,
                "settler": attempt.settler,
                "nonce": attempt.nonce,
                "max_fee_wei": str(attempt.max_fee),
                "signed_at": attempt.signed_at.isoformat(),
                "broadcast_at": None if attempt.broadcast_at is None else attempt.broadcast_at.isoformat(),
                "state": attempt.state,
            }
            for attempt in batch.attempts
        ],
    }
