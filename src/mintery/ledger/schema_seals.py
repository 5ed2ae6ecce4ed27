"""The hash chain over rows that are never changed."""

from sqlalchemy import CheckConstraint, Column, UniqueConstraint

from mintery.ledger.columns import Int64, blob, integer, table

seals = table(
    "seals",
    Column("position", Int64, primary_key=True, autoincrement=False),
    *integer("source", least=1),
    *integer("version", least=1),
    *integer("row_seq", least=1),
    blob("hash"),
    CheckConstraint("position >= 1", name="position"),
    UniqueConstraint("source", "row_seq"),
)

# How far each source is sealed, and the sequence numbers below that whose rows were not there yet.
seal_marks = table(
    "seal_marks",
    Column("source", Int64, primary_key=True, autoincrement=False),
    *integer("through"),
)

seal_gaps = table(
    "seal_gaps",
    Column("source", Int64, primary_key=True, autoincrement=False),
    Column("first", Int64, primary_key=True, autoincrement=False),
    *integer("last"),
    *integer("since"),
    CheckConstraint("first <= last", name="range"),
)
