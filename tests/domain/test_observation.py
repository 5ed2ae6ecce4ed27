"""A price is what the sources agree on, or there is none."""

from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.observation import (
    MAX_PRICE,
    Flaw,
    NonsensePrice,
    NoPrice,
    Observed,
    SkuState,
    SourcePrice,
    Unroutable,
    confirms,
    is_due,
    observe,
    sighting,
)
from mintery.units import UsdWad

prices = st.integers(1, 10**21).map(UsdWad)


@given(st.lists(prices, min_size=1, max_size=5))
def test_sources_agree_within_half_a_percent_or_there_is_no_price(said: list[UsdWad]):
    seen = observe("a/b:c", [SourcePrice(f"source {number}", usd) for number, usd in enumerate(said)])

    if (max(said) - min(said)) * 200 > min(said):
        assert isinstance(seen, Unroutable)
    else:
        assert isinstance(seen, Observed)
        assert seen.usd == said[0]


def test_the_edge_of_half_a_percent():
    agree = [SourcePrice("one", UsdWad(2_000)), SourcePrice("two", UsdWad(2_010))]
    differ = [SourcePrice("one", UsdWad(2_000)), SourcePrice("two", UsdWad(2_011))]

    assert isinstance(observe("a/b:c", agree), Observed)
    assert observe("a/b:c", differ) == Unroutable(
        "a/b:c", "the sources disagree by more than 0.5 % (one 2000, two 2011, 1e-18 USD)", Flaw.DISAGREEMENT
    )


def test_no_source_is_no_price_and_says_why():
    assert observe("a/b:c", [NoPrice("one", "not listed"), NoPrice("two", "its price has tiers")]) == Unroutable(
        "a/b:c", "no source has a price (one: not listed; two: its price has tiers)"
    )


def test_zero_and_what_no_report_can_carry_are_no_prices():
    for usd in (UsdWad(0), UsdWad(-1), UsdWad(MAX_PRICE + 1)):
        assert isinstance(observe("a/b:c", [SourcePrice("one", usd)]), Unroutable)


def test_a_source_without_a_price_does_not_count():
    seen = observe("a/b:c", [NoPrice("one", "not listed"), SourcePrice("two", UsdWad(7))])

    assert isinstance(seen, Observed)
    assert seen.usd == 7


def test_a_source_of_nonsense_is_not_outvoted():
    seen = observe("a/b:c", [SourcePrice("one", UsdWad(7)), NonsensePrice("two", "NaN: it is no number")])

    assert seen == Unroutable("a/b:c", "two: NaN: it is no number", Flaw.NONSENSE)


def state(index: int = 1, in_force: int = 0, refreshed_at: int = 0, *, queued: int = 0, queued_at: int = 0) -> SkuState:
    return SkuState(index, UsdWad(in_force), refreshed_at, UsdWad(queued), queued_at)


@given(st.dictionaries(st.sampled_from("abcdef"), prices), st.dictionaries(st.sampled_from("abcdefgh"), prices))
def test_every_observed_sku_is_changed_or_unchanged(in_force: dict[str, UsdWad], seen: dict[str, UsdWad]):
    states = {name: state(index, usd) for index, (name, usd) in enumerate(in_force.items())}

    said = sighting(states, seen)

    assert said.changed.keys() | said.unchanged == {states[name].index for name in seen if name in states}
    assert not said.changed.keys() & said.unchanged
    assert all(in_force[name] == seen[name] for name in states if states[name].index in said.unchanged)


def test_what_is_due():
    at = {"now": 1_000, "heartbeat": 100, "queue_delay": 10}

    assert is_due(state(in_force=5, refreshed_at=900), UsdWad(5), **at)
    assert not is_due(state(in_force=5, refreshed_at=901), UsdWad(5), **at)
    assert is_due(state(in_force=5, refreshed_at=1_000), UsdWad(6), **at)
    assert is_due(state(), UsdWad(6), **at)
    assert not is_due(state(queued=6, queued_at=991), UsdWad(6), **at)
    assert is_due(state(queued=6, queued_at=990), UsdWad(6), **at)
    assert is_due(state(queued=60, queued_at=991), UsdWad(62), **at)
    assert is_due(state(in_force=5, refreshed_at=1_000, queued=9, queued_at=991), UsdWad(5), **at)


@given(prices, prices)
def test_a_queued_price_is_confirmed_as_the_oracle_counts_it(usd: UsdWad, queued: UsdWad):
    assert confirms(usd, queued) == (queued * 98 <= usd * 100 <= queued * 102)
