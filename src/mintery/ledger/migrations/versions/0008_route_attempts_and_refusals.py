"""Calls of a request that did not end with its first route, and requests that were refused.

Revision: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "route_attempts",
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("position", INT64, autoincrement=False, nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", INT64, nullable=True),
        sa.Column("began_at", INT64, nullable=False),
        sa.Column("ended_at", INT64, nullable=False),
        sa.CheckConstraint("position >= 0", name=op.f("ck_route_attempts_position")),
        sa.CheckConstraint("status >= 0", name=op.f("ck_route_attempts_status")),
        sa.CheckConstraint("began_at >= 0", name=op.f("ck_route_attempts_began_at")),
        sa.CheckConstraint("ended_at >= 0", name=op.f("ck_route_attempts_ended_at")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_route_attempts_request")),
        sa.PrimaryKeyConstraint("request", "position", name=op.f("pk_route_attempts")),
        sqlite_strict=True,
    )
    op.create_table(
        "refusals",
        sa.Column("seq", INT64, sa.Identity(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("asked", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("at", INT64, nullable=False),
        sa.CheckConstraint("at >= 0", name=op.f("ck_refusals_at")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_refusals")),
        sa.UniqueConstraint("request", name=op.f("uq_refusals_request")),
        sqlite_strict=True,
    )
