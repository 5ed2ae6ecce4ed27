"""What stops settlement is listed, and ended by hand with a reason that stays."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.databases import new_ledger
from tests.ledger.samples import IDENTITY

from mintery.cli.commands import halts
from mintery.cli.exits import ExitCode
from mintery.cli.run import run
from mintery.ledger.commands import RaiseHalt
from mintery.ledger.store import LedgerStore, open_ledger


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LedgerStore]:
    """What the commands open."""

    @contextmanager
    def opened(_ledger: str | None, _rpc: str | None) -> Iterator[LedgerStore]:
        yield store

    with open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as store:
        monkeypatch.setattr(halts, "_opened", opened)
        yield store


def test_a_halt_is_listed_and_cleared_with_its_reason(ledger: LedgerStore, capsys: pytest.CaptureFixture[str]):
    ledger.commit([RaiseHalt("outcome_mismatch", "", "batch 3 is another one", datetime(2026, 1, 2, 3, 4, tzinfo=UTC))])

    assert run(["ledger", "halts", "--json"]) == ExitCode.OK
    (listed,) = json.loads(capsys.readouterr().out)["halts"]
    assert (listed["alarm"], listed["why"]) == ("outcome_mismatch", "batch 3 is another one")
    assert run(["ledger", "halts"]) == ExitCode.OK
    assert "1 halts: nothing settles" in capsys.readouterr().out

    assert run(["ledger", "clear-halt", str(listed["id"]), "--reason", "the key was ours"]) == ExitCode.OK
    assert "the key was ours" in capsys.readouterr().out
    assert ledger.halts() == []
    assert run(["ledger", "clear-halt", str(listed["id"]), "--reason", "again"]) == ExitCode.NOT_FOUND


def test_a_halt_is_not_cleared_without_a_reason(ledger: LedgerStore):
    ledger.commit([RaiseHalt("outcome_mismatch", "", "batch 3 is another one", datetime(2026, 1, 2, tzinfo=UTC))])

    assert run(["ledger", "clear-halt", "1"]) == ExitCode.USAGE
    assert run(["ledger", "clear-halt", "1", "--reason", "  "]) == ExitCode.USAGE

    assert len(ledger.halts()) == 1
