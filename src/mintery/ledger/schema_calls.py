"""The outbox of calls that orders and refunds make on chain. Facts are set once, as those of orders."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Text

from mintery.ledger.columns import blob, integer, table, text

chain_calls = table(
    "chain_calls",
    Column("id", Text, primary_key=True),
    text("subject"),
    text("kind"),
    text("recipient"),
    blob("calldata"),
    text("authority", null=True),
    text("authorizer", null=True),
    blob("nonce", null=True),
    *integer("first_block"),
    *integer("planned_at"),
    text("after_call", ForeignKey("chain_calls.id"), null=True),
    text("tx_hash", null=True),
    text("block_hash", null=True),
    *integer("block_number", null=True),
    *integer("log_index", null=True),
    *integer("effect_at", null=True),
    text("credits", null=True),
    *integer("failed_at", null=True),
    text("failed_why", null=True),
    CheckConstraint(
        "(authority IS NULL) = (authorizer IS NULL) AND (authority IS NULL) = (nonce IS NULL)", name="authority_whole"
    ),
    CheckConstraint(
        "(tx_hash IS NULL) = (block_hash IS NULL) AND (tx_hash IS NULL) = (block_number IS NULL)"
        " AND (tx_hash IS NULL) = (log_index IS NULL) AND (tx_hash IS NULL) = (effect_at IS NULL)"
        " AND (tx_hash IS NULL) = (credits IS NULL)",
        name="effect_whole",
    ),
    CheckConstraint("(failed_at IS NULL) = (failed_why IS NULL)", name="failed_why"),
    CheckConstraint("tx_hash IS NULL OR failed_at IS NULL", name="one_ending"),
    Index(None, "subject"),
)
Index(
    "uq_chain_calls_authority",
    chain_calls.c.authority,
    chain_calls.c.authorizer,
    chain_calls.c.nonce,
    unique=True,
    sqlite_where=chain_calls.c.authority.is_not(None),
    postgresql_where=chain_calls.c.authority.is_not(None),
)
_OPEN = chain_calls.c.tx_hash.is_(None) & chain_calls.c.failed_at.is_(None)
Index("ix_chain_calls_open", chain_calls.c.planned_at, sqlite_where=_OPEN, postgresql_where=_OPEN)
_EFFECTIVE = chain_calls.c.tx_hash.is_not(None)
Index(
    "ix_chain_calls_effect",
    chain_calls.c.block_hash,
    chain_calls.c.log_index,
    sqlite_where=_EFFECTIVE,
    postgresql_where=_EFFECTIVE,
)

call_attempts = table(
    "call_attempts",
    Column("tx_hash", Text, primary_key=True),
    text("call_id", ForeignKey("chain_calls.id")),
    text("sender"),
    *integer("nonce"),
    blob("raw"),
    *integer("signed_at"),
    *integer("broadcast_at", null=True),
    Index(None, "call_id"),
)
