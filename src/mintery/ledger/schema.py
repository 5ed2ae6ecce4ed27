"""The ledger's tables.

Amounts are BIGINT nanocredits, never floats: SQLite's tables are STRICT, so a float cannot be stored. What may pass 63
bits (uint96 of the chain) is decimal text of 29 digits, which sorts as its number does. Instants are BIGINT
microseconds since 1970 UTC. Transfers and receipts refuse UPDATE and DELETE by triggers that the migrations make.

Status is nowhere stored. A request is held, dispatched, captured or released by its facts; a batch is open while it is
neither settled nor abandoned. ``blocks`` and ``events`` are the chain as it stands: what a reorganisation took back is
in ``undone_blocks``, and nothing was forgotten.
"""

from sqlalchemy import UniqueConstraint

from mintery.ledger.columns import integer, sequence, table, text
from mintery.ledger.schema_batches import (
    attempts,
    batch_lines,
    batch_receipts,
    batch_tokens,
    batches,
    undone_write_offs,
    write_offs,
)
from mintery.ledger.schema_chain import blocks, events, finality, identity, undone_blocks
from mintery.ledger.schema_halts import differences, flow_sums, halts, reconciliation
from mintery.ledger.schema_long_jobs import long_jobs
from mintery.ledger.schema_requests import (
    accounts,
    answers,
    counters,
    receipts,
    refusals,
    requests,
    route_attempts,
    vouchers,
)
from mintery.ledger.schema_seals import seal_gaps, seal_marks, seals
from mintery.ledger.schema_transfers import PAID_IN, PAID_OUT, transfers

__all__ = [
    "PAID_IN",
    "PAID_OUT",
    "accounts",
    "answers",
    "attempts",
    "batch_lines",
    "batch_receipts",
    "batch_tokens",
    "batches",
    "blocks",
    "channel_changes",
    "counters",
    "differences",
    "events",
    "finality",
    "flow_sums",
    "halts",
    "identity",
    "long_jobs",
    "receipts",
    "reconciliation",
    "refusals",
    "requests",
    "route_attempts",
    "seal_gaps",
    "seal_marks",
    "seals",
    "transfers",
    "undone_blocks",
    "undone_write_offs",
    "vouchers",
    "write_offs",
]


# What an operator set of channels, one row a change. Values are JSON texts; NULL is as the providers file has it.
channel_changes = table(
    "channel_changes",
    sequence(),
    text("scope"),
    text("subject"),
    text("setting"),
    *integer("revision", least=1),
    text("earlier", null=True),
    text("value", null=True),
    text("changed_by"),
    text("reason"),
    *integer("at"),
    UniqueConstraint("scope", "subject", "setting", "revision"),
)
