"""The ledger's tables.

Amounts are BIGINT nanocredits, never floats: SQLite's tables are STRICT, so a float cannot be stored. What may pass 63
bits (uint96 of the chain) is decimal text of 29 digits, which sorts as its number does. Instants are BIGINT
microseconds since 1970 UTC. Transfers and receipts refuse UPDATE and DELETE by triggers.

Status is nowhere stored. A request is held, dispatched, captured or released by its facts; a batch is open while it is
neither settled nor abandoned.
"""

from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
)

UINT96_DIGITS = 29

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Int64 = BigInteger().with_variant(Integer(), "sqlite")


def _table(name: str, *parts: Any) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True)


def _integer(name: str, *, least: int | None = 0, null: bool = False, default: str | None = None) -> list[Any]:
    """A BIGINT column and its lower bound."""
    column = Column(name, Int64, nullable=null, server_default=default)
    return [column] if least is None else [column, CheckConstraint(f"{name} >= {least}", name=name)]


def _text(name: str, *rest: Any, null: bool = False) -> Column[str]:
    return Column(name, Text, *rest, nullable=null)


def _blob(name: str, *, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null)


def _sequence() -> Column[int]:
    """Counts rows in the order of their commit."""
    return Column("seq", Int64, Identity(), primary_key=True)


identity = _table(
    "identity",
    Column("one", Int64, primary_key=True, autoincrement=False),
    CheckConstraint("one = 1", name="one"),
    *_integer("chain_id"),
    _text("genesis_hash"),
    _text("escrow"),
)

blocks = _table(
    "blocks",
    Column("number", Int64, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False, unique=True),
    _text("parent"),
    *_integer("timestamp"),
)

events = _table(
    "events",
    Column("block_hash", Text, ForeignKey("blocks.hash"), primary_key=True),
    Column("log_index", Int64, primary_key=True, autoincrement=False),
    _text("kind"),
    _text("account", null=True),
    *_integer("amount", null=True),
    *_integer("batch_id", null=True),
)

accounts = _table(
    "accounts",
    Column("id", Text, primary_key=True),
    # The key is NULL until the first deposit: events of exits name the account by its hash alone.
    _text("token", null=True),
    _text("gateway", null=True),
    _text("holder", null=True),
    _text("signer", null=True),
    *_integer("epoch", default="0"),
    *_integer("available", default="0"),
    *_integer("held", default="0"),
    *_integer("captured", default="0"),
    *_integer("uncovered", default="0"),
    *_integer("spent_settled", default="0"),
    *_integer("exiting", default="0"),
    *_integer("exit_unlock", null=True),
    *_integer("closing", default="0"),
    CheckConstraint("closing <= 1", name="closing_flag"),
    CheckConstraint("token IS NOT NULL OR available + held + captured + uncovered = 0", name="opened"),
    Index(None, "holder"),
)

vouchers = _table(
    "vouchers",
    Column("digest", LargeBinary, primary_key=True),
    _text("account", ForeignKey("accounts.id")),
    *_integer("chain_id"),
    *_integer("epoch"),
    _text("max_spend"),
    *_integer("deadline"),
    _blob("key_hash"),
    _blob("r"),
    _blob("vs"),
    Index(None, "account", "epoch", "max_spend"),
)

requests = _table(
    "requests",
    Column("id", Text, primary_key=True),
    _blob("credential"),
    _blob("body"),
    _text("idempotency_key", null=True),
    _blob("raised", null=True),
    _text("account", ForeignKey("accounts.id")),
    *_integer("epoch"),
    Column("voucher", LargeBinary, ForeignKey("vouchers.digest"), nullable=False),
    *_integer("amount"),
    # What is still in the account's held bucket for it; a chain event may have taken some.
    *_integer("backed"),
    *_integer("limits"),
    *_integer("placed_at"),
    *_integer("lease_until"),
    *_integer("dispatched_at", null=True),
    *_integer("captured", null=True),
    _text("released_for", null=True),
    *_integer("ended_at", null=True),
    *_integer("delivered_at", null=True),
    Column("batch", Int64, ForeignKey("batches.seq"), nullable=True),
    CheckConstraint("captured IS NULL OR released_for IS NULL", name="one_ending"),
    CheckConstraint("captured IS NULL OR dispatched_at IS NOT NULL", name="dispatched_before_captured"),
    CheckConstraint("captured IS NULL OR captured <= amount", name="captured_within"),
    CheckConstraint("backed <= amount", name="backed_within"),
    CheckConstraint("(captured IS NULL AND released_for IS NULL) = (ended_at IS NULL)", name="ended"),
    CheckConstraint("ended_at IS NULL OR backed = 0", name="ended_unbacked"),
)
_OPEN = requests.c.ended_at.is_(None)
Index(
    "uq_requests_idempotency_key",
    requests.c.credential,
    requests.c.idempotency_key,
    unique=True,
    sqlite_where=requests.c.idempotency_key.is_not(None),
    postgresql_where=requests.c.idempotency_key.is_not(None),
)
Index(
    "uq_requests_raised",
    requests.c.raised,
    unique=True,
    sqlite_where=requests.c.raised.is_not(None),
    postgresql_where=requests.c.raised.is_not(None),
)
Index("ix_requests_open", requests.c.account, requests.c.placed_at, sqlite_where=_OPEN, postgresql_where=_OPEN)
Index("ix_requests_credential_body", requests.c.credential, requests.c.body)
Index("ix_requests_batch", requests.c.batch)
_UNBATCHED = (requests.c.captured > 0) & requests.c.batch.is_(None)
Index(
    "ix_requests_unbatched",
    requests.c.ended_at,
    requests.c.id,
    sqlite_where=_UNBATCHED,
    postgresql_where=_UNBATCHED,
)

