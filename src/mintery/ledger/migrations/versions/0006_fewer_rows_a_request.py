"""A request's limits are in its own row, an answer is found by when it ended, and a capture says what goes back.

Transfers that were made before keep their rows of what went back, and their seals.

Revision: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SQLITE_REFUSAL = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} are never changed'); END
"""
SQLITE_LIMITS = "json_group_array(json_array(key, until, counted, ceiling))"
POSTGRESQL_LIMITS = "json_agg(json_build_array(key, until, counted, ceiling) ORDER BY key)"
OLD_TRANSFER = "seq, id, kind, debit, credit, amount, pending, at, reference"
ANSWER = "kept_since, request, status, content_type, body"


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column("requests", sa.Column("limited", sa.Text(), nullable=True))
    limits = SQLITE_LIMITS if sqlite else f"{POSTGRESQL_LIMITS}::text"
    its_limits = f"SELECT {limits} FROM hold_limits WHERE request = requests.id"  # noqa: S608 -- constants
    op.execute(f"UPDATE requests SET limited = ({its_limits}) WHERE limits > 0")  # noqa: S608 -- constants
    op.drop_table("hold_limits")
    _move_answers()
    if sqlite:
        _make_transfers_anew()
    else:
        op.add_column("transfers", sa.Column("rest", INT64, nullable=True))
        op.create_check_constraint(op.f("ck_transfers_rest"), "transfers", "rest >= 1")
        op.create_check_constraint(
            op.f("ck_transfers_rest_of_pending"), "transfers", "rest IS NULL OR pending IS NOT NULL"
        )
        op.drop_constraint(op.f("uq_transfers_id"), "transfers")
        _index_ids()


def _move_answers() -> None:
    op.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM answers")
    op.drop_table("answers")
    op.create_table(
        "answers",
        sa.Column("kept_since", INT64, autoincrement=False, nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("status", INT64, nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kept_since >= 0", name=op.f("ck_answers_kept_since")),
        sa.CheckConstraint("status >= 0", name=op.f("ck_answers_status")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_answers_request")),
        sa.PrimaryKeyConstraint("kept_since", "request", name=op.f("pk_answers")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO answers ({ANSWER}) SELECT {ANSWER} FROM kept")  # noqa: S608 -- constants
    op.execute("DROP TABLE kept")


def _make_transfers_anew() -> None:
    """SQLite cannot drop what a table was made with."""
    op.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM transfers")
    for verb in ("update", "delete"):
        op.execute(f"DROP TRIGGER transfers_no_{verb}")
    op.drop_table("transfers")
    op.create_table(
        "transfers",
        sa.Column("seq", INT64, sa.Identity(always=False), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("amount", INT64, nullable=False),
        sa.Column("pending", sa.Text(), nullable=True),
        sa.Column("at", INT64, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("rest", INT64, nullable=True),
        sa.CheckConstraint("amount >= 1", name=op.f("ck_transfers_amount")),
        sa.CheckConstraint("at >= 0", name=op.f("ck_transfers_at")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_transfers_two_sides")),
        sa.CheckConstraint("rest >= 1", name=op.f("ck_transfers_rest")),
        sa.CheckConstraint("rest IS NULL OR pending IS NOT NULL", name=op.f("ck_transfers_rest_of_pending")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_transfers")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO transfers ({OLD_TRANSFER}) SELECT {OLD_TRANSFER} FROM kept ORDER BY seq")  # noqa: S608
    op.execute("DROP TABLE kept")
    op.create_index(
        "uq_transfers_pending", "transfers", ["pending"], unique=True, sqlite_where=sa.text("pending IS NOT NULL")
    )
    _index_ids()
    for verb in ("update", "delete"):
        op.execute(SQLITE_REFUSAL.format(table="transfers", verb=verb))


def _index_ids() -> None:
    op.create_index(
        "uq_transfers_id",
        "transfers",
        ["id"],
        unique=True,
        sqlite_where=sa.text("pending IS NULL"),
        postgresql_where=sa.text("pending IS NULL"),
    )
