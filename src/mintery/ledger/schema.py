"""The ledger's tables.

Amounts are BIGINT nanocredits, never floats: SQLite's tables are STRICT, so a float cannot be stored. What may pass 63
bits (uint96 of the chain) is decimal text of 29 digits, which sorts as its number does. Instants are BIGINT
microseconds since 1970 UTC. Transfers and receipts refuse UPDATE and DELETE by triggers that the migrations make.

Status is nowhere stored. A request is held, dispatched, captured or released by its facts; a batch is open while it is
neither settled nor abandoned. ``blocks`` and ``events`` are the chain as it stands: what a reorganisation took back is
in ``undone_blocks``, and nothing was forgotten.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as text_of

from mintery.ledger.columns import Int64, blob, integer, sequence, table, text

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

accounts = table(
    "accounts",
    Column("id", Text, primary_key=True),
    # The key is NULL until the first deposit: events of exits name the account by its hash alone.
    text("token", null=True),
    text("gateway", null=True),
    text("holder", null=True),
    text("signer", null=True),
    *integer("epoch", default="0"),
    *integer("available", default="0"),
    *integer("held", default="0"),
    *integer("captured", default="0"),
    *integer("uncovered", default="0"),
    *integer("spent_settled", default="0"),
    *integer("exiting", default="0"),
    *integer("exit_unlock", null=True),
    *integer("closing", default="0"),
    # When a declared retry last placed a hold without finding its original, which may still be on its way.
    *integer("retried_at", least=None, null=True),
    # When the buckets of its rates will be empty again.
    *integer("requests_until", least=None, null=True),
    *integer("tokens_until", least=None, null=True),
    # The number of its holder's last change of what may be spent: see ``holders``.
    *integer("authority", least=None, default="0"),
    # Set aside for refunds: as what is exiting, no hold gets it. See ``lot_refunds``.
    *integer("refunding", least=None, default="0"),
    # Of disputed payments: as what is exiting, no hold gets it. See ``freezing``.
    *integer("frozen", least=None, default="0"),
    CheckConstraint("closing <= 1", name="closing_flag"),
    CheckConstraint("token IS NOT NULL OR available + held + captured + uncovered = 0", name="opened"),
    Index(None, "holder"),
)

# A voucher's digest leaves its signer out, so two signers of one holder can sign the same: the account tells them apart.
vouchers = table(
    "vouchers",
    text("account", ForeignKey("accounts.id")),
    blob("digest"),
    *integer("chain_id"),
    *integer("epoch"),
    text("max_spend"),
    *integer("deadline"),
    blob("key_hash"),
    blob("r"),
    blob("vs"),
    PrimaryKeyConstraint("account", "digest"),
    Index(None, "account", "epoch", "max_spend"),
)

requests = table(
    "requests",
    Column("id", Text, primary_key=True),
    blob("credential"),
    blob("body"),
    text("idempotency_key", null=True),
    blob("raised", null=True),
    text("account", ForeignKey("accounts.id")),
    *integer("epoch"),
    blob("voucher"),
    text("quoted"),
    *integer("amount"),
    # What is still in the account's held bucket for it; a chain event may have taken some.
    *integer("backed"),
    *integer("limits"),
    # The limits themselves, where it has any: see ``limits``.
    text("limited", null=True),
    *integer("placed_at"),
    *integer("lease_until"),
    *integer("dispatched_at", null=True),
    *integer("captured", null=True),
    text("released_for", null=True),
    *integer("ended_at", null=True),
    *integer("delivered_at", null=True),
    Column("batch", Int64, ForeignKey("batches.seq"), nullable=True),
    # 1: it said that it had been sent before, and nothing was found that it repeats.
    *integer("retry", least=None, null=True),
    ForeignKeyConstraint(("account", "voucher"), ("vouchers.account", "vouchers.digest")),
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
    requests.c.account,
    requests.c.raised,
    unique=True,
    sqlite_where=requests.c.raised.is_not(None),
    postgresql_where=requests.c.raised.is_not(None),
)
Index("ix_requests_open", requests.c.account, requests.c.placed_at, sqlite_where=_OPEN, postgresql_where=_OPEN)
# Small, as most requests are delivered soon; so is the index of open holds.
_UNDELIVERED = requests.c.delivered_at.is_(None) & requests.c.released_for.is_(None)
Index(
    "ix_requests_undelivered",
    requests.c.credential,
    requests.c.body,
    sqlite_where=_UNDELIVERED,
    postgresql_where=_UNDELIVERED,
)
_RETRY = requests.c.retry.is_not(None)
Index("ix_requests_retry", requests.c.credential, requests.c.body, sqlite_where=_RETRY, postgresql_where=_RETRY)
_BATCHED = requests.c.batch.is_not(None)
Index("ix_requests_batch", requests.c.batch, sqlite_where=_BATCHED, postgresql_where=_BATCHED)
_UNBATCHED = (requests.c.captured > 0) & requests.c.batch.is_(None)
Index(
    "ix_requests_unbatched",
    requests.c.ended_at,
    requests.c.id,
    sqlite_where=_UNBATCHED,
    postgresql_where=_UNBATCHED,
)

counters = table(
    "counters",
    Column("key", Text, primary_key=True),
    *integer("used"),
)

# ``kept_since`` is when the request ended: one index finds an answer by its request, and those that are too old.
answers = table(
    "answers",
    *integer("kept_since"),
    text("request", ForeignKey("requests.id")),
    *integer("status"),
    text("content_type"),
    blob("body"),
    PrimaryKeyConstraint("kept_since", "request"),
)

receipts = table(
    "receipts",
    sequence(),
    Column("request", Text, ForeignKey("requests.id"), nullable=False, unique=True),
    text("account", ForeignKey("accounts.id")),
    text("token"),
    *integer("epoch"),
    *integer("cost"),
    *integer("held"),
    text("model"),
    text("provider"),
    *integer("captured_at"),
    text("facts"),
    blob("signature", null=True),
    CheckConstraint("cost <= held", name="cost_within"),
    Index(None, "account", "captured_at", "seq"),
)

transfers = table(
    "transfers",
    sequence(),
    text("id"),
    text("kind"),
    text("debit"),
    text("credit"),
    *integer("amount", least=1),
    text("pending", null=True),
    *integer("at"),
    text("reference"),
    # What goes from the debited side to what is available, beside ``amount``.
    *integer("rest", least=1, null=True),
    CheckConstraint("debit <> credit", name="two_sides"),
    CheckConstraint("rest IS NULL OR pending IS NOT NULL", name="rest_of_pending"),
)
# What resolves a pending transfer is known by that one, and nothing else does; every other one is known by its id.
_RESOLVES = transfers.c.pending.is_not(None)
Index("uq_transfers_pending", transfers.c.pending, unique=True, sqlite_where=_RESOLVES, postgresql_where=_RESOLVES)
_OF_ITS_OWN = transfers.c.pending.is_(None)
Index("uq_transfers_id", transfers.c.id, unique=True, sqlite_where=_OF_ITS_OWN, postgresql_where=_OF_ITS_OWN)
# What a statement lists beside receipts; of a paid request's transfers none. Texts, as SQLite takes such an index only where
# a query repeats its condition to the letter.
PAID_IN = text_of("kind IN ('deposit', 'undo_exit', 'undo_released_on_chain', 'undo_loss')")
PAID_OUT = text_of("kind IN ('exit', 'released_on_chain', 'loss', 'undo_deposit')")
for _name, _side, _where in (("in", transfers.c.credit, PAID_IN), ("out", transfers.c.debit, PAID_OUT)):
    Index(
        f"ix_transfers_paid_{_name}",
        _side,
        transfers.c.at,
        transfers.c.seq,
        sqlite_where=_where,
        postgresql_where=_where,
    )

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

# Calls to providers, in their order, of a request whose first one did not deliver.
route_attempts = table(
    "route_attempts",
    sequence(),
    Column("request", Text, ForeignKey("requests.id"), nullable=False),
    *integer("position"),
    text("route"),
    text("provider"),
    text("outcome"),
    *integer("status", null=True),
    *integer("began_at"),
    *integer("ended_at"),
    UniqueConstraint("request", "position"),
)

# Requests that never became any. ``evidence`` is JSON; the oldest rows go.
refusals = table(
    "refusals",
    sequence(),
    Column("request", Text, nullable=False, unique=True),
    text("account", null=True),
    text("asked", null=True),
    text("code"),
    text("message"),
    text("evidence"),
    *integer("at"),
)

# Work that a provider takes minutes for. It is over when its request is.
long_jobs = table(
    "long_jobs",
    Column("request", Text, ForeignKey("requests.id"), primary_key=True),
    text("account", ForeignKey("accounts.id")),
    text("form"),
    # What it is charged by, as JSON: see ``domain.long_job``.
    text("quote"),
    text("shown"),
    text("tried"),
    *integer("begun_at"),
    *integer("follow_until"),
    blob("sent", null=True),
    text("upstream", null=True),
    *integer("accepted_at", null=True),
    *integer("started_at", null=True),
    *integer("progress", default="0"),
    *integer("closed_at", null=True),
    *integer("expires_at", null=True),
    text("output", null=True),
    text("failure", null=True),
    CheckConstraint("(upstream IS NULL) = (accepted_at IS NULL)", name="accepted"),
    CheckConstraint("progress <= 100", name="percent"),
    CheckConstraint("upstream IS NOT NULL OR (started_at IS NULL AND output IS NULL)", name="accepted_first"),
    CheckConstraint("closed_at IS NOT NULL OR (output IS NULL AND failure IS NULL)", name="closed_first"),
    CheckConstraint("output IS NULL OR failure IS NULL", name="one_end"),
    CheckConstraint("sent IS NULL OR upstream IS NULL", name="sent_until_accepted"),
    Index(None, "account", "begun_at"),
)
_FOLLOWED = long_jobs.c.closed_at.is_(None)
Index("ix_long_jobs_followed", long_jobs.c.begun_at, sqlite_where=_FOLLOWED, postgresql_where=_FOLLOWED)

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
