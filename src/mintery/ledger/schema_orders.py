"""The tables of top-up orders.

``orders`` holds facts that are set once: its triggers refuse to change or take back one that stands (``refunded`` alone may
rise), and its CHECKs refuse every set of facts that no life of an order leads to. ``payments`` and ``order_events`` are
append-only: all that came over a rail, and all that happened to an order. ``refunds`` is what goes back over a rail: a whole
payment, a surplus one (the order had another), or the unused part; it is due from ``due_at`` until ``done_at``.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Text

from mintery.ledger.columns import integer, sequence, table, text

RULES = {
    "rail": "rail IN ('card', 'bank', 'chain')",
    "life": "expires_at > placed_at",
    "payment_whole": "(payment IS NULL) = (paid_at IS NULL) AND (payment IS NULL) = (paid_assets IS NULL)"
    " AND (payment IS NULL) = (payment_seen_at IS NULL)",
    "review_of_payment": "review_at IS NULL OR payment IS NOT NULL",
    "cards_unreviewed": "review_at IS NULL OR rail <> 'card'",
    "review_why": "(review_at IS NULL) = (review_why IS NULL)",
    "decision_of_review": "(decision IS NULL) = (decided_at IS NULL) AND (decision IS NULL) = (decided_by IS NULL)"
    " AND (decision IS NULL) = (decided_why IS NULL) AND (decision IS NULL OR review_at IS NOT NULL)",
    "decision": "decision IS NULL OR decision IN ('accepted', 'refused')",
    "accepted": "accepted_at IS NULL OR coalesce(decision, '') = 'accepted'"
    " OR (payment IS NOT NULL AND review_at IS NULL AND rail <> 'bank' AND failed_at IS NULL"
    " AND paid_at < expires_at AND paid_assets = assets)",
    "accepted_by_decision": "coalesce(decision, '') <> 'accepted' OR accepted_at IS NOT NULL",
    "failed_why": "(failed_at IS NULL) = (failed_why IS NULL)",
    "failed_in_time": "failed_at IS NULL OR failed_at < expires_at",
    "minting": "minting_at IS NULL OR accepted_at IS NOT NULL",
    "refund_why": "(refund_due_at IS NULL) = (refund_why IS NULL)",
    "refund_or_credits": "refund_due_at IS NULL OR minting_at IS NULL",
    "refund_due": "refund_due_at IS NULL OR accepted_at IS NOT NULL OR coalesce(decision, '') = 'refused'"
    " OR (rail = 'card' AND payment IS NOT NULL AND (paid_at >= expires_at OR failed_at IS NOT NULL"
    " OR (paid_assets <> assets AND refund_due_at >= expires_at)))",
    "refunded_within": "refunded <= coalesce(paid_assets, 0)",
    "refunded_of_something": "refunded = 0 OR refund_due_at IS NOT NULL OR minting_at IS NOT NULL",
}

orders = table(
    "orders",
    Column("id", Text, primary_key=True),
    text("account"),
    text("token"),
    text("gateway"),
    text("holder"),
    text("signer"),
    text("rail"),
    *integer("assets", least=1),
    *integer("placed_at"),
    *integer("expires_at"),
    text("idempotency_key", null=True),
    text("signed", null=True),
    text("reference", null=True),
    text("page", null=True),
    *integer("closed_at", null=True),
    text("payment", null=True),
    *integer("paid_assets", least=1, null=True),
    *integer("paid_at", null=True),
    *integer("payment_seen_at", null=True),
    *integer("review_at", null=True),
    text("review_why", null=True),
    *integer("decided_at", null=True),
    text("decision", null=True),
    text("decided_by", null=True),
    text("decided_why", null=True),
    *integer("accepted_at", null=True),
    *integer("failed_at", null=True),
    text("failed_why", null=True),
    *integer("minting_at", null=True),
    *integer("refund_due_at", null=True),
    text("refund_why", null=True),
    *integer("refunded", default="0"),
    # Sums of its payment's disputes, open and lost: see ``disputes``.
    *integer("disputed", least=None, default="0"),
    *integer("lost", least=None, default="0"),
    *(CheckConstraint(rule, name=name) for name, rule in RULES.items()),
    Index(None, "holder", "placed_at"),
)
_KEYED = orders.c.idempotency_key.is_not(None)
Index(
    "uq_orders_idempotency_key",
    orders.c.holder,
    orders.c.idempotency_key,
    unique=True,
    sqlite_where=_KEYED,
    postgresql_where=_KEYED,
)
_NAMED = orders.c.reference.is_not(None)
Index(
    "uq_orders_reference",
    orders.c.rail,
    orders.c.reference,
    unique=True,
    sqlite_where=_NAMED,
    postgresql_where=_NAMED,
)
# What some rail may still tell news of, what a person must look at, what is accepted and not being minted: all of it is little.
_WATCHED = orders.c.closed_at.is_(None)
Index("ix_orders_watched", orders.c.rail, orders.c.placed_at, sqlite_where=_WATCHED, postgresql_where=_WATCHED)
_REVIEWED = orders.c.review_at.is_not(None) & orders.c.decided_at.is_(None)
Index("ix_orders_reviewed", orders.c.review_at, sqlite_where=_REVIEWED, postgresql_where=_REVIEWED)
_UNMINTED = orders.c.accepted_at.is_not(None) & orders.c.minting_at.is_(None) & orders.c.refund_due_at.is_(None)
Index("ix_orders_unminted", orders.c.accepted_at, sqlite_where=_UNMINTED, postgresql_where=_UNMINTED)

# What cards have brought within a day.
_BY_CARD = orders.c.rail == "card"
for _of in (orders.c.payment_seen_at, orders.c.minting_at):
    Index(f"ix_orders_card_{_of.name}", _of, sqlite_where=_BY_CARD, postgresql_where=_BY_CARD)

payments = table(
    "payments",
    text("rail"),
    text("id"),
    text("order_id", ForeignKey("orders.id")),
    *integer("assets", least=1),
    *integer("paid_at"),
    *integer("seen_at"),
    PrimaryKeyConstraint("rail", "id"),
    Index(None, "order_id"),
)

order_events = table(
    "order_events",
    sequence(),
    text("order_id", ForeignKey("orders.id")),
    text("kind"),
    text("actor"),
    text("facts"),
    *integer("at"),
    Index(None, "order_id", "seq"),
)

refunds = table(
    "refunds",
    Column("id", Text, primary_key=True),
    text("order_id", ForeignKey("orders.id")),
    text("rail"),
    text("payment"),
    text("kind"),
    text("why"),
    *integer("assets", least=1),
    *integer("due_at"),
    text("reference", null=True),
    *integer("done_at", null=True),
    CheckConstraint("kind IN ('whole', 'surplus', 'unused')", name="kind"),
    CheckConstraint("(done_at IS NULL) = (reference IS NULL)", name="done"),
    ForeignKeyConstraint(("rail", "payment"), ("payments.rail", "payments.id")),
    Index(None, "order_id"),
)
_DUE = refunds.c.done_at.is_(None)
Index("ix_refunds_due", refunds.c.rail, refunds.c.due_at, sqlite_where=_DUE, postgresql_where=_DUE)
_PAYMENT_BACK = refunds.c.kind != "unused"
Index(
    "uq_refunds_payment",
    refunds.c.rail,
    refunds.c.payment,
    unique=True,
    sqlite_where=_PAYMENT_BACK,
    postgresql_where=_PAYMENT_BACK,
)
