"""Rounds over all rows in turn (A B C, A B C, …), so that a busy minute of the machine falls on all of them alike.

A figure is the median over the rounds. Ratios are taken within a round, of bursts that ran next to each other.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

import uvloop
from tests.bench.load import Burst, Load, run_burst
from tests.bench.machine import busy_seconds, family, processor_seconds
from tests.bench.rows import PASSTHROUGH, Field, Row

JSON, SSE = "JSON", "SSE"
MODES = (JSON, SSE)
CONCURRENCIES = (1, 16, 64)
MODEL = "test/chat"
_WARM_SECONDS = 0.3
_MICROSECONDS = 1e6
_MILLISECONDS = 1e3


@dataclass(frozen=True, slots=True)
class Effort:
    """How long is measured: ``rounds`` bursts of ``seconds``, or of ``most`` requests, for each cell."""

    rounds: int
    seconds: float
    most: int = 100_000


@dataclass(frozen=True, slots=True)
class Cell:
    mode: str
    concurrency: int


@dataclass(frozen=True, slots=True)
class Taken:
    """One burst's figures: requests/s, milliseconds, and the server's processor time in microseconds a request.

    Attributes:
        beside: microseconds a request of the other core, for client, upstream and database together.
        strangers: of the core that others than these took more of, the share that they took.
    """

    per_second: float
    p50: float
    p99: float
    processor: float
    beside: float = 0.0
    strangers: float = 0.0


@dataclass(slots=True)
class Figures:
    """Every burst, by row and cell, in the order of the rounds."""

    taken: dict[str, dict[Cell, list[Taken]]] = field(default_factory=dict)

    def add(self, row: str, cell: Cell, taken: Taken) -> None:
        self.taken.setdefault(row, {}).setdefault(cell, []).append(taken)

    def median(self, row: str, cell: Cell, figure: Callable[[Taken], float]) -> float:
        return median(figure(each) for each in self.taken[row][cell])

    def against(self, row: str, other: str, cell: Cell, compare: Callable[[Taken, Taken], float]) -> float:
        """The median of ``compare(ours, theirs)`` over the rounds."""
        pairs = zip(self.taken[row][cell], self.taken[other][cell], strict=True)
        return median(compare(ours, theirs) for ours, theirs in pairs)

    def throughput_ratio(self, row: str, cell: Cell, other: str = PASSTHROUGH) -> float:
        return self.against(row, other, cell, lambda ours, theirs: ours.per_second / theirs.per_second)

    def processor_ratio(self, row: str, cell: Cell, other: str = PASSTHROUGH) -> float:
        """Requests for each second that the server's core really gave it: what others take of the core falls out."""
        return self.against(row, other, cell, lambda ours, theirs: theirs.processor / ours.processor)


def body_of(mode: str) -> bytes:
    fields = {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": "You answer in one sentence."},
            {"role": "user", "content": "What is a credit worth, and who says so? " * 2},
        ],
        "max_tokens": 64,
        "temperature": 0.5,
    }
    return json.dumps(fields | ({"stream": True} if mode == SSE else {})).encode()


@dataclass(frozen=True, slots=True)
class _Spent:
    """Seconds so far: of the server, of what works beside it, and of anybody on the core of each."""

    server: float
    beside: float
    on_servers_core: float
    on_other_core: float

    @classmethod
    def by(cls, row: Row) -> "_Spent":
        pid = row.server.pid
        beside = [os.getpid(), *(each for root in row.beside for each in family(root))]
        return cls(
            processor_seconds(pid),
            sum(processor_seconds(each) for each in beside),
            busy_seconds(min(os.sched_getaffinity(pid))),
            busy_seconds(min(os.sched_getaffinity(0))),
        )


def take_burst(row: Row, cell: Cell, seconds: float, most: int) -> Taken:
    """Raises BadAnswer."""
    load = Load(row.server.url, row.requests(body_of(cell.mode)))
    before = _Spent.by(row)
    burst: Burst = uvloop.run(run_burst(load, concurrency=cell.concurrency, seconds=seconds, most=most))
    after = _Spent.by(row)
    server, beside = after.server - before.server, after.beside - before.beside
    strangers = max(
        after.on_servers_core - before.on_servers_core - server,
        after.on_other_core - before.on_other_core - beside,
        0.0,
    )
    return Taken(
        burst.per_second,
        burst.percentile(0.5) * _MILLISECONDS,
        burst.percentile(0.99) * _MILLISECONDS,
        server / len(burst.latencies) * _MICROSECONDS,
        beside / len(burst.latencies) * _MICROSECONDS,
        strangers / burst.elapsed,
    )


def take_rounds(
    field_: Field, effort: Effort, concurrencies: Sequence[int], on_round: Callable[[int], None] = lambda _number: None
) -> Figures:
    """Warm every row up, then measure."""
    figures = Figures()
    cells = [Cell(mode, concurrency) for mode in MODES for concurrency in concurrencies]
    for row in field_.rows:
        for mode in MODES:
            take_burst(row, Cell(mode, max(concurrencies)), _WARM_SECONDS, effort.most)
    for number in range(effort.rounds):
        on_round(number)
        for cell in cells:
            for row in field_.rows:
                figures.add(row.name, cell, take_burst(row, cell, effort.seconds, effort.most))
    return figures
