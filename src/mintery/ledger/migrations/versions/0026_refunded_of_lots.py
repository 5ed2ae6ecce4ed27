"""What refunds took of a lot, apart from what was used: nothing is given back into that room. And where the chain released
each refund.

What was set aside before is set aside from everything that is not followed yet.

Revision: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OVER = "NEW.refunded < 0 OR NEW.remaining + NEW.refunded > NEW.amount"
SQLITE = """
CREATE TRIGGER {table}_{what} BEFORE {verb} ON {table} {when}
BEGIN SELECT RAISE(ABORT, '{why}'); END
"""
POSTGRESQL = f"""
CREATE FUNCTION lots_refuse_refund() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'a lot never gives more than it had'; END $$;
CREATE TRIGGER lots_refunded_within BEFORE INSERT OR UPDATE ON lots FOR EACH ROW WHEN ({OVER})
EXECUTE FUNCTION lots_refuse_refund();
CREATE FUNCTION lot_releases_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'lot_releases are never changed'; END $$;
CREATE TRIGGER lot_releases_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON lot_releases
FOR EACH STATEMENT EXECUTE FUNCTION lot_releases_refuse()
"""
ITS_USES = """
    FROM lot_refunds AS r
    JOIN lot_uses AS u ON u.lot = r.lot AND u.kind = 'released_on_chain'
    JOIN transfers AS t ON t.seq = u.transfer AND t.reference = r.released
"""


def upgrade() -> None:
    op.add_column("lots", sa.Column("refunded", INT64, server_default="0", nullable=False))
    op.create_table(
        "lot_set_asides",
        sa.Column("refund", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("asked_after", INT64, nullable=False),
        sa.Column("failed_after", INT64, nullable=True),
        sa.Column("followed", INT64, server_default="0", nullable=False),
        *(
            sa.CheckConstraint(f"{name} >= 0", name=op.f(f"ck_lot_set_asides_{name}"))
            for name in ("asked_after", "failed_after", "followed")
        ),
        sa.CheckConstraint("followed <= 1", name=op.f("ck_lot_set_asides_followed_flag")),
        sa.ForeignKeyConstraint(["refund"], ["lot_refunds.id"], name=op.f("fk_lot_set_asides_refund")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_lot_set_asides_account")),
        sa.PrimaryKeyConstraint("refund", name=op.f("pk_lot_set_asides")),
        sqlite_strict=True,
    )
    unfollowed = sa.text("followed = 0")
    op.create_index(
        op.f("ix_lot_set_asides_account"),
        "lot_set_asides",
        ["account"],
        sqlite_where=unfollowed,
        postgresql_where=unfollowed,
    )
    op.create_table(
        "lot_releases",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("refund", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["refund"], ["lot_refunds.id"], name=op.f("fk_lot_releases_refund")),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_lot_releases")),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO lot_releases (place, refund) SELECT released, id FROM lot_refunds WHERE released IS NOT NULL"
    )
    followed = f"CASE WHEN id IN (SELECT r.id {ITS_USES}) THEN 1 ELSE 0 END"
    failed = "CASE WHEN failed_at IS NULL THEN NULL ELSE 0 END"
    op.execute(f"INSERT INTO lot_set_asides SELECT id, account, 0, {failed}, {followed} FROM lot_refunds")  # noqa: S608 -- as above
    refunded = f"SELECT sum(u.amount) {ITS_USES} WHERE r.lot = lots.seq"
    op.execute(f"UPDATE lots SET refunded = coalesce(({refunded}), 0)")  # noqa: S608 -- constants
    # Some room may have been filled again before this was counted: what a lot has now is what it has.
    op.execute("UPDATE lots SET refunded = amount - remaining WHERE refunded > amount - remaining")
    if op.get_bind().dialect.name != "sqlite":
        op.execute(POSTGRESQL)
        return
    for verb in ("insert", "update"):
        why = "a lot never gives more than it had"
        op.execute(SQLITE.format(table="lots", what=f"within_{verb}", verb=verb, when=f"WHEN {OVER}", why=why))
    for verb in ("update", "delete"):
        why = "lot_releases are never changed"
        op.execute(SQLITE.format(table="lot_releases", what=f"no_{verb}", verb=verb, when="", why=why))
