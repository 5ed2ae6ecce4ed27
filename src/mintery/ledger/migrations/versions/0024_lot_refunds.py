"""Refunds of what is left of a lot, and what of an account is set aside for them.

Revision: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("refunding", INT64, server_default="0", nullable=False))
    op.create_table(
        "lot_refunds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("lot", INT64, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("amount", INT64, nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("asked_at", INT64, nullable=False),
        sa.Column("released", sa.Text(), nullable=True),
        sa.Column("failed_at", INT64, nullable=True),
        sa.Column("failed_why", sa.Text(), nullable=True),
        sa.Column("refund", sa.Text(), nullable=True),
        sa.CheckConstraint("amount >= 1", name=op.f("ck_lot_refunds_amount")),
        sa.CheckConstraint("asked_at >= 0", name=op.f("ck_lot_refunds_asked_at")),
        sa.CheckConstraint("failed_at >= 0", name=op.f("ck_lot_refunds_failed_at")),
        sa.CheckConstraint("way IN ('wallet', 'rail')", name=op.f("ck_lot_refunds_way")),
        sa.CheckConstraint("(failed_at IS NULL) = (failed_why IS NULL)", name=op.f("ck_lot_refunds_failed_why")),
        sa.CheckConstraint("failed_at IS NULL OR released IS NULL", name=op.f("ck_lot_refunds_one_ending")),
        sa.CheckConstraint("refund IS NULL OR way = 'rail'", name=op.f("ck_lot_refunds_rail_refund")),
        sa.ForeignKeyConstraint(["lot"], ["lots.seq"], name=op.f("fk_lot_refunds_lot")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_lot_refunds_account")),
        sa.ForeignKeyConstraint(["refund"], ["refunds.id"], name=op.f("fk_lot_refunds_refund")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_refunds")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_lot_refunds_lot"), "lot_refunds", ["lot"])
    for name, column, rule, unique in (
        ("ix_lot_refunds_open", "account", "released IS NULL AND failed_at IS NULL", False),
        ("uq_lot_refunds_released", "released", "released IS NOT NULL", True),
    ):
        where = sa.text(rule)
        op.create_index(name, "lot_refunds", [column], unique=unique, sqlite_where=where, postgresql_where=where)
