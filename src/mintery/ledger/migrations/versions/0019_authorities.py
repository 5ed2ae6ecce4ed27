"""What holders allow: keys, limits, vouchers that stand, and their revocation.

Revision: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _allow()
    _open_keys()
    _limit()
    op.add_column("accounts", sa.Column("authority", INT64, server_default="0", nullable=False))


def _allow() -> None:
    op.create_table(
        "holders",
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("authority", INT64, nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.CheckConstraint("authority >= 0", name=op.f("ck_holders_authority")),
        sa.PrimaryKeyConstraint("holder", name=op.f("pk_holders")),
        sqlite_strict=True,
    )
    op.create_table(
        "standing_vouchers",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("chain_id", INT64, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("epoch", INT64, nullable=False),
        sa.Column("max_spend", sa.Text(), nullable=False),
        sa.Column("deadline", INT64, nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("r", sa.LargeBinary(), nullable=False),
        sa.Column("vs", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", INT64, nullable=False),
        sa.CheckConstraint("added_at >= 0", name=op.f("ck_standing_vouchers_added_at")),
        sa.CheckConstraint("chain_id >= 0", name=op.f("ck_standing_vouchers_chain_id")),
        sa.CheckConstraint("deadline >= 0", name=op.f("ck_standing_vouchers_deadline")),
        sa.CheckConstraint("epoch >= 0", name=op.f("ck_standing_vouchers_epoch")),
        sa.PrimaryKeyConstraint("account", "digest", name=op.f("pk_standing_vouchers")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_standing_vouchers_holder"), "standing_vouchers", ["holder"], unique=False)
    op.create_table(
        "voucher_revocations",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("at", INT64, nullable=False),
        sa.CheckConstraint("at >= 0", name=op.f("ck_voucher_revocations_at")),
        sa.PrimaryKeyConstraint("account", "key_hash", name=op.f("pk_voucher_revocations")),
        sqlite_strict=True,
    )


def _open_keys() -> None:
    op.create_table(
        "gateway_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("voucher", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("models", sa.Text(), nullable=True),
        sa.Column("ways", sa.Text(), nullable=True),
        sa.Column("created_at", INT64, nullable=False),
        sa.Column("expires_at", INT64, nullable=True),
        sa.Column("revoked_at", INT64, nullable=True),
        sa.CheckConstraint("created_at >= 0", name=op.f("ck_gateway_keys_created_at")),
        sa.CheckConstraint("expires_at >= 0", name=op.f("ck_gateway_keys_expires_at")),
        sa.CheckConstraint("revoked_at >= 0", name=op.f("ck_gateway_keys_revoked_at")),
        sa.ForeignKeyConstraint(
            ["account", "voucher"],
            ["standing_vouchers.account", "standing_vouchers.digest"],
            name=op.f("fk_gateway_keys_account_voucher"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_keys")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_gateway_keys_holder"), "gateway_keys", ["holder"], unique=False)
    op.create_table(
        "key_secrets",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("made_at", INT64, nullable=False),
        sa.Column("ends_at", INT64, nullable=True),
        sa.CheckConstraint("ends_at >= 0", name=op.f("ck_key_secrets_ends_at")),
        sa.CheckConstraint("made_at >= 0", name=op.f("ck_key_secrets_made_at")),
        sa.ForeignKeyConstraint(["key"], ["gateway_keys.id"], name=op.f("fk_key_secrets_key")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_key_secrets")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_key_secrets_key"), "key_secrets", ["key"], unique=False)


def _limit() -> None:
    op.create_table(
        "spend_limits",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("ceiling", INT64, nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("way", sa.Text(), nullable=True),
        sa.Column("set_at", INT64, nullable=False),
        sa.Column("ended_at", INT64, nullable=True),
        sa.CheckConstraint("period IN ('day', 'week', 'month')", name=op.f("ck_spend_limits_period")),
        sa.CheckConstraint("ceiling >= 0", name=op.f("ck_spend_limits_ceiling")),
        sa.CheckConstraint("ended_at >= 0", name=op.f("ck_spend_limits_ended_at")),
        sa.CheckConstraint("set_at >= 0", name=op.f("ck_spend_limits_set_at")),
        sa.ForeignKeyConstraint(["key"], ["gateway_keys.id"], name=op.f("fk_spend_limits_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spend_limits")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_spend_limits_holder_token"), "spend_limits", ["holder", "token"], unique=False)
    op.create_table(
        "limit_alerts",
        sa.Column("limit_id", sa.Text(), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("level", INT64, nullable=False),
        sa.Column("at", INT64, nullable=False),
        sa.CheckConstraint("at >= 0", name=op.f("ck_limit_alerts_at")),
        sa.CheckConstraint("level >= 1", name=op.f("ck_limit_alerts_level")),
        sa.PrimaryKeyConstraint("limit_id", "first", "level", name=op.f("pk_limit_alerts")),
        sqlite_strict=True,
    )
