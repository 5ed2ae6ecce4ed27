"""Calls to providers are counted in the order of their commit, and sealed as the fifth source, those that are there already too.

Revision: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SOURCE = 5
COLUMNS = "request, position, route, provider, outcome, status, began_at, ended_at"


def upgrade() -> None:
    op.execute(f"CREATE TABLE route_attempts_before AS SELECT {COLUMNS} FROM route_attempts")  # noqa: S608 -- our own names
    op.drop_table("route_attempts")
    op.create_table(
        "route_attempts",
        sa.Column("seq", INT64, sa.Identity(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("position", INT64, nullable=False),
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
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_route_attempts")),
        sa.UniqueConstraint("request", "position", name=op.f("uq_route_attempts_request_position")),
        sqlite_strict=True,
    )
    op.execute(
        f"INSERT INTO route_attempts ({COLUMNS}) "  # noqa: S608 -- as above
        f"SELECT {COLUMNS} FROM route_attempts_before ORDER BY ended_at, request, position"
    )
    op.drop_table("route_attempts_before")
    marks = sa.table("seal_marks", sa.column("source", INT64), sa.column("through", INT64))
    op.bulk_insert(marks, [{"source": SOURCE, "through": 0}])
