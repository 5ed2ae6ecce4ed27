"""The demo as people run it, and what it does with a wrong figure."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from mintery.cli.demo import spending
from mintery.cli.run import run
from mintery.domain.receipt import Receipt


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    command = [sys.executable, "-m", "mintery.cli", "demo", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)


def facts_of(shown: dict[str, Any], step: str) -> dict[str, Any]:
    return next(facts for facts in shown["steps"] if facts["step"] == step)


def test_every_figure_agrees(shown: dict[str, Any]) -> None:
    figures = facts_of(shown, "Compare everything")["figures"]

    assert len(figures) >= 11
    assert all(figure["agrees"] and figure["chain"] == figure["books"] for figure in figures)
    assert shown["agrees"] is True


def test_every_step_tells_its_time(shown: dict[str, Any]) -> None:
    assert [type(facts["seconds"]) for facts in shown["steps"]] == [float] * 12
    assert sum(facts["seconds"] for facts in shown["steps"]) <= shown["seconds"]


def test_the_figures_follow_from_the_receipts(shown: dict[str, Any]) -> None:
    """Computed here again from what was printed, by nothing of Mintery's."""
    receipts = facts_of(shown, "Verify receipts")["receipts"]
    figures = {figure["name"]: int(figure["chain"]) for figure in facts_of(shown, "Compare everything")["figures"]}
    charged = sum(int(receipt["cost_nanocredits"]) for receipt in receipts) * 10**9
    cost = sum(int(line["unit_price_usd_wad"]) * line["quantity"] for receipt in receipts for line in receipt["usage"])
    minted = int(facts_of(shown, "Lock reserve, mint")["credits"])

    assert len(receipts) == 2
    assert figures["supply"] == minted - charged
    assert figures["paid to the provider"] == cost // 10**12
    assert figures["reserve"] == 100 * 10**6 - charged * 10_000 // 10**18
    assert figures["margin"] == charged * 10_000 // 10**18 - cost // 10**12
    assert facts_of(shown, "Settle")["gas_used"] > 21_000


def test_no_secret_is_printed(shown: dict[str, Any]) -> None:
    assert "mv1." not in json.dumps(shown)


def test_a_wrong_receipt_ends_it_with_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = spending.read_receipt

    def dearer(*where: str) -> Receipt:
        receipt = honest(*where)
        return replace(receipt, cost=receipt.cost + 1)

    monkeypatch.setattr(spending, "read_receipt", dearer)
    monkeypatch.setattr(sys, "argv", ["mintery", "demo", "--json"])

    assert run(["demo", "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["type"] == "ReconciliationFailed"
    assert error["differences"][0][0] == "spent at the gateway"


def test_a_wrong_figure_at_the_end_ends_it_with_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = spending.read_figures

    def planted(*where: Any) -> Any:
        first, *rest = honest(*where)
        return (replace(first, chain=first.chain + 1), *rest)

    monkeypatch.setattr(spending, "read_figures", planted)
    monkeypatch.setattr(sys, "argv", ["mintery", "demo", "--json"])

    assert run(["demo", "--json"]) == 1
    assert [what for what, _, _ in json.loads(capsys.readouterr().out)["error"]["differences"]] == ["supply"]
