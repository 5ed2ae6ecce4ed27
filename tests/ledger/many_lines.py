"""A year of one account's requests, written by the database itself: a million take it seconds."""

from tests.databases import Database
from tests.ledger.samples import NOON, Wallet, capture, place, request_id

from mintery.ledger.store import LedgerStore
from mintery.ledger.work import micros

COST = 7
EVERY = 31_000_000
"""Microseconds: a million requests that are so far apart fill a year."""
_APART = 2**32
"""What ``number`` sets the requests of two fillings apart by; the first of each is the one that all others are copies of."""
BEGIN = micros(NOON) + 10_000_000


def fill(
    database: Database, ledger: LedgerStore, of: Wallet, count: int, *, every: int = EVERY, number: int = 1
) -> None:
    """``count`` requests of ``COST`` each, one ``every`` so many microseconds from ``BEGIN`` on, with their receipts and what they leave of the account.

    Their transfers are left out: ``Ledger.check`` would miss them.
    """
    first = number * _APART
    model = place(first, of, COST)
    ledger.commit([model, capture(model, of, COST)])
    (seq,) = database.run(f"SELECT seq FROM receipts WHERE request = '{request_id(first)}'")[0]  # noqa: S608 -- our own text
    columns = {
        name: [column for column in _columns(database, name) if column != "seq"] for name in ("requests", "receipts")
    }
    at = f"({BEGIN} + n * {every})"
    name = (
        f"printf('req_%032x', {first} + n)"
        if database.kind == "sqlite"
        else f"'req_' || lpad(to_hex({first} + n), 32, '0')"
    )
    told = f"replace(facts, '{request_id(first)}', {name})"
    requests = {"id": name, "placed_at": at, "dispatched_at": at, "ended_at": at, "lease_until": at}
    receipts = {"request": name, "captured_at": at, "facts": told}
    for table, where, changed in (
        ("requests", f"id = '{request_id(first)}'", requests),
        ("receipts", f"seq = {seq}", receipts),
    ):
        values = ", ".join(changed.get(column, column) for column in columns[table])
        database.run(
            f"WITH RECURSIVE numbers(n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) "  # noqa: S608 -- our own text
            f"INSERT INTO {table} ({', '.join(columns[table])}) SELECT {values} FROM numbers, {table} WHERE {where}"
        )
    database.run(
        f"UPDATE accounts SET available = available - {count * COST}, captured = captured + {count * COST} "  # noqa: S608 -- our own text
        f"WHERE id = '{of.id}'"
    )


def _columns(database: Database, table: str) -> list[str]:
    query = (
        f"SELECT name FROM pragma_table_info('{table}')"  # noqa: S608 -- our own text
        if database.kind == "sqlite"
        else f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"  # noqa: S608 -- as above
    )
    return [name for (name,) in database.run(query)]
