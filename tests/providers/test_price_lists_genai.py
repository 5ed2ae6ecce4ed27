"""genai-prices: dollars per million tokens, tiers and hours as SKUs of their own, and never a guess."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from genai_prices import Usage
from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.data_units import unit_data
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)
from tests.providers.declared import declared, window

from mintery.domain.model import Unit
from mintery.domain.observation import NonsensePrice, NoPrice, SourcePrice
from mintery.providers.price_lists_genai import MEASURES, GenaiPrices
from mintery.units import UsdWad

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SONNET = "anthropic/claude-sonnet-4-5"
DEEPSEEK = "deepseek/deepseek-chat"
OFF_PEAK = (window("off_peak", "16:30", "00:30"),)


def test_each_unit_is_priced_per_as_many_as_the_package_says():
    known = {unit["price_key"]: unit["per"] for unit in unit_data.values()}
    assert all(known[key] == units for key, units in MEASURES.values())


@pytest.mark.parametrize(
    ("sku", "usd"),
    [
        ("openai/gpt-5:input_token", 1_250_000_000_000),
        ("openai/gpt-5:output_token", 10_000_000_000_000),
        ("openai/gpt-5:cached_input_token", 125_000_000_000),
    ],
)
def test_prices_are_dollars_per_million_tokens(sku: str, usd: int):
    assert GenaiPrices().price_of(sku, NOON) == SourcePrice("genai-prices", UsdWad(usd))


@pytest.mark.parametrize(
    ("sku", "why"),
    [
        (f"{SONNET}:input_token", "its price has tiers that the model does not declare"),
        (f"{SONNET}:input_token.above_200000", "no model here declares a tier above 200000"),
        (f"{DEEPSEEK}:input_token", "its price depends on the time of day in a way that the model does not declare"),
        ("openai/gpt-5-but-cheaper:input_token", "not listed"),
        ("nobody/gpt-5:input_token", "not listed"),
        ("openai/gpt-5:image", "not listed"),
        ("openai/gpt-5:input_token.off_peak", "not listed"),
        ("asset:usd", "not a model's SKU"),
    ],
)
def test_what_is_not_exactly_listed_has_no_price(sku: str, why: str):
    assert GenaiPrices().price_of(sku, NOON) == NoPrice("genai-prices", why)


@pytest.mark.parametrize(
    ("tiers", "sku", "usd"),
    [
        ((200_000,), "input_token", 3_000_000_000_000),
        ((200_000,), "input_token.above_200000", 6_000_000_000_000),
        ((200_000,), "output_token.above_200000", 22_500_000_000_000),
        ((200_000,), "cached_input_token.above_200000", 600_000_000_000),
        ((100_000, 200_000), "input_token.above_100000", 3_000_000_000_000),
    ],
)
def test_a_declared_tier_has_its_price(tiers: tuple[int, ...], sku: str, usd: int):
    listed = GenaiPrices(declared(SONNET, tiers=tiers))
    assert listed.price_of(f"{SONNET}:{sku}", NOON) == SourcePrice("genai-prices", UsdWad(usd))


@pytest.mark.parametrize("tiers", [(100_000,), (199_999,), (200_001,)])
def test_a_tier_that_the_list_does_not_share_to_the_token_has_none(tiers: tuple[int, ...]):
    listed = GenaiPrices(declared(SONNET, tiers=tiers))
    answers = [listed.price_of(str(sku), NOON) for sku in declared(SONNET, tiers=tiers)[SONNET].skus]
    assert any(isinstance(answer, NoPrice) for answer in answers)


def test_tiers_and_usage_cost_what_the_package_calculates():
    models = declared(SONNET, tiers=(200_000,))
    listed, provider = GenaiPrices(models), next(p for p in get_snapshot().providers if p.id == "anthropic")
    info = next(model for model in provider.models if model.id == "claude-sonnet-4-5")
    for inputs in (1, 199_999, 200_000, 200_001, 999_999):
        tier = ".above_200000" if inputs > 200_000 else ""
        prices = {
            unit: listed.price_of(f"{SONNET}:{unit}{tier}", NOON)
            for unit in (Unit.INPUT_TOKEN, Unit.CACHED_INPUT_TOKEN, Unit.OUTPUT_TOKEN)
        }
        usage = {Unit.INPUT_TOKEN: inputs - inputs // 3, Unit.CACHED_INPUT_TOKEN: inputs // 3, Unit.OUTPUT_TOKEN: 77}
        ours = sum(price.usd * usage[unit] for unit, price in prices.items() if isinstance(price, SourcePrice))
        theirs = info.calc_price(
            Usage(input_tokens=inputs, cache_read_tokens=inputs // 3, output_tokens=77),
            provider,
            genai_request_timestamp=NOON,
        )
        assert Decimal(ours) / 10**18 == theirs.total_price


@pytest.mark.parametrize("hour", range(0, 24, 3))
@pytest.mark.parametrize(
    ("sku", "usd"), [("output_token.off_peak", 550_000_000_000), ("output_token", 1_100_000_000_000)]
)
def test_a_window_over_midnight_has_one_price_whenever_it_is_asked_for(hour: int, sku: str, usd: int):
    listed = GenaiPrices(declared(DEEPSEEK, windows=OFF_PEAK))
    assert listed.price_of(f"{DEEPSEEK}:{sku}", NOON.replace(hour=hour)) == SourcePrice("genai-prices", UsdWad(usd))


def test_a_caller_in_another_time_zone_gets_the_same():
    listed = GenaiPrices(declared(DEEPSEEK, windows=OFF_PEAK))
    there = datetime(2026, 11, 22, 1, tzinfo=timezone(timedelta(hours=13)))
    assert listed.price_of(f"{DEEPSEEK}:output_token", there) == listed.price_of(f"{DEEPSEEK}:output_token", NOON)


@pytest.mark.parametrize(("start", "end"), [("16:31", "00:30"), ("16:30", "00:29"), ("16:30", "00:31")])
def test_a_window_that_the_list_does_not_share_to_the_minute_has_none(start: str, end: str):
    models = declared(DEEPSEEK, windows=(window("off_peak", start, end),))
    answers = [GenaiPrices(models).price_of(str(sku), NOON) for sku in models[DEEPSEEK].skus]
    assert any(isinstance(answer, NoPrice) for answer in answers)


def made(*prices: ConditionalPrice) -> DataSnapshot:
    model = ModelInfo("m", ClauseEquals("m"), prices=list(prices))
    return DataSnapshot([Provider("acme", "Acme", "x", models=[model])], from_auto_update=False)


def test_a_new_days_price_begins_with_the_day():
    old, new = ModelPrice(input_mtok=Decimal(1)), ModelPrice(input_mtok=Decimal(2))
    listed = GenaiPrices(
        snapshot=made(
            ConditionalPrice(prices=old), ConditionalPrice(StartDateConstraint(date(2026, 11, 22)), prices=new)
        )
    )
    last = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)
    assert listed.price_of("acme/m:input_token", last) == SourcePrice("genai-prices", UsdWad(10**12))
    assert listed.price_of("acme/m:input_token", last + timedelta(seconds=1)) == SourcePrice(
        "genai-prices", UsdWad(2 * 10**12)
    )


@pytest.mark.parametrize(
    "price", [Decimal("NaN"), Decimal("Infinity"), Decimal(-1), Decimal("1e400"), Decimal(1_250_000)]
)
def test_what_can_be_no_price_is_nonsense(price: Decimal):
    """The last is the price of a thousand million tokens."""
    listed = GenaiPrices(snapshot=made(ConditionalPrice(prices=ModelPrice(input_mtok=price))))
    assert isinstance(listed.price_of("acme/m:input_token", NOON), NonsensePrice)


@pytest.mark.parametrize("price", [Decimal("1e-13"), Decimal("1e-999999"), Decimal("0." + "1" * 70)])
def test_what_is_finer_than_we_count_has_no_price(price: Decimal):
    listed = GenaiPrices(snapshot=made(ConditionalPrice(prices=ModelPrice(input_mtok=price))))
    assert listed.price_of("acme/m:input_token", NOON) == NoPrice("genai-prices", "its price is finer than 1e-18 USD")


def test_a_tier_that_begins_within_a_window_only_is_looked_for_there():
    tiered = ModelPrice(input_mtok=TieredPrices(Decimal(1), [Tier(10, Decimal(2))]))
    at_night = TimeOfDateConstraint(time(22, tzinfo=UTC), time(6, tzinfo=UTC))
    snapshot = made(
        ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(3))), ConditionalPrice(at_night, prices=tiered)
    )
    models = declared("acme/m", windows=(window("night", "22:00", "06:00"),))
    listed = GenaiPrices(models, snapshot)
    assert listed.price_of("acme/m:input_token", NOON) == SourcePrice("genai-prices", UsdWad(3 * 10**12))
    assert isinstance(listed.price_of("acme/m:input_token.night", NOON), NoPrice)
