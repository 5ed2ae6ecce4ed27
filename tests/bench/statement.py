"""What a year's statement takes: seconds for its sums, lines a second, and the memory that its writing adds."""

import os
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

from tests.bench.machine import resident_bytes
from tests.databases import Database
from tests.gateway.rig import market
from tests.ledger.many_lines import COST, fill
from tests.ledger.samples import IDENTITY, Chain, deposit, wallet

from mintery.domain.period import months, zone_of
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.usecases.parts import GatewayParts
from mintery.usecases.show_statement import StatementOf, open_statement
from mintery.wallet.statement_text import csv_parts, in_chunks

_KIB = 1_024
_LOOK = 200
"""Chunks between two looks at the memory."""
_SMALL = 2_000


def statement(url: str, *sizes: str) -> dict[str, float]:
    """``lines/s N``, ``sums ms N`` and ``KiB N`` for statements of N lines, an account each. A small one is written before, as
    what is made once is no line's.
    """
    figures: dict[str, float] = {}
    database, chain = Database(url if "://" in url else f"sqlite:///{url}"), Chain()
    for number, size in enumerate([_SMALL, *map(int, sizes)], 1):
        with open_ledger(database.url, IDENTITY) as ledger:
            ledger.commit([chain.block(deposit(wallet(number), COST * (size + 2)))])
            fill(database, ledger, wallet(number), size, number=number)
        with open_ledger(database.url, IDENTITY) as ledger:  # a log that was written at once is copied back first
            found = _write(ledger, number, size)
        if number > 1:
            figures |= {f"{name} {size}": figure for name, figure in found.items()}
    return figures


def _write(ledger: LedgerStore, number: int, size: int) -> dict[str, float]:
    own = wallet(number)
    parts = cast("GatewayParts", SimpleNamespace(ledger=ledger, clock=lambda: datetime.now(UTC), public=None))
    asked = StatementOf(own.key.address, (own.id,), months("2026-11", "2027-11", zone_of("UTC")), {})
    before = most = resident_bytes(os.getpid())
    began, lines = time.perf_counter(), 0
    with open_statement(parts, market(0), asked) as (made, entries):
        summed = time.perf_counter()
        for index, chunk in enumerate(in_chunks(csv_parts(made, entries))):
            lines += chunk.count(b"\r\n")
            if index % _LOOK == 0:
                most = max(most, resident_bytes(os.getpid()))
        (account,) = made.wallets[0].accounts
    if lines < size or account.sums.use != COST * (size + 1):
        raise AssertionError(f"{lines} lines of {size}, {account.sums}")
    written = time.perf_counter() - summed
    return {"lines/s": lines / written, "sums ms": (summed - began) * 1_000, "KiB": (most - before) / _KIB}
