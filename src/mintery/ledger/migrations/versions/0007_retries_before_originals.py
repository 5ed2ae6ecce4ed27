"""A request that is committed after its own retry finds it.

Revision: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("retried_at", INT64, nullable=True))
    op.add_column("requests", sa.Column("retry", INT64, nullable=True))
    is_retry = sa.text("retry IS NOT NULL")
    columns = ["credential", "body"]
    op.create_index("ix_requests_retry", "requests", columns, sqlite_where=is_retry, postgresql_where=is_retry)
