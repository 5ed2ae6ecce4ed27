"""LiteLLM's price file: exact numbers, declared tiers, and an end to its age."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.providers.declared import declared, window

from mintery.domain.observation import NonsensePrice, NoPrice, SourcePrice
from mintery.errors import MalformedFile
from mintery.providers.price_lists_litellm import LiteLLMFile, read_litellm_file
from mintery.units import UsdWad

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MONTH = timedelta(days=30)
ENTRIES = {
    "sample_spec": {"input_cost_per_token": 0.0, "litellm_provider": "one of the providers"},
    "gpt-5": {
        "litellm_provider": "openai",
        "input_cost_per_token": 1.25e-06,
        "input_cost_per_token_priority": 2.5e-06,
        "cache_read_input_token_cost": 1.25e-07,
        "output_cost_per_token": 1e-05,
    },
    "acme/long": {
        "litellm_provider": "acme",
        "input_cost_per_token": 3e-06,
        "input_cost_per_token_above_200k_tokens": 6e-06,
        "cache_creation_input_token_cost": 3.75e-06,
        "cache_creation_input_token_cost_above_1hr": 6e-06,
        "output_cost_per_token": 1.5e-05,
        "output_cost_per_token_above_200k_tokens": 2.25e-05,
    },
    "acme/hours": {"off_peak_pricing": {"hours_utc": "16:30-00:30"}, "input_cost_per_token": 1e-06},
}


def file(path: Path, entries: object = ENTRIES, **how: object) -> LiteLLMFile:
    path.write_text(entries if isinstance(entries, str) else json.dumps(entries))
    os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    models = {**declared("acme/long", tiers=(200_000,)), **how}
    return read_litellm_file(path, models, longest_age=MONTH)  # type: ignore[arg-type]  # models by id


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model_prices.json"


@pytest.mark.parametrize(
    ("sku", "usd"),
    [
        ("openai/gpt-5:input_token", 1_250_000_000_000),
        ("openai/gpt-5:cached_input_token", 125_000_000_000),
        ("openai/gpt-5:output_token", 10_000_000_000_000),
        ("acme/long:input_token", 3_000_000_000_000),
        ("acme/long:input_token.above_200000", 6_000_000_000_000),
        ("acme/long:output_token.above_200000", 22_500_000_000_000),
        ("acme/long:cache_write_token", 3_750_000_000_000),
        ("acme/long:cache_write_token.above_200000", 3_750_000_000_000),
        ("acme/long:cache_write_token.1h", 6_000_000_000_000),
    ],
)
def test_prices_are_exact(path: Path, sku: str, usd: int):
    assert file(path).price_of(sku, NOON) == SourcePrice("model_prices.json", UsdWad(usd))


@pytest.mark.parametrize(
    ("sku", "why"),
    [
        ("azure/gpt-5:input_token", "not listed"),
        ("openai/gpt-5:image", "not listed"),
        ("acme/hours:input_token", "its price follows a schedule that is not read"),
        ("openai/gpt-5:input_token.above_200000", "no model here declares a tier above 200000"),
    ],
)
def test_what_it_does_not_say_has_no_price(path: Path, sku: str, why: str):
    assert file(path).price_of(sku, NOON) == NoPrice("model_prices.json", why)


def test_a_model_is_known_by_its_providers_name_and_by_its_own(path: Path):
    dated = declared("openai/gpt-5", upstream="gpt-5-2025-08-07")
    assert isinstance(file(path, **dated).price_of("openai/gpt-5:input_token", NOON), SourcePrice)
    entries = {**ENTRIES, "gpt-5-2025-08-07": {"litellm_provider": "openai", "input_cost_per_token": 7e-06}}
    found = file(path, entries, **dated).price_of("openai/gpt-5:input_token", NOON)
    assert found == SourcePrice("model_prices.json", UsdWad(7 * 10**12))


def test_tiers_that_no_model_declares_leave_the_plain_unit_unpriced(path: Path):
    listed = read_litellm_file(file(path) and path, {}, longest_age=MONTH)
    assert isinstance(listed.price_of("acme/long:input_token", NOON), NoPrice)


def test_it_knows_no_hours(path: Path):
    models = declared("openai/gpt-5", windows=(window("night", "22:00", "06:00"),))
    answer = file(path, **models).price_of("openai/gpt-5:input_token", NOON)
    assert answer == NoPrice("model_prices.json", "it does not price by the time of day")


def test_it_is_believed_for_a_month(path: Path):
    listed = file(path)
    assert isinstance(listed.price_of("openai/gpt-5:input_token", NOON + MONTH - timedelta(seconds=1)), SourcePrice)
    old = listed.price_of("openai/gpt-5:input_token", NOON + timedelta(days=365))
    assert old == NoPrice("model_prices.json", "the file is too old: nobody renewed it before 2026-12-21")


@pytest.mark.parametrize(
    "value", ["-1e-06", "1e300", '"1e400"', '"1e999999999"', '"free"', "true", "[]", '"Infinity"', '"sNaN"', "0.00125"]
)
def test_nonsense_is_named(path: Path, value: str):
    """The last is the price of a thousand tokens."""
    listed = file(path, f'{{"acme/m": {{"input_cost_per_token": {value}}}}}')
    answer = listed.price_of("acme/m:input_token", NOON)
    assert isinstance(answer, NonsensePrice), answer


@pytest.mark.parametrize("value", ["1e-19", "1e-999999999", "1.0000000000000001e-18"])
def test_what_is_finer_than_we_count_has_no_price(path: Path, value: str):
    listed = file(path, f'{{"acme/m": {{"input_cost_per_token": {value}}}}}')
    assert listed.price_of("acme/m:input_token", NOON) == NoPrice(
        "model_prices.json", "its price is finer than 1e-18 USD"
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "NaN", '{"a": NaN}', '{"a": -Infinity}', '{"a": 1e400}', "[" * 100_000, "\udcff"]
)
def test_what_is_no_such_file_is_refused(path: Path, text: str):
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(MalformedFile):
        read_litellm_file(path, {}, longest_age=MONTH)


def test_a_file_too_large_is_not_read(path: Path):
    with path.open("wb") as sparse:
        sparse.truncate(2**30)
    with pytest.raises(MalformedFile, match="the limit is"):
        read_litellm_file(path, {}, longest_age=MONTH)
