"""What no settlement may pass, and what the chain and the ledger were found to differ in."""

from sqlalchemy import CheckConstraint, Column, Index, Text

from mintery.ledger.columns import Int64, integer, sequence, table, text

halts = table(
    "halts",
    sequence(),
    text("alarm"),
    text("subject"),
    text("why"),
    *integer("since"),
    *integer("cleared_at", null=True),
    text("cleared_for", null=True),
    CheckConstraint("(cleared_at IS NULL) = (cleared_for IS NULL)", name="cleared"),
)
_HALTED = halts.c.cleared_at.is_(None)
Index(
    "uq_halts_standing",
    halts.c.alarm,
    halts.c.subject,
    unique=True,
    sqlite_where=_HALTED,
    postgresql_where=_HALTED,
)

# The block of the last reconciliation, and what differed there. Amounts are decimal text in base units.
flow_sums = table(
    "flow_sums",
    Column("one", Int64, primary_key=True, autoincrement=False),
    CheckConstraint("one = 1", name="one"),
    *integer("number"),
    text("hash"),
    text("sums"),
    *integer("anew", least=None, default="0"),
)
reconciliation = table(
    "reconciliation",
    Column("one", Int64, primary_key=True, autoincrement=False),
    CheckConstraint("one = 1", name="one"),
    *integer("number"),
    text("hash"),
    *integer("at"),
)

differences = table(
    "differences",
    Column("what", Text, primary_key=True),
    text("chain"),
    text("books"),
    *integer("last_equal", null=True),
    *integer("since"),
)
