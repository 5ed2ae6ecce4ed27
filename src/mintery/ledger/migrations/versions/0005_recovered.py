"""What a line burned beyond what its own receipts charged: a loss of an earlier batch that the chain took after all.

Revision: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("batch_lines", sa.Column("recovered", INT64, nullable=True))
