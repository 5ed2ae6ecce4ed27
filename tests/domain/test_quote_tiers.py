"""The window is pinned at the quote; the hold covers the dearest tier that can be reached; the capture takes the one that was."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.price import FreshnessLimits, PriceInForce, PriceState, Sku
from mintery.domain.quote import Quote, quote, tariff_of
from mintery.domain.tiers import parse_window
from mintery.domain.voucher import Kind
from mintery.units import BasisPoints, Par, UnixSeconds, UsdWad

NOON = UnixSeconds(1_795_262_400)
"""2026-11-21 12:00 UTC."""
EVENING = UnixSeconds(NOON + 6 * 3_600)
TIERS = (1_000, 5_000)
SOFT = 86_400
MODEL = Model(
    id="acme/long",
    upstream="long",
    provider="acme",
    provider_id=1,
    kind=Kind.ROUTED,
    endpoint=Endpoint.CHAT,
    units=frozenset({Unit.INPUT_TOKEN, Unit.CACHED_INPUT_TOKEN, Unit.OUTPUT_TOKEN, Unit.REQUEST}),
    max_output_tokens=4_096,
    context_tokens=10_000,
    tiers=TIERS,
    windows=(parse_window("off_peak", "16:30", "00:30"),),
)
AFTERNOON = NOON + 4 * 3_600 + 29 * 60 + 59

skus = {sku: index for index, sku in enumerate(MODEL.skus, start=1)}
price_books = st.fixed_dictionaries({sku: st.integers(1, 10**13) for sku in MODEL.skus})
usages = st.tuples(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 4_096))


def in_force(usd: dict[Sku, int]) -> dict[Sku, PriceInForce]:
    return {
        sku: PriceInForce(sku, skus[sku], 3, UsdWad(wad), UnixSeconds(NOON), queued=False) for sku, wad in usd.items()
    }


def a_quote(prices: dict[Sku, PriceInForce], most_in: int, most_out: int, now: int = NOON) -> Quote:
    most = {Unit.INPUT_TOKEN: most_in, Unit.OUTPUT_TOKEN: most_out, Unit.REQUEST: 1}
    return quote(
        tariff_of(MODEL, prices),
        most,
        par=Par(10**6),
        markup=BasisPoints(250),
        now=UnixSeconds(now),
        limits=FreshnessLimits(soft=SOFT, hard=2 * SOFT),
    )


def used(fresh: int, cached: int, out: int) -> dict[str, int]:
    return {Unit.INPUT_TOKEN: fresh, Unit.CACHED_INPUT_TOKEN: cached, Unit.OUTPUT_TOKEN: out, Unit.REQUEST: 1}


FLAT = {sku: 10 * (3 if "5000" in sku.unit else 2 if "1000" in sku.unit else 1) for sku in MODEL.skus}


@given(price_books, usages, usages, st.sampled_from([NOON, EVENING]))
def test_no_usage_within_the_bounds_costs_more_than_the_hold(
    usd: dict[Sku, int], most: tuple[int, int, int], part: tuple[int, int, int], now: int
):
    most_in, most_out = most[0], most[2]
    fresh, cached, out = min(part[0], most_in), min(part[1], most_in - min(part[0], most_in)), min(part[2], most_out)

    quoted = a_quote(in_force(usd), most_in, most_out, now)
    lines = quoted.at(used(fresh, cached, out))

    assert quoted.cost(lines) <= quoted.amount
    assert sum(line.quantity for line in lines) == fresh + cached + out + 1


@given(usages)
def test_all_units_are_charged_at_the_tier_that_the_whole_input_reached(usage: tuple[int, int, int]):
    fresh, cached, out = usage
    lines = a_quote(in_force(FLAT), 20_000, 5_000).at(used(fresh, cached, out))

    tier = "above_5000" if fresh + cached > 5_000 else "above_1000" if fresh + cached > 1_000 else ""
    tokens = [line.sku.unit for line in lines if line.sku.unit != Unit.REQUEST]
    assert all(unit.endswith(tier) for unit in tokens)
    assert tier or not any("above" in unit for unit in tokens)


def test_a_boundary_that_is_hit_exactly_is_not_passed():
    quoted = a_quote(in_force(FLAT), 20_000, 5_000)
    by_input = {
        inputs: {line.sku.unit for line in quoted.at(used(inputs - 400, 400, 1))} - {Unit.REQUEST}
        for inputs in (1_000, 1_001)
    }
    assert by_input == {
        1_000: {"input_token", "cached_input_token", "output_token"},
        1_001: {"input_token.above_1000", "cached_input_token.above_1000", "output_token.above_1000"},
    }


def test_a_request_that_cannot_reach_a_tier_is_not_held_for_it():
    short, long = a_quote(in_force(FLAT), 1_000, 100), a_quote(in_force(FLAT), 1_001, 100)

    assert len(short.tiers) == 1
    assert short.usd == 1_000 * 10 + 100 * 10 + 10
    assert long.usd == 1_001 * 20 + 100 * 20 + 10


def test_a_cheaper_tier_above_does_not_make_the_hold_too_small():
    usd = {sku: 1 if "above" in sku.unit else 10**12 for sku in MODEL.skus}
    quoted = a_quote(in_force(usd), 10_000, 10)

    assert quoted.cost(quoted.at(used(1_000, 0, 10))) <= quoted.amount
    assert quoted.cost(quoted.at(used(9_000, 0, 10))) < quoted.amount


def test_the_window_of_the_quote_stays_pinned():
    prices = in_force(FLAT | {sku: 7 for sku in MODEL.skus if "off_peak" in sku.unit})
    before, after = a_quote(prices, 100, 100, AFTERNOON), a_quote(prices, 100, 100, AFTERNOON + 1)

    assert {line.sku.unit for line in before.at(used(5, 5, 5))} == MODEL.units
    assert {line.sku.unit for line in after.at(used(5, 5, 5))} == {f"{unit}.off_peak" for unit in MODEL.units}
    assert all(line.unit_price == 7 for line in after.lines)


def test_a_quote_ends_with_its_window_at_the_latest():
    prices = in_force(FLAT)

    assert a_quote(prices, 1, 1, AFTERNOON - 200).expires_at == AFTERNOON - 140
    assert a_quote(prices, 1, 1, AFTERNOON - 9).expires_at == AFTERNOON + 1
    assert a_quote(prices, 1, 1, AFTERNOON + 1).expires_at == AFTERNOON + 61


def test_only_the_tiers_that_can_be_reached_must_be_fresh():
    prices = in_force(FLAT)
    for sku in prices:
        if "above_5000" in sku.unit:
            prices[sku] = replace(prices[sku], refreshed_at=UnixSeconds(NOON - SOFT - 1))

    assert a_quote(prices, 5_000, 100).state is PriceState.NORMAL
    assert a_quote(prices, 5_001, 100).state is PriceState.SOFT_STALE
