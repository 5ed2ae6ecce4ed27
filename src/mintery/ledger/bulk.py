"""Many rows in one statement, on either database.

SQLite is given ``VALUES`` with a parameter for each field: the driver then lets go of the interpreter once for a table, not
once for a row. PostgreSQL is given the rows as one JSON parameter, which the driver need not look into, and all that a
group writes as one statement. Texts are made from the schema once, and name every column.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, Literal

from sqlalchemy import BigInteger, LargeBinary, Table

from mintery.ledger.texts import json_text

Row = tuple[Any, ...]
Rows = Sequence[Row]

_EXACT = 16
_CHUNKS = (256, 64, 32)
"""SQLite prepares a statement for each number of rows up to 16, and for these."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """What is done to rows of one table. ``columns`` are a row's fields in order; the first ``keys`` of them find it."""

    verb: Literal["insert", "insert new", "update", "delete"]
    table: Table
    columns: tuple[str, ...]
    keys: int = 1


def sqlite_statements(bulk: Bulk, rows: Rows) -> Iterator[tuple[str, list[Any]]]:
    """Statements with their parameters that together write ``rows``."""
    at = 0
    while at < len(rows):
        left = len(rows) - at
        size = left if left <= _EXACT else next((size for size in _CHUNKS if size <= left), _EXACT)
        yield _sqlite_text(bulk, size), list(chain.from_iterable(rows[at : at + size]))
        at += size


@cache
def _sqlite_text(bulk: Bulk, size: int) -> str:
    table = bulk.table.name
    values = ", ".join([f"({', '.join('?' * len(bulk.columns))})"] * size)
    if bulk.verb.startswith("insert"):
        ending = " ON CONFLICT DO NOTHING" if bulk.verb == "insert new" else ""
        return f"INSERT INTO {table} ({', '.join(bulk.columns)}) VALUES {values}{ending}"  # noqa: S608 -- our own names
    if bulk.verb == "update" and size == 1:  # a single row of VALUES would be compiled again at each execution
        changes = ", ".join(f"{name} = ?{index}" for index, name in enumerate(bulk.columns, 1) if index > bulk.keys)
        found = " AND ".join(f"{name} = ?{index}" for index, name in enumerate(bulk.columns[: bulk.keys], 1))
        return f"UPDATE {table} SET {changes} WHERE {found}"  # noqa: S608 -- as above
    found = " AND ".join(f"{table}.{name} = v.column{index}" for index, name in enumerate(bulk.columns[: bulk.keys], 1))
    if bulk.verb == "delete":
        keys = ", ".join(bulk.columns[: bulk.keys])
        return f"DELETE FROM {table} WHERE ({keys}) IN (VALUES {values})"  # noqa: S608 -- our own names
    changes = ", ".join(
        f"{name} = v.column{index}" for index, name in enumerate(bulk.columns[bulk.keys :], bulk.keys + 1)
    )
    return f"UPDATE {table} SET {changes} FROM (VALUES {values}) AS v WHERE {found}"  # noqa: S608 -- as above


def postgresql_statement(writes: Sequence[tuple[Bulk, Rows]]) -> tuple[str, list[bytes]]:
    """One statement that does all of ``writes``, and its parameters. No row is in two of them."""
    return _postgresql_text(tuple(bulk for bulk, _ in writes)), [recordset(bulk, rows) for bulk, rows in writes]


@cache
def _postgresql_text(bulks: tuple[Bulk, ...]) -> str:
    parts = [f"w{index} AS ({_postgresql_part(bulk, index + 1)})" for index, bulk in enumerate(bulks)]
    return f"WITH {', '.join(parts)} SELECT 1"


def _postgresql_part(bulk: Bulk, number: int) -> str:
    table, columns = bulk.table.name, bulk.columns
    source = f"json_to_recordset(${number}::json) AS r({', '.join(_typed(bulk.table, name) for name in columns)})"
    if bulk.verb.startswith("insert"):
        ending = " ON CONFLICT DO NOTHING" if bulk.verb == "insert new" else ""
        names = ", ".join(columns)
        return f"INSERT INTO {table} ({names}) SELECT {names} FROM {source}{ending}"  # noqa: S608 -- our own names
    found = " AND ".join(f"t.{name} = r.{name}" for name in columns[: bulk.keys])
    if bulk.verb == "delete":
        return f"DELETE FROM {table} AS t USING {source} WHERE {found}"  # noqa: S608 -- as above
    changes = ", ".join(f"{name} = r.{name}" for name in columns[bulk.keys :])
    return f"UPDATE {table} AS t SET {changes} FROM {source} WHERE {found}"  # noqa: S608 -- as above


def _typed(table: Table, name: str) -> str:
    kind = table.columns[name].type
    return (
        f"{name} {'bigint' if isinstance(kind, BigInteger) else 'bytea' if isinstance(kind, LargeBinary) else 'text'}"
    )


def recordset(bulk: Bulk, rows: Rows) -> bytes:
    """``rows`` as the JSON that PostgreSQL's ``json_to_recordset`` reads; bytes as hex."""
    names, blobs = bulk.columns, _blobs(bulk)
    records = [dict(zip(names, row, strict=True)) for row in rows]
    for name in blobs:
        for record in records:
            if (value := record[name]) is not None:
                record[name] = "\\x" + value.hex()
    return json_text(records)


@cache
def _blobs(bulk: Bulk) -> tuple[str, ...]:
    return tuple(name for name in bulk.columns if isinstance(bulk.table.columns[name].type, LargeBinary))
