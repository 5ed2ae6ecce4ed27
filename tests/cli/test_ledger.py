"""``mintery ledger`` on a file, without any chain."""

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.databases import new_ledger
from tests.ledger.samples import IDENTITY, NOON, Chain, capture, deposit, place, request_id, wallet

from mintery.cli.run import run
from mintery.ledger.commands import SealRows
from mintery.ledger.store import open_ledger


@pytest.fixture
def books(tmp_path: Path) -> Path:
    path = new_ledger(tmp_path / "ledger.sqlite")
    with open_ledger(path, IDENTITY) as ledger:
        placed = place(1, wallet(1), 10)
        ledger.commit([Chain().block(deposit(wallet(1), 100)), placed, capture(placed, wallet(1), 4)])
        ledger.commit([SealRows(100, NOON)])
    return path


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["mintery", *arguments])
    return run([*arguments])


def test_verify_prints_a_head_that_a_later_run_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], books: Path
):
    assert called(monkeypatch, "ledger", "verify", "--ledger", str(books), "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["holds"], facts["checked"], facts["waiting"], facts["first"]) == (True, 4, 0, None)

    assert called(monkeypatch, "ledger", "verify", "--ledger", str(books), "--expect", facts["head"]) == 0
    assert f"4:{facts['head'].split(':')[1]}" in capsys.readouterr().out
    assert called(monkeypatch, "ledger", "verify", "--ledger", str(books), "--expect", "4:" + "ab" * 32) == 1
    assert "the noted head" in capsys.readouterr().out


def test_verify_names_what_does_not_fit_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], books: Path
):
    with closing(sqlite3.connect(books)) as database, database:
        database.execute("DROP TRIGGER transfers_no_update")
        database.execute("UPDATE transfers SET amount = 90 WHERE seq = 1")

    assert called(monkeypatch, "ledger", "verify", "--ledger", str(books), "--json") == 1
    facts = json.loads(capsys.readouterr().out)
    assert (facts["misfits"], facts["first"]["row"]) == (1, "transfers 1")
    assert called(monkeypatch, "ledger", "verify", "--ledger", str(books), "--from", "2") == 0
    assert called(monkeypatch, "ledger", "check", "--ledger", str(books)) == 70
    assert "96 stored, 86 summed" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize("head", ["5", "0:" + "ab" * 32, "5:xyz"])
def test_what_is_no_head_is_refused(monkeypatch: pytest.MonkeyPatch, books: Path, head: str):
    assert called(monkeypatch, "ledger", "verify", "--ledger", str(books), "--expect", head) == 64


def test_a_receipt_is_written_off_and_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], books: Path
):
    """Whose ledger it is, the chain says; here nobody need run one."""
    rpc = SimpleNamespace(chain_id=IDENTITY.chain_id, genesis_hash=IDENTITY.genesis_hash)
    chain = SimpleNamespace(rpc=rpc, escrow=SimpleNamespace(address=IDENTITY.escrow))
    monkeypatch.setattr("mintery.bootstrap.opening.open_on_chain", lambda _settings: chain)
    named = ("--ledger", str(books), "--json")

    assert called(monkeypatch, "ledger", "write-off", request_id(1), "--reason", "its project ended", *named) == 0
    written = json.loads(capsys.readouterr().out)
    assert (written["receipt"], written["nanocredits"], written["reason"]) == (request_id(1), "4", "its project ended")

    assert called(monkeypatch, "ledger", "write-offs", *named) == 0
    assert json.loads(capsys.readouterr().out) == {"write_offs": [written]}
    assert called(monkeypatch, "ledger", "write-off", request_id(2), "--reason", "none", *named) == 66


def test_a_ledger_that_is_not_there_is_not_begun(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    missing = tmp_path / "mistyped.sqlite"

    assert called(monkeypatch, "ledger", "verify", "--ledger", str(missing)) == 66
    assert not missing.exists()
