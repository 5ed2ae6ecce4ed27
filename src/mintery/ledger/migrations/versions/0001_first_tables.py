"""The first tables: accounts, requests, receipts, transfers, batches, blocks.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SQLITE_REFUSAL = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} are never changed'); END
"""
POSTGRESQL_REFUSAL = """
CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{table} are never changed'; END $$;
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()
"""


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("gateway", sa.Text(), nullable=True),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("signer", sa.Text(), nullable=True),
        sa.Column("epoch", INT64, server_default="0", nullable=False),
        sa.Column("available", INT64, server_default="0", nullable=False),
        sa.Column("held", INT64, server_default="0", nullable=False),
        sa.Column("captured", INT64, server_default="0", nullable=False),
        sa.Column("uncovered", INT64, server_default="0", nullable=False),
        sa.Column("spent_settled", INT64, server_default="0", nullable=False),
        sa.Column("exiting", INT64, server_default="0", nullable=False),
        sa.Column("exit_unlock", INT64, nullable=True),
        sa.Column("closing", INT64, server_default="0", nullable=False),
        sa.CheckConstraint("available >= 0", name=op.f("ck_accounts_available")),
        sa.CheckConstraint("captured >= 0", name=op.f("ck_accounts_captured")),
        sa.CheckConstraint("closing <= 1", name=op.f("ck_accounts_closing_flag")),
        sa.CheckConstraint("closing >= 0", name=op.f("ck_accounts_closing")),
        sa.CheckConstraint("epoch >= 0", name=op.f("ck_accounts_epoch")),
        sa.CheckConstraint("exit_unlock >= 0", name=op.f("ck_accounts_exit_unlock")),
        sa.CheckConstraint("exiting >= 0", name=op.f("ck_accounts_exiting")),
        sa.CheckConstraint("held >= 0", name=op.f("ck_accounts_held")),
        sa.CheckConstraint("spent_settled >= 0", name=op.f("ck_accounts_spent_settled")),
        sa.CheckConstraint(
            "token IS NOT NULL OR available + held + captured + uncovered = 0", name=op.f("ck_accounts_opened")
        ),
        sa.CheckConstraint("uncovered >= 0", name=op.f("ck_accounts_uncovered")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_accounts_holder"), "accounts", ["holder"], unique=False)
    op.create_table(
        "blocks",
        sa.Column("number", INT64, autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=False),
        sa.Column("timestamp", INT64, nullable=False),
        sa.CheckConstraint("timestamp >= 0", name=op.f("ck_blocks_timestamp")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_blocks")),
        sa.UniqueConstraint("hash", name=op.f("uq_blocks_hash")),
        sqlite_strict=True,
    )
    op.create_table(
        "counters",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("used", INT64, nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_counters_used")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_counters")),
        sqlite_strict=True,
    )
    op.create_table(
        "identity",
        sa.Column("one", INT64, autoincrement=False, nullable=False),
        sa.Column("chain_id", INT64, nullable=False),
        sa.Column("genesis_hash", sa.Text(), nullable=False),
        sa.Column("escrow", sa.Text(), nullable=False),
        sa.CheckConstraint("chain_id >= 0", name=op.f("ck_identity_chain_id")),
        sa.CheckConstraint("one = 1", name=op.f("ck_identity_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_identity")),
        sqlite_strict=True,
    )
    op.create_table(
        "transfers",
        sa.Column("seq", INT64, sa.Identity(always=False), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("amount", INT64, nullable=False),
        sa.Column("pending", sa.Text(), nullable=True),
        sa.Column("at", INT64, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.CheckConstraint("amount >= 1", name=op.f("ck_transfers_amount")),
        sa.CheckConstraint("at >= 0", name=op.f("ck_transfers_at")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_transfers_two_sides")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_transfers")),
        sa.UniqueConstraint("id", name=op.f("uq_transfers_id")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_transfers_pending",
        "transfers",
        ["pending"],
        unique=True,
        sqlite_where=sa.text("pending IS NOT NULL"),
        postgresql_where=sa.text("pending IS NOT NULL"),
    )
    op.create_table(
        "batches",
        sa.Column("seq", INT64, sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", INT64, nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("receipts_root", sa.LargeBinary(), nullable=False),
        sa.Column("formed_at", INT64, nullable=False),
        sa.Column("settled_block", sa.Text(), nullable=True),
        sa.Column("settled_tx", sa.Text(), nullable=True),
        sa.Column("abandoned_at", INT64, nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.CheckConstraint("(settled_block IS NULL) = (settled_tx IS NULL)", name=op.f("ck_batches_settled")),
        sa.CheckConstraint("abandoned_at >= 0", name=op.f("ck_batches_abandoned_at")),
        sa.CheckConstraint("batch_id >= 1", name=op.f("ck_batches_batch_id")),
        sa.CheckConstraint("formed_at >= 0", name=op.f("ck_batches_formed_at")),
        sa.CheckConstraint("settled_block IS NULL OR abandoned_at IS NULL", name=op.f("ck_batches_one_ending")),
        sa.ForeignKeyConstraint(["settled_block"], ["blocks.hash"], name=op.f("fk_batches_settled_block")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_batches")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_batches_standing",
        "batches",
        ["batch_id"],
        unique=True,
        sqlite_where=sa.text("abandoned_at IS NULL"),
        postgresql_where=sa.text("abandoned_at IS NULL"),
    )
    op.create_table(
        "events",
        sa.Column("block_hash", sa.Text(), nullable=False),
        sa.Column("log_index", INT64, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("amount", INT64, nullable=True),
        sa.Column("batch_id", INT64, nullable=True),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_events_amount")),
        sa.CheckConstraint("batch_id >= 0", name=op.f("ck_events_batch_id")),
        sa.ForeignKeyConstraint(["block_hash"], ["blocks.hash"], name=op.f("fk_events_block_hash")),
        sa.PrimaryKeyConstraint("block_hash", "log_index", name=op.f("pk_events")),
        sqlite_strict=True,
    )
    op.create_table(
        "vouchers",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("chain_id", INT64, nullable=False),
        sa.Column("epoch", INT64, nullable=False),
        sa.Column("max_spend", sa.Text(), nullable=False),
        sa.Column("deadline", INT64, nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("r", sa.LargeBinary(), nullable=False),
        sa.Column("vs", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("chain_id >= 0", name=op.f("ck_vouchers_chain_id")),
        sa.CheckConstraint("deadline >= 0", name=op.f("ck_vouchers_deadline")),
        sa.CheckConstraint("epoch >= 0", name=op.f("ck_vouchers_epoch")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_vouchers_account")),
        sa.PrimaryKeyConstraint("account", "digest", name=op.f("pk_vouchers")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_vouchers_account_epoch_max_spend"), "vouchers", ["account", "epoch", "max_spend"], unique=False
    )
    op.create_table(
        "attempts",
        sa.Column("tx_hash", sa.Text(), nullable=False),
        sa.Column("batch", INT64, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", INT64, nullable=False),
        sa.Column("signed_at", INT64, nullable=False),
        sa.Column("broadcast_at", INT64, nullable=True),
        sa.CheckConstraint("broadcast_at >= 0", name=op.f("ck_attempts_broadcast_at")),
        sa.CheckConstraint("nonce >= 0", name=op.f("ck_attempts_nonce")),
        sa.CheckConstraint("signed_at >= 0", name=op.f("ck_attempts_signed_at")),
        sa.ForeignKeyConstraint(["batch"], ["batches.seq"], name=op.f("fk_attempts_batch")),
        sa.PrimaryKeyConstraint("tx_hash", name=op.f("pk_attempts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_attempts_batch"), "attempts", ["batch"], unique=False)
    op.create_table(
        "batch_lines",
        sa.Column("batch", INT64, nullable=False),
        sa.Column("position", INT64, autoincrement=False, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("voucher", sa.LargeBinary(), nullable=False),
        sa.Column("spent_after", sa.Text(), nullable=False),
        sa.Column("due", INT64, nullable=False),
        sa.Column("status", INT64, nullable=True),
        sa.Column("burned", INT64, nullable=True),
        sa.CheckConstraint("burned >= 0", name=op.f("ck_batch_lines_burned")),
        sa.CheckConstraint("burned IS NULL OR burned <= due", name=op.f("ck_batch_lines_burned_within")),
        sa.CheckConstraint("due >= 0", name=op.f("ck_batch_lines_due")),
        sa.CheckConstraint("status >= 0", name=op.f("ck_batch_lines_status")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_batch_lines_account")),
        sa.ForeignKeyConstraint(["batch"], ["batches.seq"], name=op.f("fk_batch_lines_batch")),
        sa.ForeignKeyConstraint(
            ["account", "voucher"],
            ["vouchers.account", "vouchers.digest"],
            name=op.f("fk_batch_lines_account_voucher"),
        ),
        sa.PrimaryKeyConstraint("batch", "position", name=op.f("pk_batch_lines")),
        sa.UniqueConstraint("batch", "account", name=op.f("uq_batch_lines_batch_account")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_batch_lines_account"), "batch_lines", ["account"], unique=False)
    op.create_table(
        "batch_tokens",
        sa.Column("batch", INT64, nullable=False),
        sa.Column("position", INT64, autoincrement=False, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("requests", INT64, nullable=False),
        sa.Column("usage", sa.Text(), nullable=False),
        sa.CheckConstraint("requests >= 0", name=op.f("ck_batch_tokens_requests")),
        sa.ForeignKeyConstraint(["batch"], ["batches.seq"], name=op.f("fk_batch_tokens_batch")),
        sa.PrimaryKeyConstraint("batch", "position", name=op.f("pk_batch_tokens")),
        sqlite_strict=True,
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("raised", sa.LargeBinary(), nullable=True),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("epoch", INT64, nullable=False),
        sa.Column("voucher", sa.LargeBinary(), nullable=False),
        sa.Column("quoted", sa.Text(), nullable=False),
        sa.Column("amount", INT64, nullable=False),
        sa.Column("backed", INT64, nullable=False),
        sa.Column("limits", INT64, nullable=False),
        sa.Column("placed_at", INT64, nullable=False),
        sa.Column("lease_until", INT64, nullable=False),
        sa.Column("dispatched_at", INT64, nullable=True),
        sa.Column("captured", INT64, nullable=True),
        sa.Column("released_for", sa.Text(), nullable=True),
        sa.Column("ended_at", INT64, nullable=True),
        sa.Column("delivered_at", INT64, nullable=True),
        sa.Column("batch", INT64, nullable=True),
        sa.CheckConstraint(
            "(captured IS NULL AND released_for IS NULL) = (ended_at IS NULL)", name=op.f("ck_requests_ended")
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_requests_amount")),
        sa.CheckConstraint("backed <= amount", name=op.f("ck_requests_backed_within")),
        sa.CheckConstraint("backed >= 0", name=op.f("ck_requests_backed")),
        sa.CheckConstraint("captured >= 0", name=op.f("ck_requests_captured")),
        sa.CheckConstraint("captured IS NULL OR captured <= amount", name=op.f("ck_requests_captured_within")),
        sa.CheckConstraint(
            "captured IS NULL OR dispatched_at IS NOT NULL", name=op.f("ck_requests_dispatched_before_captured")
        ),
        sa.CheckConstraint("captured IS NULL OR released_for IS NULL", name=op.f("ck_requests_one_ending")),
        sa.CheckConstraint("delivered_at >= 0", name=op.f("ck_requests_delivered_at")),
        sa.CheckConstraint("dispatched_at >= 0", name=op.f("ck_requests_dispatched_at")),
        sa.CheckConstraint("ended_at >= 0", name=op.f("ck_requests_ended_at")),
        sa.CheckConstraint("ended_at IS NULL OR backed = 0", name=op.f("ck_requests_ended_unbacked")),
        sa.CheckConstraint("epoch >= 0", name=op.f("ck_requests_epoch")),
        sa.CheckConstraint("lease_until >= 0", name=op.f("ck_requests_lease_until")),
        sa.CheckConstraint("limits >= 0", name=op.f("ck_requests_limits")),
        sa.CheckConstraint("placed_at >= 0", name=op.f("ck_requests_placed_at")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_requests_account")),
        sa.ForeignKeyConstraint(["batch"], ["batches.seq"], name=op.f("fk_requests_batch")),
        sa.ForeignKeyConstraint(
            ["account", "voucher"], ["vouchers.account", "vouchers.digest"], name=op.f("fk_requests_account_voucher")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
        sqlite_strict=True,
    )
    op.create_index("ix_requests_batch", "requests", ["batch"], unique=False)
    op.create_index(
        "ix_requests_open",
        "requests",
        ["account", "placed_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_requests_unbatched",
        "requests",
        ["ended_at", "id"],
        unique=False,
        sqlite_where=sa.text("captured > 0 AND batch IS NULL"),
        postgresql_where=sa.text("captured > 0 AND batch IS NULL"),
    )
    op.create_index(
        "ix_requests_undelivered",
        "requests",
        ["credential", "body"],
        unique=False,
        sqlite_where=sa.text("delivered_at IS NULL AND released_for IS NULL"),
        postgresql_where=sa.text("delivered_at IS NULL AND released_for IS NULL"),
    )
    op.create_index(
        "uq_requests_idempotency_key",
        "requests",
        ["credential", "idempotency_key"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_index(
        "uq_requests_raised",
        "requests",
        ["account", "raised"],
        unique=True,
        sqlite_where=sa.text("raised IS NOT NULL"),
        postgresql_where=sa.text("raised IS NOT NULL"),
    )
    op.create_table(
        "answers",
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("status", INT64, nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept_since", INT64, nullable=False),
        sa.CheckConstraint("kept_since >= 0", name=op.f("ck_answers_kept_since")),
        sa.CheckConstraint("status >= 0", name=op.f("ck_answers_status")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_answers_request")),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_answers")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_answers_kept_since"), "answers", ["kept_since"], unique=False)
    op.create_table(
        "batch_receipts",
        sa.Column("batch", INT64, nullable=False),
        sa.Column("position", INT64, autoincrement=False, nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batches.seq"], name=op.f("fk_batch_receipts_batch")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_batch_receipts_request")),
        sa.PrimaryKeyConstraint("batch", "position", name=op.f("pk_batch_receipts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_batch_receipts_request"), "batch_receipts", ["request"], unique=False)
    op.create_table(
        "hold_limits",
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("ceiling", INT64, nullable=False),
        sa.Column("until", sa.Text(), nullable=False),
        sa.Column("counted", INT64, nullable=False),
        sa.CheckConstraint("ceiling >= 0", name=op.f("ck_hold_limits_ceiling")),
        sa.CheckConstraint("counted >= 0", name=op.f("ck_hold_limits_counted")),
        sa.ForeignKeyConstraint(["key"], ["counters.key"], name=op.f("fk_hold_limits_key")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_hold_limits_request")),
        sa.PrimaryKeyConstraint("request", "key", name=op.f("pk_hold_limits")),
        sqlite_strict=True,
    )
    op.create_table(
        "receipts",
        sa.Column("seq", INT64, sa.Identity(always=False), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("epoch", INT64, nullable=False),
        sa.Column("cost", INT64, nullable=False),
        sa.Column("held", INT64, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("captured_at", INT64, nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("captured_at >= 0", name=op.f("ck_receipts_captured_at")),
        sa.CheckConstraint("cost <= held", name=op.f("ck_receipts_cost_within")),
        sa.CheckConstraint("cost >= 0", name=op.f("ck_receipts_cost")),
        sa.CheckConstraint("epoch >= 0", name=op.f("ck_receipts_epoch")),
        sa.CheckConstraint("held >= 0", name=op.f("ck_receipts_held")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_receipts_account")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_receipts_request")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_receipts")),
        sa.UniqueConstraint("request", name=op.f("uq_receipts_request")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_receipts_account_seq"), "receipts", ["account", "seq"], unique=False)
    for table in ("transfers", "receipts"):
        _refuse_changes(table)


def _refuse_changes(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(SQLITE_REFUSAL.format(table=table, verb=verb))
    else:
        op.execute(POSTGRESQL_REFUSAL.format(table=table))
