"""Card payments that are disputed, or that were given back at the rail by hand.

A dispute's facts are set once: it opens, and ends as won or lost. ``outside_refunds`` is append-only.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, Text

from mintery.ledger.columns import integer, table, text

disputes = table(
    "disputes",
    Column("id", Text, primary_key=True),
    text("order_id", ForeignKey("orders.id")),
    text("rail"),
    text("payment"),
    *integer("assets", least=1),
    text("reason"),
    *integer("opened_at"),
    *integer("seen_at"),
    text("outcome", null=True),
    *integer("ended_at", null=True),
    CheckConstraint("rail = 'card'", name="rail"),
    CheckConstraint("outcome IS NULL OR outcome IN ('won', 'lost')", name="outcome"),
    CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ended"),
    ForeignKeyConstraint(("rail", "payment"), ("payments.rail", "payments.id")),
    Index(None, "order_id"),
)
_OPEN = disputes.c.outcome.is_(None)
Index("ix_disputes_open", disputes.c.opened_at, sqlite_where=_OPEN, postgresql_where=_OPEN)

outside_refunds = table(
    "outside_refunds",
    Column("id", Text, primary_key=True),
    text("order_id", ForeignKey("orders.id")),
    text("rail"),
    text("payment"),
    *integer("assets", least=1),
    *integer("at"),
    *integer("seen_at"),
    CheckConstraint("rail = 'card'", name="rail"),
    ForeignKeyConstraint(("rail", "payment"), ("payments.rail", "payments.id")),
    Index(None, "order_id"),
)
