"""Top-up orders, the payments that came for them, what goes back, and what happened to each.

Revision: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXTS = ("id", "account", "token", "gateway", "holder", "signer", "rail")
FACTS = (
    ("idempotency_key", None),
    ("signed", None),
    ("reference", None),
    ("page", None),
    ("closed_at", 0),
    ("payment", None),
    ("paid_assets", 1),
    ("paid_at", 0),
    ("payment_seen_at", 0),
    ("review_at", 0),
    ("review_why", None),
    ("decided_at", 0),
    ("decision", None),
    ("decided_by", None),
    ("decided_why", None),
    ("accepted_at", 0),
    ("failed_at", 0),
    ("failed_why", None),
    ("minting_at", 0),
    ("refund_due_at", 0),
    ("refund_why", None),
)
"""Each with its lower bound, None for texts."""
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
SET_ONCE = (*TEXTS, "assets", "placed_at", "expires_at", *(name for name, _ in FACTS))
AT_ONCE = ("idempotency_key", "signed", "reference", "page")
"""Facts that an order may begin with."""
REFUND_TEXTS = ("id", "order_id", "rail", "payment", "kind", "why")
REFUND_SET_ONCE = (*REFUND_TEXTS, "assets", "due_at", "reference", "done_at")
APPEND_ONLY = ("payments", "order_events")

SQLITE_REFUSAL = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} are never changed'); END
"""
POSTGRESQL_REFUSAL = """
CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{table} are never changed'; END $$;
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()
"""
CHANGED = " OR ".join(
    f"(OLD.{name} IS NOT NULL AND (NEW.{name} IS NULL OR NEW.{name} <> OLD.{name}))" for name in SET_ONCE
)
REFUND_CHANGED = " OR ".join(
    f"(OLD.{name} IS NOT NULL AND (NEW.{name} IS NULL OR NEW.{name} <> OLD.{name}))" for name in REFUND_SET_ONCE
)
FORBIDDEN = (
    f"{CHANGED} OR NEW.refunded < OLD.refunded"
    # No order fails once money came for it: what becomes of that is decided with the payment.
    " OR (OLD.failed_at IS NULL AND NEW.failed_at IS NOT NULL AND OLD.payment IS NOT NULL)"
    # Whether a payment is reviewed is decided when it comes.
    " OR (OLD.review_at IS NULL AND NEW.review_at IS NOT NULL AND OLD.payment IS NOT NULL)"
    # One step at a time: reviewed, then decided; accepted, then returned; due, then refunded.
    " OR (OLD.decided_at IS NULL AND NEW.decided_at IS NOT NULL AND OLD.review_at IS NULL)"
    " OR (OLD.accepted_at IS NULL AND NEW.accepted_at IS NOT NULL AND NEW.refund_due_at IS NOT NULL)"
    " OR (NEW.refunded > OLD.refunded AND OLD.refund_due_at IS NULL AND OLD.minting_at IS NULL)"
)
BEGUN = " OR ".join(f"NEW.{name} IS NOT NULL" for name, _ in FACTS if name not in AT_ONCE)
SQLITE_KEEP = """
CREATE TRIGGER {table}_keep_facts BEFORE UPDATE ON {table} WHEN {forbidden}
BEGIN SELECT RAISE(ABORT, 'facts of {table} are set once'); END
"""
SQLITE_NO_DELETE = """
CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} are never deleted'); END
"""
POSTGRESQL_KEEP = """
CREATE FUNCTION {table}_keep_facts() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'facts of {table} are set once, and no row is deleted'; END $$;
CREATE TRIGGER {table}_keep_facts BEFORE UPDATE ON {table}
FOR EACH ROW WHEN ({forbidden}) EXECUTE FUNCTION {table}_keep_facts();
CREATE TRIGGER {table}_no_delete BEFORE DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {table}_keep_facts()
"""


SQLITE_NEW = """
CREATE TRIGGER orders_begin_pending BEFORE INSERT ON orders WHEN {begun}
BEGIN SELECT RAISE(ABORT, 'orders begin pending'); END
"""
POSTGRESQL_NEW = """
CREATE FUNCTION orders_begin_pending() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'orders begin pending'; END $$;
CREATE TRIGGER orders_begin_pending BEFORE INSERT ON orders
FOR EACH ROW WHEN ({begun}) EXECUTE FUNCTION orders_begin_pending()
"""


