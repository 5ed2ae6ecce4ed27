"""A model whose price depends on the input's length, over HTTP: what is held, what is charged, what the receipt says."""

from dataclasses import replace
from typing import Any

import pytest
from tests.gateway.rig import INPUT_USD, MODELS, OUTPUT_USD, Rig

from mintery.domain.price import PriceInForce
from mintery.domain.tiers import parse_window
from mintery.providers.stub_answers import Behaviour
from mintery.units import UnixSeconds, UsdWad

BOUNDARY = 1_000
LONG, HOURLY = "test/long", "test/hourly"


@pytest.fixture(autouse=True)
def _sold(gateway: Rig) -> None:
    """Three times the price above the boundary; a tenth of it in the one window, which is all of the day but a minute."""
    minute = int(gateway.market.block_time) // 60 % 1_440
    first, last = ((minute + offset) % 1_440 for offset in (720, 719))
    window = parse_window("cheap", *(f"{each // 60:02d}:{each % 60:02d}" for each in (first, last)))
    models = {
        LONG: replace(MODELS["test/echo"], id=LONG, tiers=(BOUNDARY,)),
        HOURLY: replace(MODELS["test/echo"], id=HOURLY, windows=(window,)),
    }
    prices = dict(gateway.market.prices)
    for model in models.values():
        for index, sku in enumerate(model.skus, start=10_000 if model.id == LONG else 20_000):
            base = OUTPUT_USD if sku.unit.startswith("output") else INPUT_USD
            usd = base * 3 if "above" in sku.unit else base // 10 if "cheap" in sku.unit else base
            prices[sku] = PriceInForce(sku, index, 1, UsdWad(usd), UnixSeconds(gateway.market.block_time), False)
    gateway.parts.channels.models = {**MODELS, **models}
    gateway.market = replace(gateway.market, prices=prices)


def paid(gateway: Rig, model: str, usage: tuple[int, int], text: str = "x" * 3_000) -> dict[str, Any]:
    gateway.stub.control.usage = usage
    answer = gateway.chat(model, text)
    assert answer.status_code == 200, answer.text
    receipt: dict[str, Any] = gateway.get("/v1/receipts/" + answer.headers["x-mintery-receipt"]).json()
    return receipt


def lines(receipt: dict[str, Any]) -> dict[str, int]:
    return {line["sku"].partition(":")[2]: line["quantity"] for line in receipt["usage"]}


@pytest.mark.parametrize(("prompt", "tier"), [(BOUNDARY - 1, ""), (BOUNDARY, ""), (BOUNDARY + 1, f".above_{BOUNDARY}")])
def test_all_is_charged_at_the_tier_that_the_reported_input_reached(gateway: Rig, prompt: int, tier: str):
    receipt = paid(gateway, LONG, (prompt, 7))

    assert lines(receipt) == {f"input_token{tier}": prompt, f"output_token{tier}": 7}
    usd = (prompt * INPUT_USD + 7 * OUTPUT_USD) * (3 if tier else 1)
    assert receipt["cost_usd_wad"] == str(usd)
    assert gateway.balance.captured == int(receipt["cost_nanocredits"])


def test_a_request_is_held_at_the_dearest_tier_that_it_can_reach(gateway: Rig):
    short = gateway.post("/v1/quote", json={"model": LONG, "messages": [{"role": "user", "content": "x"}]}).json()
    long = gateway.post(
        "/v1/quote", json={"model": LONG, "messages": [{"role": "user", "content": "x" * 2_000}]}
    ).json()

    assert all("above" not in line["sku"] for line in short["lines"])
    assert all("above" in line["sku"] for line in long["lines"] if line["max_quantity"])


def test_the_window_of_the_quote_is_charged(gateway: Rig):
    receipt = paid(gateway, HOURLY, (10, 10))

    assert lines(receipt) == {"input_token.cheap": 10, "output_token.cheap": 10}
    assert receipt["cost_usd_wad"] == str(10 * (INPUT_USD // 10 + OUTPUT_USD // 10))


def test_what_the_provider_does_not_report_is_estimated_within_its_tier(gateway: Rig):
    models = {**gateway.parts.models}
    models[LONG] = replace(models[LONG], upstream=Behaviour.NO_USAGE)
    gateway.parts.channels.models = models

    tiers = set()
    for text in ("x" * 3_000, "x" * 6_000):
        answer = gateway.chat(LONG, text)
        receipt = gateway.get("/v1/receipts/" + answer.headers["x-mintery-receipt"]).json()
        assert receipt["usage_source"] == "estimated"
        [tier] = {line["sku"].partition(".above_")[2] for line in receipt["usage"]}
        tiers.add(tier)

    assert tiers == {"", str(BOUNDARY)}


def test_every_tier_is_listed_with_its_price_and_state(gateway: Rig):
    model = gateway.get(f"/v1/models/{LONG}").json()["mintery"]
    health = gateway.http.get(gateway.base_url + "/healthz").json()["skus"]

    assert {price["sku"].partition(":")[2] for price in model["prices"]} == {
        f"{unit}{tier}"
        for unit in ("input_token", "cached_input_token", "output_token")
        for tier in ("", f".above_{BOUNDARY}")
    }
    assert health[f"{LONG}:output_token.above_{BOUNDARY}"] == "normal"
