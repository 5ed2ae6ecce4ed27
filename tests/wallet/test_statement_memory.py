"""A statement of any length is written in the same memory. ``scripts/bench`` weighs one of a million lines."""

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from tests.databases import Database, sqlite_database
from tests.gateway.rig import market
from tests.ledger.many_lines import COST, fill
from tests.ledger.samples import IDENTITY, Chain, deposit, wallet
from tests.ledger.statements import EVER, NEVER

from mintery.domain.period import months, zone_of
from mintery.ledger import snapshots
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.usecases.parts import GatewayParts
from mintery.usecases.show_statement import StatementOf, open_statement
from mintery.wallet.statement_html import html_parts
from mintery.wallet.statement_text import csv_parts, in_chunks, json_parts

ALICE = wallet(1)
LINES, EVERY = 4_000, 800_000_000
"""A quarter of them in November, the rest in December."""
SLACK = 256 * 1_024
FORMS = {
    "csv": csv_parts,
    "html": html_parts,
    "json": json_parts,
}


@pytest.fixture
def ledger(database: Database) -> Iterator[LedgerStore]:
    with open_ledger(database.url, IDENTITY) as store:
        store.commit([Chain().block(deposit(ALICE, 10**9))])
        fill(database, store, ALICE, LINES, every=EVERY)
        yield store


def write(ledger: LedgerStore, form: str, last: str) -> tuple[int, int, int]:
    """Bytes and lines written, and the most memory that they took meanwhile."""
    parts = cast("GatewayParts", SimpleNamespace(ledger=ledger, clock=lambda: datetime.now(UTC), public=None))
    asked = StatementOf(ALICE.key.address, (ALICE.id,), months("2026-11", last, zone_of("UTC")), {})
    size = lines = 0
    tracemalloc.start()
    with open_statement(parts, market(0), asked) as (statement, entries):
        requests = statement.wallets[0].sums.requests
        for chunk in in_chunks(FORMS[form](statement, entries)):
            size += len(chunk)
            lines += chunk.count(b"req_")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert requests * COST == statement.wallets[0].sums.use
    return size, lines, most


def test_a_statement_of_any_length_takes_the_same_memory(ledger: LedgerStore, database: Database):
    for form in FORMS if database.kind == "sqlite" else ("csv",):
        size, _, least = write(ledger, form, "2026-11")
        larger, lines, most = write(ledger, form, "2026-12")

        assert larger > 3 * size
        assert lines > LINES or form == "html"
        assert most < least + SLACK, form


@pytest.mark.parametrize("newest_first", [False, True])
def test_the_last_line_costs_no_more_than_the_first(
    tmp_path: Path, newest_first: bool, monkeypatch: pytest.MonkeyPatch
):
    """Counted in steps of SQLite's machine, which are the same on every machine."""
    monkeypatch.setattr(snapshots, "ROWS_AT_ONCE", 40)
    database, steps = sqlite_database(tmp_path / "ledger.sqlite"), []
    with open_ledger(database.url, IDENTITY) as store:
        store.commit([Chain().block(deposit(ALICE, 10**9))])
        fill(database, store, ALICE, 1_200)
        with store.reading() as reading:
            driver = reading._connection.connection.driver_connection
            driver.set_progress_handler(lambda: steps.append(None), 10)
            lines = reading.lines([ALICE.id], EVER, NEVER, newest_first=newest_first)
            taken = []
            for _ in range(3):
                before = len(steps)
                assert sum(1 for _ in islice(lines, 400)) == 400
                taken.append(len(steps) - before)
            driver.set_progress_handler(None, 0)

    assert taken[-1] < 1.2 * taken[0]
