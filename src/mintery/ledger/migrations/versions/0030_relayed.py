"""What the relayer's key paid for holders, each day.

Revision: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "relayed",
        sa.Column("relayer", sa.Text(), nullable=False),
        sa.Column("day", INT64, nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("moves", INT64, nullable=False),
        sa.Column("gwei", INT64, nullable=False),
        sa.CheckConstraint("day >= 0", name=op.f("ck_relayed_day")),
        sa.CheckConstraint("moves >= 0", name=op.f("ck_relayed_moves")),
        sa.CheckConstraint("gwei >= 0", name=op.f("ck_relayed_gwei")),
        sa.PrimaryKeyConstraint("relayer", "day", "holder", name=op.f("pk_relayed")),
        sqlite_strict=True,
    )
