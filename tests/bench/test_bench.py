"""The bench itself: its client sees every answer whole, its servers end with it, its table says what was measured."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop
from tests.bench.goals import goals_of
from tests.bench.load import BadAnswer, Load, http_request, run_burst
from tests.bench.machine import family, processor_seconds, resident_bytes
from tests.bench.memory import bytes_per_stream
from tests.bench.rounds import JSON, MODES, SSE, Cell, Figures, Taken, body_of, take_burst
from tests.bench.rows import LITELLM, MOCK, PASSTHROUGH, SQLITE, Row
from tests.bench.standing import NeverStood, Standing, module, start
from tests.bench.table import as_json, as_text, bound_of

CORE = min(os.sched_getaffinity(0))


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def upstream(logs: Path) -> Iterator[Standing]:
    with start("upstream", module("upstream"), core=CORE, log=logs / "upstream.log") as standing:
        yield standing


@pytest.fixture(scope="module")
def passthrough(logs: Path, upstream: Standing) -> Iterator[Row]:
    command = module("passthrough", upstream.url)
    with start("passthrough", command, core=CORE, log=logs / "passthrough.log") as standing:
        yield Row(PASSTHROUGH, standing)


@pytest.mark.parametrize("mode", MODES)
def test_every_request_of_a_burst_is_answered_and_timed(passthrough: Row, mode: str) -> None:
    load = Load(passthrough.server.url, passthrough.requests(body_of(mode)))

    burst = uvloop.run(run_burst(load, concurrency=3, seconds=30, most=20))

    assert len(burst.latencies) == 20
    assert 0 < burst.percentile(0.5) <= burst.percentile(0.99) <= burst.elapsed


def test_a_burst_is_charged_to_the_server_that_answered(upstream: Standing, passthrough: Row) -> None:
    before = processor_seconds(passthrough.server.pid)
    taken = take_burst(passthrough, Cell(JSON, 2), seconds=30, most=20)

    assert 20 * taken.processor / 1e6 == pytest.approx(processor_seconds(passthrough.server.pid) - before, abs=0.005)
    assert resident_bytes(passthrough.server.pid) > 10_000_000


def test_an_error_is_no_answer(upstream: Standing, passthrough: Row) -> None:
    wrong = http_request(passthrough.server.url + "/elsewhere", body_of(JSON), None)

    with pytest.raises(BadAnswer, match="404"):
        uvloop.run(run_burst(Load(passthrough.server.url, [wrong]), concurrency=1, seconds=30, most=1))


def test_open_streams_are_weighed(passthrough: Row) -> None:
    assert bytes_per_stream(passthrough, 40) < 1_000_000


def test_a_server_that_never_stood_shows_its_last_words(logs: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such luck')"]

    with pytest.raises(NeverStood, match="no such luck"):
        start("nobody", command, core=CORE, log=logs / "nobody.log")


def test_a_server_ends_with_its_parent(upstream: Standing, logs: Path) -> None:
    child = "import sys; from tests.bench.standing import *; from pathlib import Path;"
    child += (
        "s = start('u', module('upstream'), core=int(sys.argv[1]), log=Path(sys.argv[2])); print(s.pid, flush=True)"
    )
    parent = [sys.executable, "-c", child, str(CORE), str(logs / "orphan.log")]

    left = int(subprocess.run(parent, capture_output=True, text=True, check=True).stdout)

    assert _gone(left)


def _gone(pid: int) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)


def test_goals_are_met_only_by_time_and_core() -> None:
    figures = Figures()
    for mode in (JSON, SSE):
        figures.add(PASSTHROUGH, Cell(mode, 16), Taken(1_000, 1, 2, 200))
        figures.add(LITELLM, Cell(mode, 16), Taken(50, 10, 20, 4_000))
    figures.add(SQLITE, Cell(JSON, 16), Taken(700, 2, 4, 300))
    figures.add(SQLITE, Cell(SSE, 16), Taken(900, 2, 4, 400))
    for row, p50 in ((PASSTHROUGH, 1.0), (SQLITE, 2.4)):
        figures.add(row, Cell(JSON, 1), Taken(1_000, p50, p50 + 9, 200))
    parts = {
        "ledger sqlite": {"accounts": 100.0, "hot": 40.0},
        "growth sqlite": {"1000": 50.0, "core 1000": 60.0, "1000000": 45.0, "core 1000000": 55.0},
        "growth postgresql": {"1000": 50.0, "core 1000": 60.0, "1000000": 45.0, "core 1000000": 40.0},
    }

    goals = goals_of(figures, parts)

    assert {goal.name: goal.met for goal in goals} == {
        "sqlite, JSON, 16 at once: x passthrough": True,
        "sqlite, JSON, 16 at once: x LiteLLM": False,
        "sqlite, JSON, alone: ms added, p50": True,
        "sqlite, JSON, alone: ms added, p99": True,
        "sqlite, SSE, 16 at once: x passthrough": False,
        "sqlite, SSE, 16 at once: x LiteLLM": False,
        "sqlite: one hot account x 100 accounts": False,
        "sqlite: 1,000,000 receipts x 1,000": True,
        "postgresql: 1,000,000 receipts x 1,000": False,
    }
    text = as_text(figures, parts, goals)
    assert text.count("MISS") == 5
    assert json.loads(json.dumps(as_json(figures, parts, goals)))["goals"][0]["found"] == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("processor", "beside", "strangers", "bound"),
    [
        (95, 40, 0.05, "core 95%"),
        (60, 96, 0.0, "other core 96%"),
        (95, 96, 0.3, "others 30%"),
        (60, 40, 0.0, "waiting 40%"),
    ],
)
def test_a_figure_names_what_held_it_back(processor: float, beside: float, strangers: float, bound: str) -> None:
    figures = Figures()
    figures.add(SQLITE, Cell(JSON, 16), Taken(10_000, 1, 1, processor, beside, strangers))

    assert bound_of(figures, SQLITE, Cell(JSON, 16)) == bound
    assert ("no goal is met" in as_text(figures, {}, [])) == bound.startswith("others")


def test_alone_nothing_works_at_the_same_time() -> None:
    figures = Figures()
    figures.add(SQLITE, Cell(JSON, 1), Taken(500, 2, 3, 800, 200))

    assert bound_of(figures, SQLITE, Cell(JSON, 1)) == "waiting 50%"


def test_what_works_beside_is_counted(passthrough: Row) -> None:
    taken = take_burst(passthrough, Cell(JSON, 2), seconds=30, most=20)

    assert taken.beside > 0
    assert os.getpid() in family(os.getpid())


def test_medians_are_of_the_rounds() -> None:
    figures = Figures()
    for per_second, theirs in ((100, 100), (300, 100), (200, 400)):
        figures.add(SQLITE, Cell(JSON, 16), Taken(per_second, 1, 1, 100))
        figures.add(PASSTHROUGH, Cell(JSON, 16), Taken(theirs, 1, 1, 100))

    assert figures.median(SQLITE, Cell(JSON, 16), lambda taken: taken.per_second) == 200
    assert figures.throughput_ratio(SQLITE, Cell(JSON, 16)) == 1
    assert figures.taken.keys() == {SQLITE, PASSTHROUGH}
    assert MOCK not in figures.taken
