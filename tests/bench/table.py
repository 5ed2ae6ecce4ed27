"""The figures for people, and for programs."""

from collections.abc import Mapping
from typing import Any

from tests.bench.goals import Goal
from tests.bench.rounds import MODES, Cell, Figures, Taken
from tests.bench.rows import MOCK, PASSTHROUGH

Parts = Mapping[str, Mapping[str, float]]
_MICROSECONDS = 1e6
_FULL, _STRANGERS = 0.9, 0.1
"""Shares of a core: from here on it is what holds a figure back; more than that by others, and the figure says little."""
_UNITS = {
    "vouchers": "voucher verifications/s",
    "ledger": "holds and captures/s, 64 callers",
    "growth": "holds and captures/s, by accounts and receipts in the ledger",
    "settlement": "settlement lines/s, from receipts to final on the dev chain",
    "statement": "lines/s of a year's statement as CSV, ms for its sums, KiB that it adds, by lines",
    "memory": "KiB of the server's memory for each open stream",
}


def served(figures: Figures) -> list[dict[str, Any]]:
    """One entry for each row and cell: requests/s, milliseconds, processor microseconds a request, ratios."""
    compared = PASSTHROUGH in figures.taken
    return [
        {
            "row": row,
            "mode": cell.mode,
            "concurrency": cell.concurrency,
            "per_second": figures.median(row, cell, lambda taken: taken.per_second),
            "p50_ms": figures.median(row, cell, lambda taken: taken.p50),
            "p99_ms": figures.median(row, cell, lambda taken: taken.p99),
            "processor_us": figures.median(row, cell, lambda taken: taken.processor),
            "beside_us": figures.median(row, cell, lambda taken: taken.beside),
            "bound": bound_of(figures, row, cell),
            "ratio": figures.throughput_ratio(row, cell) if compared else None,
            "processor_ratio": figures.processor_ratio(row, cell) if compared else None,
        }
        for row, cells in figures.taken.items()
        for cell in cells
    ]


def bound_of(figures: Figures, row: str, cell: Cell) -> str:
    """What held the figure back, with the share of the time that it took: a core that was full, others on the machine, or
    else what was waited for: the disk, and each other. Empty for the upstream alone, which shares the client's core.
    """
    if row == MOCK:
        return ""
    per_second = figures.median(row, cell, lambda taken: taken.per_second)
    server = figures.median(row, cell, lambda taken: taken.processor) * per_second / _MICROSECONDS
    other = figures.median(row, cell, lambda taken: taken.beside) * per_second / _MICROSECONDS
    strangers = figures.median(row, cell, _strangers)
    if strangers > _STRANGERS:
        return f"others {strangers:.0%}"
    if max(server, other) >= _FULL:
        return f"core {server:.0%}" if server >= other else f"other core {other:.0%}"
    return f"waiting {max(1 - server - other, 0) if cell.concurrency == 1 else 1 - max(server, other):.0%}"


def _strangers(taken: Taken) -> float:
    return taken.strangers


def as_json(figures: Figures, parts: Parts, goals: list[Goal]) -> dict[str, Any]:
    wanted = [
        {
            "goal": goal.name,
            "wanted": goal.wanted,
            "found": goal.found,
            "by_processor": goal.by_processor,
            "met": goal.met,
        }
        for goal in goals
    ]
    return {"served": served(figures), "parts": parts, "goals": wanted}


def as_text(figures: Figures, parts: Parts, goals: list[Goal]) -> str:
    return "\n".join([*_served_lines(figures), "", *_part_lines(parts), "", *_goal_lines(goals), *_warning(figures)])


def _warning(figures: Figures) -> list[str]:
    disturbed = any(
        figures.median(row, cell, _strangers) > _STRANGERS for row, cells in figures.taken.items() for cell in cells
    )
    return ["others used these cores meanwhile: no goal is met or missed by this run"] if disturbed else []


def _served_lines(figures: Figures) -> list[str]:
    """Rows of one cell stand below each other, as they are compared."""
    heads = f"{'':6}{'at once':>8}  {'row':12}{'requests/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'core us':>9}{'beside':>8}{'x pass':>8}{'x core':>8}  bound by"
    entries = served(figures)
    lines = [heads]
    for mode in MODES:
        concurrencies = sorted({entry["concurrency"] for entry in entries})
        for concurrency in concurrencies:
            for entry in entries:
                if (entry["mode"], entry["concurrency"]) == (mode, concurrency):
                    ratios = f"{_share(entry['ratio'])}{_share(entry['processor_ratio'])}"
                    lines.append(
                        f"{mode:6}{concurrency:8}  {entry['row']:12}{entry['per_second']:11,.0f}{entry['p50_ms']:9.2f}"
                        f"{entry['p99_ms']:9.2f}{entry['processor_us']:9.0f}{entry['beside_us']:8.0f}{ratios}  {entry['bound']}"
                    )
    lines += [
        "core us, beside: of the server's core, and of the other for client, upstream and database, for each request",
        "x pass: requests/s by the passthrough's; x core: the same for each second of the core that it really got",
        "bound by: the share of the time that a core was full, that others took of one, or that was spent waiting",
    ]
    return lines


def _share(ratio: float | None) -> str:
    return f"{'' if ratio is None else f'{ratio:.2f}':>8}"


def _part_lines(parts: Parts) -> list[str]:
    lines = []
    for name, found in parts.items():
        kind, _, row = name.partition(" ")
        shown = ", ".join(f"{label} {value:,.0f}" for label, value in found.items())
        lines.append(f"{_UNITS[kind]}{f' ({row})' if row else ''}: {shown}")
    return lines


def _goal_lines(goals: list[Goal]) -> list[str]:
    lines = [f"{'':5}{'goal':44}{'wanted':>9}{'found':>9}{'by core':>9}"]
    for goal in goals:
        bound = f"{'≥' if goal.at_least else '≤'} {goal.wanted:g}"
        core = "" if goal.by_processor is None else f"{goal.by_processor:.2f}"
        lines.append(f"{'pass' if goal.met else 'MISS':5}{goal.name:44}{bound:>9}{goal.found:9.2f}{core:>9}")
    return lines
