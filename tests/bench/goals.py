"""What was promised, beside what was measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.bench.rounds import JSON, MODES, SSE, Cell, Figures
from tests.bench.rows import LITELLM, MINTERY, PASSTHROUGH

AT_16 = {mode: Cell(mode, 16) for mode in MODES}
ALONE = {mode: Cell(mode, 1) for mode in MODES}
THROUGHPUT, OVER_LITELLM, ADDED_P50, ADDED_P99, HOT, FLAT = 0.6, 15.0, 1.5, 5.0, 0.5, 0.8
"""FLAT: what counts as no slower, on machines whose own speed wavers by more than a tenth."""


@dataclass(frozen=True, slots=True)
class Goal:
    """``at_least`` or its contrary. ``by_processor`` is the same figure by the core's own time, where there is one: a busy
    machine flatters whoever waits most, so the goal is met only by both.
    """

    name: str
    wanted: float
    found: float
    at_least: bool
    by_processor: float | None = None

    @property
    def met(self) -> bool:
        found = [self.found] if self.by_processor is None else [self.found, self.by_processor]
        return min(found) >= self.wanted if self.at_least else max(found) <= self.wanted


def goals_of(figures: Figures, parts: Mapping[str, Mapping[str, float]]) -> list[Goal]:
    return [*_served(figures), *_of_parts(parts)]


def _served(figures: Figures) -> Iterator[Goal]:
    taken = figures.taken
    for row in (row for row in MINTERY if row in taken and PASSTHROUGH in taken):
        for mode in (JSON, SSE):
            if (cell := AT_16[mode]) in taken[row]:
                ratio, processor = figures.throughput_ratio(row, cell), figures.processor_ratio(row, cell)
                yield Goal(f"{row}, {mode}, 16 at once: x passthrough", THROUGHPUT, ratio, True, processor)
                if LITELLM in taken:
                    ratio = figures.throughput_ratio(row, cell, LITELLM)
                    processor = figures.processor_ratio(row, cell, LITELLM)
                    yield Goal(f"{row}, {mode}, 16 at once: x LiteLLM", OVER_LITELLM, ratio, True, processor)
            if (cell := ALONE[mode]) in taken[row]:
                added = figures.against(row, PASSTHROUGH, cell, lambda ours, theirs: ours.p50 - theirs.p50)
                yield Goal(f"{row}, {mode}, alone: ms added, p50", ADDED_P50, added, False)
                added = figures.against(row, PASSTHROUGH, cell, lambda ours, theirs: ours.p99 - theirs.p99)
                yield Goal(f"{row}, {mode}, alone: ms added, p99", ADDED_P99, added, False)


def _of_parts(parts: Mapping[str, Mapping[str, float]]) -> Iterator[Goal]:
    for row in MINTERY:
        if (pairs := parts.get(f"ledger {row}")) is not None:
            yield Goal(f"{row}: one hot account x 100 accounts", HOT, pairs["hot"] / pairs["accounts"], True)
        if (grown := parts.get(f"growth {row}")) is not None:
            sizes = sorted((size for size in grown if size.isdecimal()), key=int)
            if len(sizes) > 1:
                least, most = sizes[0], sizes[-1]
                ratio, processor = grown[most] / grown[least], grown[f"core {most}"] / grown[f"core {least}"]
                yield Goal(f"{row}: {int(most):,} receipts x {int(least):,}", FLAT, ratio, True, processor)
