"""Every movement of credits, for ever."""

from sqlalchemy import CheckConstraint, Index
from sqlalchemy import text as text_of

from mintery.ledger.columns import integer, sequence, table, text

transfers = table(
    "transfers",
    sequence(),
    text("id"),
    text("kind"),
    text("debit"),
    text("credit"),
    *integer("amount", least=1),
    text("pending", null=True),
    *integer("at"),
    text("reference"),
    # What goes from the debited side to what is available, beside ``amount``.
    *integer("rest", least=1, null=True),
    CheckConstraint("debit <> credit", name="two_sides"),
    CheckConstraint("rest IS NULL OR pending IS NOT NULL", name="rest_of_pending"),
)
# What resolves a pending transfer is known by that one, and nothing else does; every other one is known by its id.
_RESOLVES = transfers.c.pending.is_not(None)
Index("uq_transfers_pending", transfers.c.pending, unique=True, sqlite_where=_RESOLVES, postgresql_where=_RESOLVES)
_OF_ITS_OWN = transfers.c.pending.is_(None)
Index("uq_transfers_id", transfers.c.id, unique=True, sqlite_where=_OF_ITS_OWN, postgresql_where=_OF_ITS_OWN)
# What a statement lists beside receipts; of a paid request's transfers none. Texts, as SQLite takes such an index only where
# a query repeats its condition to the letter.
PAID_IN = text_of("kind IN ('deposit', 'undo_exit', 'undo_released_on_chain', 'undo_loss')")
PAID_OUT = text_of("kind IN ('exit', 'released_on_chain', 'loss', 'undo_deposit')")
for _name, _side, _where in (("in", transfers.c.credit, PAID_IN), ("out", transfers.c.debit, PAID_OUT)):
    Index(
        f"ix_transfers_paid_{_name}",
        _side,
        transfers.c.at,
        transfers.c.seq,
        sqlite_where=_where,
        postgresql_where=_where,
    )
