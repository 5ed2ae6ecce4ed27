"""What is stated of orders, payments, refunds and calls, sealed as the eighth source; the journal of orders, as the seventh.

What is there already is stated as it stands.

Revision: 0025
"""

from collections.abc import Iterator
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ORDER_EVENTS, STATED_FACTS = 7, 8
AT_ONCE = 1_000
TABLES = ("orders", "refunds", "lot_refunds", "chain_calls", "payments")
SQLITE_REFUSAL = """
CREATE TRIGGER stated_facts_no_{verb} BEFORE {verb} ON stated_facts
BEGIN SELECT RAISE(ABORT, 'stated_facts are never changed'); END
"""
POSTGRESQL_REFUSAL = """
CREATE FUNCTION stated_facts_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'stated_facts are never changed'; END $$;
CREATE TRIGGER stated_facts_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON stated_facts
FOR EACH STATEMENT EXECUTE FUNCTION stated_facts_refuse()
"""


def upgrade() -> None:
    stated = op.create_table(
        "stated_facts",
        sa.Column("seq", INT64, sa.Identity(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("of_table", "row_id", "facts")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_stated_facts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_stated_facts_of_table_row_id_seq"), "stated_facts", ["of_table", "row_id", "seq"])
    for table in TABLES:
        for rows in _stated(op.get_bind(), table):
            op.bulk_insert(stated, rows)
    marks = sa.table("seal_marks", sa.column("source", INT64), sa.column("through", INT64))
    op.bulk_insert(marks, [{"source": source, "through": 0} for source in (ORDER_EVENTS, STATED_FACTS)])
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(SQLITE_REFUSAL.format(verb=verb))
    else:
        op.execute(POSTGRESQL_REFUSAL)


def _stated(connection: sa.Connection, name: str) -> Iterator[list[dict[str, Any]]]:
    """Every row of the table, some at a time."""
    table = sa.Table(name, sa.MetaData(), autoload_with=connection)
    keys = list(table.primary_key.columns)
    last: tuple[Any, ...] | None = None
    while True:
        later = sa.true() if last is None else sa.tuple_(*keys) > sa.tuple_(*(sa.literal(each) for each in last))
        rows = connection.execute(sa.select(table).where(later).order_by(*keys).limit(AT_ONCE)).mappings().all()
        if not rows:
            return
        yield [_statement(name, row) for row in rows]
        last = tuple(rows[-1][key.name] for key in keys)


def _statement(name: str, row: Any) -> dict[str, Any]:
    facts = {
        column: bytes(value).hex() if isinstance(value, bytes | memoryview) else value for column, value in row.items()
    }
    facts = {str(column): value for column, value in facts.items() if value is not None}
    of_table = f"payments/{row['rail']}" if name == "payments" else name
    return {
        "of_table": of_table,
        "row_id": row["id"],
        "facts": orjson.dumps(facts, option=orjson.OPT_SORT_KEYS).decode(),
    }
