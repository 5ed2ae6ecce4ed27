"""Indexes by which what cards have brought within a day is counted.

Revision: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    by_card = sa.text("rail = 'card'")
    for column in ("payment_seen_at", "minting_at"):
        op.create_index(f"ix_orders_card_{column}", "orders", [column], sqlite_where=by_card, postgresql_where=by_card)
