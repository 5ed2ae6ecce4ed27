"""The outbox of calls that orders and refunds make on chain.

Revision: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SET_ONCE = (
    *("id", "subject", "kind", "recipient", "calldata", "authority", "authorizer", "nonce", "first_block"),
    *("planned_at", "after_call", "tx_hash", "block_hash", "block_number", "log_index", "effect_at", "credits"),
    *("failed_at", "failed_why"),
)
ATTEMPT_SET_ONCE = ("tx_hash", "call_id", "sender", "nonce", "raw", "signed_at", "broadcast_at")
SQLITE_KEEP = """
CREATE TRIGGER {table}_keep_facts BEFORE UPDATE ON {table} WHEN {forbidden}
BEGIN SELECT RAISE(ABORT, 'facts of {table} are set once'); END
"""
SQLITE_NO_DELETE = """
CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} are never deleted'); END
"""
POSTGRESQL_KEEP = """
CREATE FUNCTION {table}_keep_facts() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'facts of {table} are set once, and no row is deleted'; END $$;
CREATE TRIGGER {table}_keep_facts BEFORE UPDATE ON {table}
FOR EACH ROW WHEN ({forbidden}) EXECUTE FUNCTION {table}_keep_facts();
CREATE TRIGGER {table}_no_delete BEFORE DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {table}_keep_facts()
"""


def upgrade() -> None:
    _chain_calls()
    _call_attempts()
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table, names in (("chain_calls", SET_ONCE), ("call_attempts", ATTEMPT_SET_ONCE)):
        changed = " OR ".join(
            f"(OLD.{name} IS NOT NULL AND (NEW.{name} IS NULL OR NEW.{name} <> OLD.{name}))" for name in names
        )
        for statement in (SQLITE_KEEP, SQLITE_NO_DELETE) if sqlite else (POSTGRESQL_KEEP,):
            op.execute(statement.format(table=table, forbidden=changed))


def _chain_calls() -> None:
    op.create_table(
        "chain_calls",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "subject", "kind", "recipient")),
        sa.Column("calldata", sa.LargeBinary(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=True),
        sa.Column("authorizer", sa.Text(), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=True),
        sa.Column("first_block", INT64, nullable=False),
        sa.Column("planned_at", INT64, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("after_call", "tx_hash", "block_hash")),
        *(sa.Column(name, INT64, nullable=True) for name in ("block_number", "log_index", "effect_at")),
        sa.Column("credits", sa.Text(), nullable=True),
        sa.Column("failed_at", INT64, nullable=True),
        sa.Column("failed_why", sa.Text(), nullable=True),
        *(
            sa.CheckConstraint(f"{name} >= 0", name=op.f(f"ck_chain_calls_{name}"))
            for name in ("first_block", "planned_at", "block_number", "log_index", "effect_at", "failed_at")
        ),
        sa.CheckConstraint(
            "(authority IS NULL) = (authorizer IS NULL) AND (authority IS NULL) = (nonce IS NULL)",
            name=op.f("ck_chain_calls_authority_whole"),
        ),
        sa.CheckConstraint(
            "(tx_hash IS NULL) = (block_hash IS NULL) AND (tx_hash IS NULL) = (block_number IS NULL)"
            " AND (tx_hash IS NULL) = (log_index IS NULL) AND (tx_hash IS NULL) = (effect_at IS NULL)"
            " AND (tx_hash IS NULL) = (credits IS NULL)",
            name=op.f("ck_chain_calls_effect_whole"),
        ),
        sa.CheckConstraint("(failed_at IS NULL) = (failed_why IS NULL)", name=op.f("ck_chain_calls_failed_why")),
        sa.CheckConstraint("tx_hash IS NULL OR failed_at IS NULL", name=op.f("ck_chain_calls_one_ending")),
        sa.ForeignKeyConstraint(["after_call"], ["chain_calls.id"], name=op.f("fk_chain_calls_after_call")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain_calls")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_chain_calls_subject"), "chain_calls", ["subject"])
    for name, columns, rule, unique in (
        ("uq_chain_calls_authority", ["authority", "authorizer", "nonce"], "authority IS NOT NULL", True),
        ("ix_chain_calls_open", ["planned_at"], "tx_hash IS NULL AND failed_at IS NULL", False),
        ("ix_chain_calls_effect", ["block_hash", "log_index"], "tx_hash IS NOT NULL", False),
    ):
        where = sa.text(rule)
        op.create_index(name, "chain_calls", columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _call_attempts() -> None:
    op.create_table(
        "call_attempts",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tx_hash", "call_id", "sender")),
        sa.Column("nonce", INT64, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", INT64, nullable=False),
        sa.Column("broadcast_at", INT64, nullable=True),
        *(
            sa.CheckConstraint(f"{name} >= 0", name=op.f(f"ck_call_attempts_{name}"))
            for name in ("nonce", "signed_at", "broadcast_at")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["chain_calls.id"], name=op.f("fk_call_attempts_call_id")),
        sa.PrimaryKeyConstraint("tx_hash", name=op.f("pk_call_attempts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_call_attempts_call_id"), "call_attempts", ["call_id"])
