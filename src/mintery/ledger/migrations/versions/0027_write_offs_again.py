"""A receipt may be written off again after the chain had undone that: what undid says which write-off it undid.

One of a request stands at a time. Earlier rows keep their seals, which cover no such column: each undid the only one that its
request had.

Revision: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = ("write_offs", "undone_write_offs")
SQLITE_REFUSAL = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} are never changed'); END
"""
STANDS = """
EXISTS (
    SELECT 1 FROM write_offs AS w WHERE w.request = NEW.request
    AND NOT EXISTS (SELECT 1 FROM undone_write_offs AS u WHERE u.write_off = w.seq)
    AND NOT (
        w.seq = (SELECT min(f.seq) FROM write_offs AS f WHERE f.request = NEW.request)
        AND EXISTS (SELECT 1 FROM undone_write_offs AS u WHERE u.request = NEW.request AND u.write_off IS NULL)
    )
)
"""
SQLITE_ONE = f"""
CREATE TRIGGER write_offs_one_stands BEFORE INSERT ON write_offs WHEN {STANDS}
BEGIN SELECT RAISE(ABORT, 'a write-off of this request stands'); END
"""
POSTGRESQL_ONE = f"""
CREATE FUNCTION write_offs_one_stands() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF {STANDS} THEN RAISE EXCEPTION 'a write-off of this request stands'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER write_offs_one_stands BEFORE INSERT ON write_offs FOR EACH ROW EXECUTE FUNCTION write_offs_one_stands()
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _make_anew()
        op.execute(SQLITE_ONE)
    else:
        op.drop_constraint(op.f("fk_undone_write_offs_request"), "undone_write_offs")
        op.drop_constraint(op.f("uq_undone_write_offs_request"), "undone_write_offs")
        op.drop_constraint(op.f("uq_write_offs_request"), "write_offs")
        op.add_column("undone_write_offs", sa.Column("write_off", INT64, nullable=True))
        op.create_foreign_key(
            op.f("fk_undone_write_offs_request"), "undone_write_offs", "requests", ["request"], ["id"]
        )
        op.create_foreign_key(
            op.f("fk_undone_write_offs_write_off"), "undone_write_offs", "write_offs", ["write_off"], ["seq"]
        )
        op.create_unique_constraint(op.f("uq_undone_write_offs_write_off"), "undone_write_offs", ["write_off"])
        op.execute(POSTGRESQL_ONE)
    for table in TABLES:
        op.create_index(op.f(f"ix_{table}_request"), table, ["request"])


def _make_anew() -> None:
    """SQLite cannot drop what a table was made with."""
    for table in TABLES:
        op.execute(f"CREATE TEMPORARY TABLE kept_{table} AS SELECT * FROM {table}")  # noqa: S608 -- constants
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER {table}_no_{verb}")
    for table in reversed(TABLES):
        op.drop_table(table)
    op.create_table(
        "write_offs",
        sa.Column("seq", INT64, sa.Identity(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("request", "account")),
        sa.Column("amount", INT64, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", INT64, nullable=False),
        sa.CheckConstraint("amount >= 1", name=op.f("ck_write_offs_amount")),
        sa.CheckConstraint("at >= 0", name=op.f("ck_write_offs_at")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_write_offs_account")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_write_offs_request")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_write_offs")),
        sqlite_strict=True,
    )
    op.create_table(
        "undone_write_offs",
        sa.Column("seq", INT64, sa.Identity(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        *(sa.Column(name, INT64, nullable=False) for name in ("batch_id", "at")),
        sa.Column("write_off", INT64, nullable=True),
        sa.CheckConstraint("batch_id >= 1", name=op.f("ck_undone_write_offs_batch_id")),
        sa.CheckConstraint("at >= 0", name=op.f("ck_undone_write_offs_at")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_undone_write_offs_request")),
        sa.ForeignKeyConstraint(["write_off"], ["write_offs.seq"], name=op.f("fk_undone_write_offs_write_off")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_undone_write_offs")),
        sa.UniqueConstraint("write_off", name=op.f("uq_undone_write_offs_write_off")),
        sqlite_strict=True,
    )
    for table, columns in (
        ("write_offs", "seq, request, account, amount, reason, at"),
        ("undone_write_offs", "seq, request, batch_id, at"),
    ):
        kept = f"SELECT {columns} FROM kept_{table} ORDER BY seq"  # noqa: S608 -- constants
        op.execute(f"INSERT INTO {table} ({columns}) {kept}")
        op.execute(f"DROP TABLE kept_{table}")
        for verb in ("update", "delete"):
            op.execute(SQLITE_REFUSAL.format(table=table, verb=verb))
