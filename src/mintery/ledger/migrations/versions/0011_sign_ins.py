"""Who is signed in to the wallet.

Revision: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sign_in_nonces",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("expires_at", INT64, nullable=False),
        sa.CheckConstraint("expires_at >= 0", name=op.f("ck_sign_in_nonces_expires_at")),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_sign_in_nonces")),
        sqlite_strict=True,
    )
    op.create_index("ix_sign_in_nonces_expires_at", "sign_in_nonces", ["expires_at"])
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("began_at", INT64, nullable=False),
        sa.Column("expires_at", INT64, nullable=False),
        sa.Column("ended_at", INT64, nullable=True),
        sa.CheckConstraint("expires_at > began_at", name=op.f("ck_sign_ins_lasts")),
        sa.CheckConstraint("began_at >= 0", name=op.f("ck_sign_ins_began_at")),
        sa.CheckConstraint("expires_at >= 0", name=op.f("ck_sign_ins_expires_at")),
        sa.CheckConstraint("ended_at >= 0", name=op.f("ck_sign_ins_ended_at")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sqlite_strict=True,
    )
    op.create_index("uq_sign_ins_token_hash", "sign_ins", ["token_hash"], unique=True)
    op.create_index("ix_sign_ins_expires_at", "sign_ins", ["expires_at"])