counters = _table(
    "counters",
    Column("key", Text, primary_key=True),
    *_integer("used"),
)

hold_limits = _table(
    "hold_limits",
    Column("request", Text, ForeignKey("requests.id"), primary_key=True),
    Column("key", Text, ForeignKey("counters.key"), primary_key=True),
    *_integer("ceiling"),
    _text("until"),
    # What it still counts against the counter; the counter's ``used`` is their sum.
    *_integer("counted"),
)

answers = _table(
    "answers",
    Column("request", Text, ForeignKey("requests.id"), primary_key=True),
    *_integer("status"),
    _text("content_type"),
    _blob("body"),
    *_integer("kept_since"),
    Index(None, "kept_since"),
)

receipts = _table(
    "receipts",
    _sequence(),
    Column("request", Text, ForeignKey("requests.id"), nullable=False, unique=True),
    _text("account", ForeignKey("accounts.id")),
    _text("token"),
    *_integer("epoch"),
    *_integer("cost"),
    *_integer("held"),
    _text("model"),
    _text("provider"),
    *_integer("captured_at"),
    _text("facts"),
    _blob("signature", null=True),
    CheckConstraint("cost <= held", name="cost_within"),
    Index(None, "account", "seq"),
)

transfers = _table(
    "transfers",
    _sequence(),
    Column("id", Text, nullable=False, unique=True),
    _text("kind"),
    _text("debit"),
    _text("credit"),
    *_integer("amount", least=1),
    _text("pending", null=True),
    *_integer("at"),
    _text("reference"),
    CheckConstraint("debit <> credit", name="two_sides"),
)
Index(
    "uq_transfers_pending",
    transfers.c.pending,
    unique=True,
    sqlite_where=transfers.c.pending.is_not(None),
    postgresql_where=transfers.c.pending.is_not(None),
)

batches = _table(
    "batches",
    _sequence(),
    *_integer("batch_id", least=1),
    _text("gateway"),
    _blob("receipts_root"),
    *_integer("formed_at"),
    Column("settled_block", Text, ForeignKey("blocks.hash"), nullable=True),
    _text("settled_tx", null=True),
    *_integer("abandoned_at", null=True),
    _text("why", null=True),
    CheckConstraint("settled_block IS NULL OR abandoned_at IS NULL", name="one_ending"),
    CheckConstraint("(settled_block IS NULL) = (settled_tx IS NULL)", name="settled"),
)
_STANDING = batches.c.abandoned_at.is_(None)
Index("uq_batches_standing", batches.c.batch_id, unique=True, sqlite_where=_STANDING, postgresql_where=_STANDING)

batch_tokens = _table(
    "batch_tokens",
    Column("batch", Int64, ForeignKey("batches.seq"), primary_key=True),
    Column("position", Int64, primary_key=True, autoincrement=False),
    _text("token"),
    *_integer("requests"),
    _text("usage"),
)

batch_lines = _table(
    "batch_lines",
    Column("batch", Int64, ForeignKey("batches.seq"), primary_key=True),
    Column("position", Int64, primary_key=True, autoincrement=False),
    _text("token"),
    _text("account", ForeignKey("accounts.id")),
    Column("voucher", LargeBinary, ForeignKey("vouchers.digest"), nullable=False),
    _text("spent_after"),
    *_integer("due"),
    *_integer("status", null=True),
    *_integer("burned", null=True),
    CheckConstraint("burned IS NULL OR burned <= due", name="burned_within"),
    UniqueConstraint("batch", "account"),
    Index(None, "account"),
)

batch_receipts = _table(
    "batch_receipts",
    Column("batch", Int64, ForeignKey("batches.seq"), primary_key=True),
    Column("position", Int64, primary_key=True, autoincrement=False),
    _text("request", ForeignKey("requests.id")),
    Index(None, "request"),
)

attempts = _table(
    "attempts",
    Column("tx_hash", Text, primary_key=True),
    Column("batch", Int64, ForeignKey("batches.seq"), nullable=False, index=True),
    _blob("raw"),
    *_integer("nonce"),
    *_integer("signed_at"),
    *_integer("broadcast_at", null=True),
)

APPEND_ONLY = (transfers, receipts)


def sqlite_triggers(table: str) -> tuple[str, ...]:
    return tuple(
        f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} are never changed'); END"
        for verb in ("update", "delete")
    )


def postgresql_triggers(table: str) -> tuple[str, ...]:
    return (
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} are never changed'; END $$",
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()",
    )


for _each in APPEND_ONLY:
    for _ddl in sqlite_triggers(_each.name):
        event.listen(_each, "after_create", DDL(_ddl).execute_if(dialect="sqlite"))
    for _ddl in postgresql_triggers(_each.name):
        event.listen(_each, "after_create", DDL(_ddl).execute_if(dialect="postgresql"))
