"""The index of requests by their batch holds those that are in one: a new request need not be written to it.

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.drop_index("ix_requests_batch", "requests")
    op.create_index(
        "ix_requests_batch",
        "requests",
        ["batch"],
        unique=False,
        sqlite_where=sa.text("batch IS NOT NULL"),
        postgresql_where=sa.text("batch IS NOT NULL"),
    )
