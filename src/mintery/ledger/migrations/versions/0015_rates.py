"""What an account has asked for in the last minute.

Revision: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("requests_until", INT64, nullable=True))
    op.add_column("accounts", sa.Column("tokens_until", INT64, nullable=True))