def upgrade() -> None:
    _orders()
    _payments()
    _order_events()
    _refunds()
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table in APPEND_ONLY:
        if sqlite:
            for verb in ("update", "delete"):
                op.execute(SQLITE_REFUSAL.format(table=table, verb=verb))
        else:
            op.execute(POSTGRESQL_REFUSAL.format(table=table))
    for table, forbidden in (("orders", FORBIDDEN), ("refunds", REFUND_CHANGED)):
        for statement in (SQLITE_KEEP, SQLITE_NO_DELETE) if sqlite else (POSTGRESQL_KEEP,):
            op.execute(statement.format(table=table, forbidden=forbidden))
    op.execute((SQLITE_NEW if sqlite else POSTGRESQL_NEW).format(begun=BEGUN))


def _bounded(table: str, name: str, least: int) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{name} >= {least}", name=op.f(f"ck_{table}_{name}"))


def _orders() -> None:
    op.create_table(
        "orders",
        *(sa.Column(name, sa.Text(), nullable=False) for name in TEXTS),
        *(sa.Column(name, INT64, nullable=False) for name in ("assets", "placed_at", "expires_at")),
        *(sa.Column(name, sa.Text() if least is None else INT64, nullable=True) for name, least in FACTS),
        sa.Column("refunded", INT64, server_default="0", nullable=False),
        _bounded("orders", "assets", 1),
        *(_bounded("orders", name, 0) for name in ("placed_at", "expires_at", "refunded")),
        *(_bounded("orders", name, least) for name, least in FACTS if least is not None),
        *(sa.CheckConstraint(rule, name=op.f(f"ck_orders_{name}")) for name, rule in RULES.items()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_orders_holder_placed_at"), "orders", ["holder", "placed_at"])
    for name, columns, rule, unique in (
        ("uq_orders_idempotency_key", ["holder", "idempotency_key"], "idempotency_key IS NOT NULL", True),
        ("uq_orders_reference", ["rail", "reference"], "reference IS NOT NULL", True),
        ("ix_orders_watched", ["rail", "placed_at"], "closed_at IS NULL", False),
        ("ix_orders_reviewed", ["review_at"], "review_at IS NOT NULL AND decided_at IS NULL", False),
        (
            "ix_orders_unminted",
            ["accepted_at"],
            "accepted_at IS NOT NULL AND minting_at IS NULL AND refund_due_at IS NULL",
            False,
        ),
    ):
        where = sa.text(rule)
        op.create_index(name, "orders", columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _payments() -> None:
    op.create_table(
        "payments",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("rail", "id", "order_id")),
        *(sa.Column(name, INT64, nullable=False) for name in ("assets", "paid_at", "seen_at")),
        _bounded("payments", "assets", 1),
        _bounded("payments", "paid_at", 0),
        _bounded("payments", "seen_at", 0),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_payments_order_id")),
        sa.PrimaryKeyConstraint("rail", "id", name=op.f("pk_payments")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_payments_order_id"), "payments", ["order_id"])


def _order_events() -> None:
    op.create_table(
        "order_events",
        sa.Column("seq", INT64, sa.Identity(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("order_id", "kind", "actor", "facts")),
        sa.Column("at", INT64, nullable=False),
        _bounded("order_events", "at", 0),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_events_order_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_order_events")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_order_events_order_id_seq"), "order_events", ["order_id", "seq"])


def _refunds() -> None:
    op.create_table(
        "refunds",
        *(sa.Column(name, sa.Text(), nullable=False) for name in REFUND_TEXTS),
        *(sa.Column(name, INT64, nullable=False) for name in ("assets", "due_at")),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("done_at", INT64, nullable=True),
        _bounded("refunds", "assets", 1),
        _bounded("refunds", "due_at", 0),
        _bounded("refunds", "done_at", 0),
        sa.CheckConstraint("kind IN ('whole', 'surplus', 'unused')", name=op.f("ck_refunds_kind")),
        sa.CheckConstraint("(done_at IS NULL) = (reference IS NULL)", name=op.f("ck_refunds_done")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_refunds_order_id")),
        sa.ForeignKeyConstraint(
            ["rail", "payment"], ["payments.rail", "payments.id"], name=op.f("fk_refunds_rail_payment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_refunds_order_id"), "refunds", ["order_id"])
    where = sa.text("done_at IS NULL")
    op.create_index("ix_refunds_due", "refunds", ["rail", "due_at"], sqlite_where=where, postgresql_where=where)
    where = sa.text("kind != 'unused'")
    op.create_index(
        "uq_refunds_payment",
        "refunds",
        ["rail", "payment"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
