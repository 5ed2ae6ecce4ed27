"""Settlement: batches with their lines, receipts and attempts, and receipts that were given up."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint

from mintery.ledger.columns import Int64, blob, integer, sequence, table, text

batches = table(
    "batches",
    sequence(),
    *integer("batch_id", least=1),
    text("gateway"),
    blob("receipts_root"),
    *integer("formed_at"),
    Column("settled_block", Text, ForeignKey("blocks.hash"), nullable=True),
    text("settled_tx", null=True),
    *integer("abandoned_at", null=True),
    text("why", null=True),
    CheckConstraint("settled_block IS NULL OR abandoned_at IS NULL", name="one_ending"),
    CheckConstraint("(settled_block IS NULL) = (settled_tx IS NULL)", name="settled"),
)
_STANDING = batches.c.abandoned_at.is_(None)
Index("uq_batches_standing", batches.c.batch_id, unique=True, sqlite_where=_STANDING, postgresql_where=_STANDING)

batch_tokens = table(
    "batch_tokens",
    Column("batch", Int64, ForeignKey("batches.seq"), primary_key=True),
    Column("position", Int64, primary_key=True, autoincrement=False),
    text("token"),
    *integer("requests"),
    text("usage"),
)

batch_lines = table(
    "batch_lines",
    Column("batch", Int64, ForeignKey("batches.seq"), primary_key=True),
    Column("position", Int64, primary_key=True, autoincrement=False),
    text("token"),
    text("account", ForeignKey("accounts.id")),
    blob("voucher"),
    text("spent_after"),
    *integer("due"),
    *integer("status", null=True),
    *integer("burned", null=True),
    # What it burned beyond ``due``: an earlier batch had lost it on a branch that the chain left.
    *integer("recovered", least=None, null=True),
    CheckConstraint("burned IS NULL OR burned <= due", name="burned_within"),
    ForeignKeyConstraint(("account", "voucher"), ("vouchers.account", "vouchers.digest")),
    UniqueConstraint("batch", "account"),
    Index(None, "account"),
)

batch_receipts = table(
    "batch_receipts",
    Column("batch", Int64, ForeignKey("batches.seq"), primary_key=True),
    Column("position", Int64, primary_key=True, autoincrement=False),
    text("request", ForeignKey("requests.id")),
    Index(None, "request"),
)

attempts = table(
    "attempts",
    Column("tx_hash", Text, primary_key=True),
    Column("batch", Int64, ForeignKey("batches.seq"), nullable=False, index=True),
    blob("raw"),
    *integer("nonce"),
    *integer("signed_at"),
    *integer("broadcast_at", null=True),
)

# One of a request stands at a time (a trigger): another may follow one that was undone.
write_offs = table(
    "write_offs",
    sequence(),
    text("request", ForeignKey("requests.id")),
    text("account", ForeignKey("accounts.id")),
    *integer("amount", least=1),
    text("reason"),
    *integer("at"),
    Index(None, "request"),
)

# Write-offs whose receipts the chain settled after all, in a batch that had been abandoned.
undone_write_offs = table(
    "undone_write_offs",
    sequence(),
    text("request", ForeignKey("requests.id")),
    *integer("batch_id", least=1),
    *integer("at"),
    # NULL: its request's first one, in rows of when there was no other.
    Column("write_off", Int64, ForeignKey("write_offs.seq"), nullable=True, unique=True),
    Index(None, "request"),
)
