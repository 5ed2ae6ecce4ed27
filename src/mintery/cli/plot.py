"""A plot of steps in characters: a value that holds until the next one takes its place."""

from collections.abc import Sequence
from itertools import pairwise

from mintery.units import pro_rata_down

WIDTH = 64
HEIGHT = 12
_LEVEL, _RISE = "─", "│"
_CORNERS = {"up": ("╯", "╭"), "down": ("╮", "╰")}

Step = tuple[int, int]
"""From when on, and the value."""


def step_plot(steps: Sequence[Step], until: int, *, width: int = WIDTH, height: int = HEIGHT) -> list[str]:
    """Lines of at most ``width`` characters, the highest value on the first and the lowest on the last.

    ``steps`` ascend in time and are not empty; a column shows the last value that began in its time or before.
    """
    values = [value for _, value in steps]
    rows = [_row(value, min(values), max(values), height) for value in _columns(steps, until, width)]
    grid = [[" "] * width for _ in range(height)]
    grid[rows[0]][0] = _LEVEL
    for column, (before, row) in enumerate(pairwise(rows), start=1):
        if row == before:
            grid[row][column] = _LEVEL
            continue
        leave, arrive = _CORNERS["up" if row < before else "down"]
        grid[before][column], grid[row][column] = leave, arrive
        for between in range(min(row, before) + 1, max(row, before)):
            grid[between][column] = _RISE
    return ["".join(line).rstrip() for line in grid]


def _columns(steps: Sequence[Step], until: int, width: int) -> list[int]:
    """The value in force at the end of each column's share of the time."""
    begins = steps[0][0]
    seconds = max(until - begins, 1)
    values, place = [], 0
    for column in range(1, width + 1):
        end = begins + pro_rata_down(seconds, column, width)
        while place + 1 < len(steps) and steps[place + 1][0] <= end:
            place += 1
        values.append(steps[place][1])
    return values


def _row(value: int, low: int, high: int, height: int) -> int:
    """The highest value on row 0; in the middle where all are the same."""
    if low == high:
        return height >> 1
    return height - 1 - pro_rata_down(height - 1, value - low, high - low)
