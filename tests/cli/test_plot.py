"""A plot of steps shows the highest on top, and every column one value."""

from hypothesis import given
from hypothesis import strategies as st

from mintery.cli.plot import HEIGHT, WIDTH, step_plot

steps = st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 2**128 - 1)), min_size=1, max_size=30).map(
    lambda found: sorted(dict(found).items())
)


def test_a_rise_and_a_fall():
    assert step_plot([(0, 1), (4, 3), (8, 2)], 12, width=12, height=3) == [
        "   ╭───╮",
        "   │   ╰────",
        "───╯",
    ]


def test_one_price_is_a_level_line():
    assert step_plot([(0, 7)], 0, width=5, height=3) == ["", "─────", ""]


@given(steps, st.integers(0, 10**6))
def test_every_column_is_drawn_within_the_frame(found: list[tuple[int, int]], later: int):
    lines = step_plot(found, found[-1][0] + later)

    assert len(lines) == HEIGHT
    assert max(map(len, lines)) <= WIDTH
    assert all(any(len(line) > column and line[column] != " " for line in lines) for column in range(WIDTH))
    assert set("".join(lines)) <= set(" ─│╭╮╰╯")
