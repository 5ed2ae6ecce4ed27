"""Seals over what is append-only, blocks that were rolled back, and receipts that were written off.

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SOURCES = (1, 2, 3)
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


def upgrade() -> None:
    op.add_column("events", sa.Column("earlier", sa.Text(), nullable=True))
    _chain_tables()
    _write_offs()
    _seal_tables()
    for table in ("undone_blocks", "write_offs", "seals"):
        _refuse_changes(table)


def _chain_tables() -> None:
    op.create_table(
        "undone_blocks",
        sa.Column("seq", INT64, sa.Identity(always=False), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("number", INT64, nullable=False),
        sa.Column("parent", sa.Text(), nullable=False),
        sa.Column("timestamp", INT64, nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("undone_at", INT64, nullable=False),
        sa.CheckConstraint("number >= 0", name=op.f("ck_undone_blocks_number")),
        sa.CheckConstraint("timestamp >= 0", name=op.f("ck_undone_blocks_timestamp")),
        sa.CheckConstraint("undone_at >= 0", name=op.f("ck_undone_blocks_undone_at")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_undone_blocks")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_undone_blocks_hash"), "undone_blocks", ["hash"], unique=False)
    op.create_table(
        "finality",
        sa.Column("one", INT64, autoincrement=False, nullable=False),
        sa.Column("number", INT64, nullable=False),
        sa.CheckConstraint("number >= 0", name=op.f("ck_finality_number")),
        sa.CheckConstraint("one = 1", name=op.f("ck_finality_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_finality")),
        sqlite_strict=True,
    )


def _write_offs() -> None:
    op.create_table(
        "write_offs",
        sa.Column("seq", INT64, sa.Identity(always=False), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("amount", INT64, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", INT64, nullable=False),
        sa.CheckConstraint("amount >= 1", name=op.f("ck_write_offs_amount")),
        sa.CheckConstraint("at >= 0", name=op.f("ck_write_offs_at")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_write_offs_account")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_write_offs_request")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_write_offs")),
        sa.UniqueConstraint("request", name=op.f("uq_write_offs_request")),
        sqlite_strict=True,
    )


def _seal_tables() -> None:
    op.create_table(
        "seals",
        sa.Column("position", INT64, autoincrement=False, nullable=False),
        sa.Column("source", INT64, nullable=False),
        sa.Column("version", INT64, nullable=False),
        sa.Column("row_seq", INT64, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("position >= 1", name=op.f("ck_seals_position")),
        sa.CheckConstraint("row_seq >= 1", name=op.f("ck_seals_row_seq")),
        sa.CheckConstraint("source >= 1", name=op.f("ck_seals_source")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_seals_version")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_seals")),
        sa.UniqueConstraint("source", "row_seq", name=op.f("uq_seals_source_row_seq")),
        sqlite_strict=True,
    )
    marks = op.create_table(
        "seal_marks",
        sa.Column("source", INT64, autoincrement=False, nullable=False),
        sa.Column("through", INT64, nullable=False),
        sa.CheckConstraint("through >= 0", name=op.f("ck_seal_marks_through")),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_seal_marks")),
        sqlite_strict=True,
    )
    op.bulk_insert(marks, [{"source": source, "through": 0} for source in SOURCES])
    op.create_table(
        "seal_gaps",
        sa.Column("source", INT64, autoincrement=False, nullable=False),
        sa.Column("first", INT64, autoincrement=False, nullable=False),
        sa.Column("last", INT64, nullable=False),
        sa.Column("since", INT64, nullable=False),
        sa.CheckConstraint("first <= last", name=op.f("ck_seal_gaps_range")),
        sa.CheckConstraint("last >= 0", name=op.f("ck_seal_gaps_last")),
        sa.CheckConstraint("since >= 0", name=op.f("ck_seal_gaps_since")),
        sa.PrimaryKeyConstraint("source", "first", name=op.f("pk_seal_gaps")),
        sqlite_strict=True,
    )


def _refuse_changes(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(SQLITE_REFUSAL.format(table=table, verb=verb))
    else:
        op.execute(POSTGRESQL_REFUSAL.format(table=table))
