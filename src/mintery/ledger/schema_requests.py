"""Accounts, what their holders signed, and paid requests with what became of them."""

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

from mintery.ledger.columns import Int64, blob, integer, sequence, table, text

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
