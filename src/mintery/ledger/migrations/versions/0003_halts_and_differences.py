"""Standing halts, and what the last reconciliation found.

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "halts",
        sa.Column("seq", INT64, sa.Identity(always=False), nullable=False),
        sa.Column("alarm", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since", INT64, nullable=False),
        sa.Column("cleared_at", INT64, nullable=True),
        sa.Column("cleared_for", sa.Text(), nullable=True),
        sa.CheckConstraint("since >= 0", name=op.f("ck_halts_since")),
        sa.CheckConstraint("cleared_at >= 0", name=op.f("ck_halts_cleared_at")),
        sa.CheckConstraint("(cleared_at IS NULL) = (cleared_for IS NULL)", name=op.f("ck_halts_cleared")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_halts")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_halts_standing",
        "halts",
        ["alarm", "subject"],
        unique=True,
        sqlite_where=sa.text("cleared_at IS NULL"),
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.create_table(
        "reconciliation",
        sa.Column("one", INT64, autoincrement=False, nullable=False),
        sa.Column("number", INT64, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("at", INT64, nullable=False),
        sa.CheckConstraint("at >= 0", name=op.f("ck_reconciliation_at")),
        sa.CheckConstraint("number >= 0", name=op.f("ck_reconciliation_number")),
        sa.CheckConstraint("one = 1", name=op.f("ck_reconciliation_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_reconciliation")),
        sqlite_strict=True,
    )
    op.create_table(
        "differences",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("books", sa.Text(), nullable=False),
        sa.Column("last_equal", INT64, nullable=True),
        sa.Column("since", INT64, nullable=False),
        sa.CheckConstraint("last_equal >= 0", name=op.f("ck_differences_last_equal")),
        sa.CheckConstraint("since >= 0", name=op.f("ck_differences_since")),
        sa.PrimaryKeyConstraint("what", name=op.f("pk_differences")),
        sqlite_strict=True,
    )
