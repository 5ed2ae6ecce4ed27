"""A SKU has a list's price only if the list asks that price in all of the SKU's tier and window."""

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.providers.declared import declared

from mintery.domain.observation import NoPrice, SourcePrice
from mintery.domain.price import Sku
from mintery.domain.tiers import DAY_MINUTES, Window, bands_of, parse_unit, window_at
from mintery.providers.charges import Charge, answer_for
from mintery.units import UsdWad

LONGEST = 60
MODEL = "acme/m"
starts = st.lists(st.integers(2, LONGEST), unique=True, max_size=3).map(sorted)
turns = st.lists(st.integers(0, DAY_MINUTES - 1), unique=True, max_size=3).map(sorted)
windows = st.lists(st.integers(0, DAY_MINUTES), unique=True, min_size=2, max_size=4).map(
    lambda edges: tuple(Window("w", start, end % DAY_MINUTES) for start, end in list(pairwise(sorted(edges)))[::2])
)


def step(edges: list[int], at: int) -> int:
    return sum(edge <= at for edge in edges)


@settings(max_examples=60)
@given(starts, turns, starts, st.none() | windows, st.dictionaries(st.integers(0, 15), st.integers(1, 2), max_size=16))
def test_the_answer_is_that_of_looking_everywhere(
    list_starts: list[int],
    list_turns: list[int],
    tiers: list[int],
    declared_windows: tuple[Window, ...] | None,
    usd: dict[int, int],
):
    """``usd``: the list's price for each of its own steps, 1 where none is named."""

    def at(inputs: int, minute: int) -> UsdWad:
        return UsdWad(usd.get(4 * step(list_starts, inputs) + step(list_turns, minute), 1))

    models = declared(MODEL, tiers=tuple(tiers), windows=declared_windows or ())
    charge = Charge(at, frozenset(list_starts), frozenset(list_turns))
    for sku in models[MODEL].skus:
        if not sku.unit.startswith("input_token"):
            continue
        everywhere = {
            at(inputs, minute)
            for inputs, minute in _all_of(sku, models[MODEL].tiers, declared_windows or (), list_turns)
        }

        answer = answer_for("list", str(sku), models, lambda _listed: charge)

        if len(everywhere) == 1:
            assert answer == SourcePrice("list", everywhere.pop())
        else:
            assert isinstance(answer, NoPrice)


@pytest.mark.parametrize(("inputs", "minutes"), [(17, 0), (0, 17), (1_000, 1_000)])
def test_a_price_with_more_steps_than_anybody_asks_is_not_looked_at(inputs: int, minutes: int):
    def at(_inputs: int, _minute: int) -> UsdWad:
        raise AssertionError

    charge = Charge(at, frozenset(range(2, 2 + inputs)), frozenset(range(1, 1 + minutes)))

    answer = answer_for("list", f"{MODEL}:input_token", declared(MODEL), lambda _listed: charge)

    assert answer == NoPrice("list", "its price has too many conditions")


def _all_of(
    sku: Sku, tiers: tuple[int, ...], declared_windows: tuple[Window, ...], list_turns: list[int]
) -> list[tuple[int, int]]:
    """Every length that the SKU is for (past the last boundary nothing changes any more), at every tenth minute of the day,
    and at those where a window ends or the list turns.
    """
    metered = parse_unit(sku.unit, declared_windows)
    [band] = [band for band in bands_of(tiers) if band.above == metered.above]
    lengths = range(band.above + 1, (band.most or LONGEST + 1) + 1)
    edges = {edge for window in declared_windows for edge in (window.start, window.end)}
    minutes = {*range(0, DAY_MINUTES, 10), *edges, *list_turns}
    return list(product(lengths, (m for m in minutes if window_at(declared_windows, m) == metered.window)))
