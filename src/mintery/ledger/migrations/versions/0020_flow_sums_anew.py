"""How often the sums of the contracts' events were made anew, so that every process learns of it.

Revision: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("flow_sums", sa.Column("anew", INT64, server_default="0", nullable=False))
