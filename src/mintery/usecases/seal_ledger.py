"""Seals what was committed since the last time, in batches small enough that no request notices."""

from datetime import datetime

from mintery.errors import LedgerInconsistent
from mintery.ledger.commands import Done, SealRows
from mintery.ledger.reads import Ledger

ROWS_AT_ONCE = 500
"""Of each table; some five milliseconds of the writer's time."""
ROUNDS = 1_000


def seal_ledger(ledger: Ledger, now: datetime) -> int:
    """How many rows were sealed. What is left after ``ROUNDS`` batches waits for the next run."""
    sealed = 0
    for _ in range(ROUNDS):
        (result,) = ledger.commit([SealRows(ROWS_AT_ONCE, now)])
        if not isinstance(result, Done):
            raise LedgerInconsistent(f"sealing was answered by {result}")
        sealed += result.changed
        if result.changed < ROWS_AT_ONCE:
            break
    return sealed
