"""What became of an account's credits is found by time.

Revision: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

PAID_IN = sa.text("kind IN ('deposit', 'undo_exit', 'undo_released_on_chain', 'undo_loss')")
PAID_OUT = sa.text("kind IN ('exit', 'released_on_chain', 'loss', 'undo_deposit')")


def upgrade() -> None:
    op.drop_index("ix_receipts_account_seq", "receipts")
    op.create_index("ix_receipts_account_captured_at_seq", "receipts", ["account", "captured_at", "seq"])
    for name, side, where in (("in", "credit", PAID_IN), ("out", "debit", PAID_OUT)):
        op.create_index(
            f"ix_transfers_paid_{name}", "transfers", [side, "at", "seq"], sqlite_where=where, postgresql_where=where
        )
