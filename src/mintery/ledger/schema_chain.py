"""The chain as it stands, and what of it was undone."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Text

from mintery.ledger.columns import Int64, integer, sequence, table, text

identity = table(
    "identity",
    Column("one", Int64, primary_key=True, autoincrement=False),
    CheckConstraint("one = 1", name="one"),
    *integer("chain_id"),
    text("genesis_hash"),
    text("escrow"),
)

blocks = table(
    "blocks",
    Column("number", Int64, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False, unique=True),
    text("parent"),
    *integer("timestamp"),
)

events = table(
    "events",
    Column("block_hash", Text, ForeignKey("blocks.hash"), primary_key=True),
    Column("log_index", Int64, primary_key=True, autoincrement=False),
    text("kind"),
    text("account", null=True),
    *integer("amount", null=True),
    *integer("batch_id", null=True),
    # What the account's facts were before, as JSON, where the event overwrites them.
    text("earlier", null=True),
)

undone_blocks = table(
    "undone_blocks",
    sequence(),
    text("hash"),
    *integer("number"),
    text("parent"),
    *integer("timestamp"),
    text("events"),
    *integer("undone_at"),
    Index(None, "hash"),
)

finality = table(
    "finality",
    Column("one", Int64, primary_key=True, autoincrement=False),
    CheckConstraint("one = 1", name="one"),
    *integer("number"),
)
