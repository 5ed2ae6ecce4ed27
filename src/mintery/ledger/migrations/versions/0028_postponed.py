"""What of orders, refunds and calls could not go on, and when it is tried again.

Revision: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "postponed",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("tries", INT64, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since", INT64, nullable=False),
        sa.Column("next_at", INT64, nullable=False),
        sa.CheckConstraint("tries >= 1", name=op.f("ck_postponed_tries")),
        sa.CheckConstraint("since >= 0", name=op.f("ck_postponed_since")),
        sa.CheckConstraint("next_at >= 0", name=op.f("ck_postponed_next_at")),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_postponed")),
        sqlite_strict=True,
    )
