"""``mintery channel``: each change is made with who says so and why, and shown as it is then."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.databases import new_ledger
from tests.gateway.rig import IDENTITY, OPERATOR, Rig, rig
from typer.testing import CliRunner

from mintery.cli.app import app
from mintery.ledger.store import open_ledger

SAID = ("--reason", "a test", "--by", "kim")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with (
        open_ledger(new_ledger(tmp_path_factory.mktemp("channels") / "ledger.sqlite"), IDENTITY) as ledger,
        rig(ledger) as running,
    ):
        yield running


def run(gateway: Rig, *words: str) -> dict[str, object]:
    key = {"MINTERY_OPERATOR_KEY": OPERATOR}
    ran = CliRunner().invoke(app, ["channel", *words, "--url", f"{gateway.base_url}/v1", "--json"], env=key)
    assert ran.exit_code == 0, ran.output
    told: dict[str, object] = json.loads(ran.stdout)
    return told


def test_each_change_says_who_made_it_and_why(gateway: Rig, tmp_path: Path):
    terms = tmp_path / "terms.json"
    terms.write_text(
        json.dumps(
            {
                "upstream": "echo",
                "endpoint": "chat",
                "units": ["input_token"],
                "context_tokens": 9_000,
                "max_output_tokens": 9,
            }
        )
    )

    made = [
        run(gateway, "add", "test/new", "--terms", str(terms), *SAID),
        run(gateway, "disable", "test/new", *SAID),
        run(gateway, "enable", "test/new", *SAID),
        run(gateway, "own-key", "test/new", "--on", *SAID),
        run(gateway, "multiplier", "test/new", "0", *SAID),
        run(gateway, "resale", "test", "--on", *SAID),
        run(gateway, "remove", "test/new", *SAID),
    ]

    assert [told["change"] is not None for told in made] == [True, True, True, True, True, False, True]
    kept = run(gateway, "history", "test/new")["data"]
    assert {(each["by"], each["reason"]) for each in kept} == {("kim", "a test")}  # type: ignore[attr-defined]  # rows
    assert len(kept) == 6  # type: ignore[arg-type]  # likewise


def test_a_change_without_a_reason_is_not_sent(gateway: Rig):
    key = {"MINTERY_OPERATOR_KEY": OPERATOR}
    words = ["channel", "disable", "test/echo", "--url", f"{gateway.base_url}/v1"]

    refused = CliRunner().invoke(app, words, env=key)

    assert refused.exit_code == 2
    assert "--reason" in refused.output
    assert gateway.ledger.channel_changes(name="test/echo") == []
