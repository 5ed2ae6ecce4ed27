"""Two hundred runs in which a gateway dies, its chain, its provider and its clients misbehave, and nothing is lost.

They run in processes of their own, which must have no threads when they fork. ``python -m tests.faults SEED`` repeats one.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SEEDS = 200
SECONDS = 900
"""For a machine that does much else: on two free cores it is a tenth of that."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    results = tmp_path_factory.mktemp("faults")
    command = [
        sys.executable,
        "-m",
        "tests.faults",
        "--seeds",
        f"0:{SEEDS}",
        "--workers",
        "2",
        "--results",
        str(results),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-4_000:]
    lines = [line for path in Path(results).glob("*.jsonl") for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def test_nothing_is_lost(runs: list[dict[str, Any]]):
    assert sorted(one["seed"] for one in runs) == [*range(SEEDS)]
    assert [(one["seed"], one["wrong"]) for one in runs if one["wrong"]] == []


def test_the_runs_are_worth_something(runs: list[dict[str, Any]]):
    """Gateways died, at many points; clients paid and saw their ends."""
    deaths = [death for one in runs for death in one["deaths"]]

    assert len(deaths) > SEEDS // 4
    assert len(set(deaths)) > 25
    assert sum(one["facts"]["charged"] for one in runs) > 3 * SEEDS
    assert sum(one["facts"]["whole"] for one in runs) > 2 * SEEDS
