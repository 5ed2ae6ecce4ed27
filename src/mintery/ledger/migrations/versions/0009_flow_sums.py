"""What the contracts' events add up to, so that a process that starts need not read them all again.

Revision: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "flow_sums",
        sa.Column("one", INT64, autoincrement=False, nullable=False),
        sa.Column("number", INT64, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("sums", sa.Text(), nullable=False),
        sa.CheckConstraint("one = 1", name=op.f("ck_flow_sums_one")),
        sa.CheckConstraint("number >= 0", name=op.f("ck_flow_sums_number")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_flow_sums")),
        sqlite_strict=True,
    )
