"""What each project's reserve has been.

Revision: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "reserve_observations",
        sa.Column("seq", INT64, sa.Identity(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("block", INT64, nullable=False),
        sa.Column("block_time", INT64, nullable=False),
        sa.Column("supply", sa.Text(), nullable=False),
        sa.Column("reserve", INT64, nullable=False),
        sa.Column("needed", INT64, nullable=False),
        sa.CheckConstraint("block >= 0", name=op.f("ck_reserve_observations_block")),
        sa.CheckConstraint("block_time >= 0", name=op.f("ck_reserve_observations_block_time")),
        sa.CheckConstraint("needed >= 0", name=op.f("ck_reserve_observations_needed")),
        sa.CheckConstraint("reserve >= 0", name=op.f("ck_reserve_observations_reserve")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_reserve_observations")),
        sa.UniqueConstraint("token", "block", name=op.f("uq_reserve_observations_token_block")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_reserve_observations_token_seq"), "reserve_observations", ["token", "seq"])
