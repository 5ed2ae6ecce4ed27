"""Signatures that their holders took back.

Revision: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "withdrawn_signatures",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("authorizer", sa.Text(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("at", INT64, nullable=False),
        sa.CheckConstraint("at >= 0", name=op.f("ck_withdrawn_signatures_at")),
        sa.PrimaryKeyConstraint("token", "authorizer", "nonce", name=op.f("pk_withdrawn_signatures")),
        sqlite_strict=True,
    )
