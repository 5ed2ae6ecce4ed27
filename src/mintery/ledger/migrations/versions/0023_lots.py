"""Lots, and which requests used them.

Revision: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SET_ONCE = ("seq", "account", "token", "reference", "transfer", "amount", "at", "undone_at")
CHANGED = " OR ".join(
    f"(OLD.{name} IS NOT NULL AND (NEW.{name} IS NULL OR NEW.{name} <> OLD.{name}))" for name in SET_ONCE
)
SQLITE = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} {when}
BEGIN SELECT RAISE(ABORT, 'facts of {table} are set once, and no row is deleted'); END
"""
POSTGRESQL = """
CREATE FUNCTION lots_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'facts of lots are set once, and no row is deleted'; END $$;
CREATE TRIGGER lots_keep_facts BEFORE UPDATE ON lots FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION lots_refuse();
CREATE TRIGGER lots_no_delete BEFORE DELETE OR TRUNCATE ON lots FOR EACH STATEMENT EXECUTE FUNCTION lots_refuse();
CREATE TRIGGER lot_uses_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON lot_uses
FOR EACH STATEMENT EXECUTE FUNCTION lots_refuse()
"""


def upgrade() -> None:
    _lots()
    _lot_uses()
    progress = op.create_table(
        "lot_progress",
        sa.Column("one", INT64, autoincrement=False, nullable=False),
        sa.Column("position", INT64, nullable=False),
        sa.CheckConstraint("one = 1", name=op.f("ck_lot_progress_one")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_lot_progress_position")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_lot_progress")),
        sqlite_strict=True,
    )
    op.bulk_insert(progress, [{"one": 1, "position": 0}])
    if op.get_bind().dialect.name != "sqlite":
        op.execute(POSTGRESQL.format(changed=CHANGED))
        return
    for table, verb, when in (
        ("lots", "update", f"WHEN {CHANGED}"),
        ("lots", "delete", ""),
        ("lot_uses", "update", ""),
        ("lot_uses", "delete", ""),
    ):
        op.execute(SQLITE.format(table=table, verb=verb, when=when))


def _lots() -> None:
    op.create_table(
        "lots",
        sa.Column("seq", INT64, sa.Identity(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("account", "token", "reference")),
        *(sa.Column(name, INT64, nullable=False) for name in ("transfer", "amount", "remaining", "at")),
        sa.Column("undone_at", INT64, nullable=True),
        *(
            sa.CheckConstraint(f"{name} >= {least}", name=op.f(f"ck_lots_{name}"))
            for name, least in (("transfer", 1), ("amount", 1), ("remaining", 0), ("at", 0), ("undone_at", 0))
        ),
        sa.CheckConstraint("remaining <= amount", name=op.f("ck_lots_remaining_within")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_lots_account")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_lots")),
        sa.UniqueConstraint("reference", name=op.f("uq_lots_reference")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_lots_account_seq"), "lots", ["account", "seq"])


def _lot_uses() -> None:
    op.create_table(
        "lot_uses",
        sa.Column("seq", INT64, sa.Identity(), nullable=False),
        sa.Column("lot", INT64, nullable=True),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("transfer", INT64, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("amount", INT64, nullable=False),
        sa.Column("at", INT64, nullable=False),
        sa.CheckConstraint("transfer >= 1", name=op.f("ck_lot_uses_transfer")),
        sa.CheckConstraint("at >= 0", name=op.f("ck_lot_uses_at")),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_lot_uses_something")),
        sa.ForeignKeyConstraint(["lot"], ["lots.seq"], name=op.f("fk_lot_uses_lot")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_lot_uses_account")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_lot_uses")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_lot_uses_lot_seq"), "lot_uses", ["lot", "seq"])
    for column, rule in (("request", "request IS NOT NULL"), ("account", "lot IS NULL")):
        where = sa.text(rule)
        op.create_index(f"ix_lot_uses_{column}", "lot_uses", [column], sqlite_where=where, postgresql_where=where)
