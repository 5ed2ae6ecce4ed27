"""A ledger whose file is locked or whose disk is full, while requests are under way."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.databases import new_ledger
from tests.gateway.rig import IDENTITY, Rig, rig

from mintery.ledger import engines
from mintery.ledger.store import open_ledger


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """Waits a tenth of a second for a lock instead of ten."""
    pragmas = [pragma for pragma in engines._PRAGMAS if not pragma.startswith("busy_timeout")]
    monkeypatch.setattr(engines, "_PRAGMAS", (*pragmas, "busy_timeout=100"))
    with open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger:
        with rig(ledger, first_byte=20) as running:
            running.fund(100)
            yield running
        ledger.check()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_hold_that_cannot_be_written_is_not_there_now(gateway: Rig, tmp_path: Path):
    with locked(tmp_path / "ledger.sqlite"):
        response = gateway.chat()

    assert (response.status_code, response.json()["error"]["code"]) == (503, "ledger_unavailable")
    assert "Retry-After" in response.headers
    assert "sqlite" not in response.text.lower()
    assert gateway.stub.control.requests == 0
    assert gateway.chat().status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_a_capture_waits_for_a_locked_ledger(gateway: Rig, tmp_path: Path, stream: bool):
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(gateway.chat, "test/slow", stream=stream)
        assert gateway.settled(lambda: gateway.stub.control.requests == 1)
        with locked(tmp_path / "ledger.sqlite"):
            gateway.stub.control.go_on.set()
            assert not gateway.settled(asked.done, 1)
        response = asked.result()

    assert response.status_code == 200
    [receipt] = gateway.get("/v1/receipts").json()["data"]
    assert int(receipt["cost_nanocredits"]) == gateway.balance.captured > 0


FULL_DISK = """
import resource, sys
from pathlib import Path
from tests.ledger.samples import IDENTITY, Chain, deposit, place, wallet
from mintery.errors import LedgerUnavailable
from mintery.ledger.commands import HoldPlaced
from mintery.ledger.store import open_ledger

path = Path(sys.argv[1])
with open_ledger(path, IDENTITY) as ledger:
    ledger.commit([Chain().block(deposit(wallet(1), 1_000))])
    largest = max(file.stat().st_size for file in path.parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 20_000, resource.RLIM_INFINITY))
    placed = refused = 0
    for number in range(40):
        try:
            [result] = ledger.commit([place(number, wallet(1), 1)])
            placed += isinstance(result, HoldPlaced)
        except LedgerUnavailable:
            refused += 1
    assert refused, placed
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    [result] = ledger.commit([place(1_000, wallet(1), 1)])
    assert isinstance(result, HoldPlaced)
    assert ledger.account(wallet(1).id).held == placed + 1
    ledger.check()
"""


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path):
    subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path / "ledger.sqlite")], check=True, timeout=60)
