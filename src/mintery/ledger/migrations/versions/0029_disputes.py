"""Disputed payments, refunds made by hand, and what is frozen for them.

Revision: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SUMS = (("orders", "disputed"), ("orders", "lost"), ("lots", "claimed"), ("lots", "frozen"), ("accounts", "frozen"))
SET_ONCE = (
    *("id", "order_id", "rail", "payment", "assets", "reason", "opened_at", "seen_at"),
    *("outcome", "ended_at"),
)
CHANGED = " OR ".join(
    f"(OLD.{name} IS NOT NULL AND (NEW.{name} IS NULL OR NEW.{name} <> OLD.{name}))" for name in SET_ONCE
)
FORBIDDEN = (
    "NEW.lost < OLD.lost OR NEW.disputed < 0"
    # Only what a card has paid before is disputed: what becomes of that was decided with the payment.
    " OR ((NEW.disputed <> 0 OR NEW.lost <> 0)"
    " AND (NEW.rail <> 'card' OR (OLD.accepted_at IS NULL AND OLD.refund_due_at IS NULL)))"
    # No credits are created for what may be, or was, taken back.
    " OR (OLD.minting_at IS NULL AND NEW.minting_at IS NOT NULL AND (NEW.disputed <> 0 OR NEW.lost <> 0))"
)
BEGUN = "NEW.disputed <> 0 OR NEW.lost <> 0"
SQLITE = """
CREATE TRIGGER {name} BEFORE {verb} ON {table} {when}
BEGIN SELECT RAISE(ABORT, '{why}'); END
"""
POSTGRESQL = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{why}'; END $$;
CREATE TRIGGER {name} BEFORE {verb} ON {table} {when} EXECUTE FUNCTION {name}()
"""
REFUSALS = (
    ("orders_keep_disputes", "UPDATE", "orders", FORBIDDEN, "facts of orders are set once"),
    ("orders_begin_undisputed", "INSERT", "orders", BEGUN, "orders begin pending"),
    ("disputes_keep_facts", "UPDATE", "disputes", CHANGED, "facts of disputes are set once"),
)
KEPT = (("disputes", "DELETE"), ("outside_refunds", "DELETE"), ("outside_refunds", "UPDATE"))


def upgrade() -> None:
    for table, column in SUMS:
        op.add_column(table, sa.Column(column, INT64, server_default="0", nullable=False))
    where = sa.text("claimed > 0")
    op.create_index("ix_lots_claimed", "lots", ["seq"], sqlite_where=where, postgresql_where=where)
    _disputes()
    _outside_refunds()
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, verb, table, forbidden, why in REFUSALS:
        when = f"WHEN {forbidden}" if sqlite else f"FOR EACH ROW WHEN ({forbidden})"
        op.execute((SQLITE if sqlite else POSTGRESQL).format(name=name, verb=verb, table=table, when=when, why=why))
    for table, verb in KEPT:
        name, why = f"{table}_no_{verb.lower()}", f"{table} are never changed"
        if sqlite:
            op.execute(SQLITE.format(name=name, verb=verb, table=table, when="", why=why))
        else:
            verbs = f"{verb} OR TRUNCATE" if verb == "DELETE" else verb
            when = "FOR EACH STATEMENT"
            op.execute(POSTGRESQL.format(name=name, verb=verbs, table=table, when=when, why=why))


def _bounded(table: str, name: str, least: int) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{name} >= {least}", name=op.f(f"ck_{table}_{name}"))


def _disputes() -> None:
    op.create_table(
        "disputes",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "order_id", "rail", "payment")),
        sa.Column("assets", INT64, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *(sa.Column(name, INT64, nullable=False) for name in ("opened_at", "seen_at")),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("ended_at", INT64, nullable=True),
        *(
            _bounded("disputes", name, least)
            for name, least in (("assets", 1), ("opened_at", 0), ("seen_at", 0), ("ended_at", 0))
        ),
        sa.CheckConstraint("rail = 'card'", name=op.f("ck_disputes_rail")),
        sa.CheckConstraint("outcome IS NULL OR outcome IN ('won', 'lost')", name=op.f("ck_disputes_outcome")),
        sa.CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name=op.f("ck_disputes_ended")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_disputes_order_id")),
        sa.ForeignKeyConstraint(
            ["rail", "payment"], ["payments.rail", "payments.id"], name=op.f("fk_disputes_rail_payment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_disputes_order_id"), "disputes", ["order_id"])
    where = sa.text("outcome IS NULL")
    op.create_index("ix_disputes_open", "disputes", ["opened_at"], sqlite_where=where, postgresql_where=where)


def _outside_refunds() -> None:
    op.create_table(
        "outside_refunds",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "order_id", "rail", "payment")),
        *(sa.Column(name, INT64, nullable=False) for name in ("assets", "at", "seen_at")),
        *(_bounded("outside_refunds", name, least) for name, least in (("assets", 1), ("at", 0), ("seen_at", 0))),
        sa.CheckConstraint("rail = 'card'", name=op.f("ck_outside_refunds_rail")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_outside_refunds_order_id")),
        sa.ForeignKeyConstraint(
            ["rail", "payment"], ["payments.rail", "payments.id"], name=op.f("fk_outside_refunds_rail_payment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_refunds")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_outside_refunds_order_id"), "outside_refunds", ["order_id"])
