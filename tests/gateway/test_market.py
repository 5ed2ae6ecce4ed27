"""What the chain's state allows: each row of the price table, the vault's state, the payout window."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.gateway.rig import PROVIDER_ID, TOKEN, Rig

from mintery.domain.market import Market, PayoutWindow
from mintery.domain.price import Sku
from mintery.errors import RpcUnavailable
from mintery.units import AssetUnits, UnixSeconds

SKU = Sku("test/echo", "output_token")


def priced(market: Market, **fields: object) -> Market:
    price = replace(market.prices[SKU], **fields)  # type: ignore[arg-type]  # the price's own fields
    return replace(market, prices={**market.prices, SKU: price})


def aged(market: Market, seconds: int, **fields: object) -> Market:
    return priced(market, refreshed_at=UnixSeconds(market.block_time - seconds), **fields)


def retired(market: Market) -> Market:
    project = replace(market.projects[TOKEN], retired_at=UnixSeconds(1))
    return replace(market, projects={**market.projects, TOKEN: project})


CLOSED = {
    "queued": (lambda market: priced(market, queued=True), "price_queued", "60"),
    "hard stale": (lambda market: aged(market, 21_700), "price_stale", "60"),
    "soft stale and queued": (lambda market: aged(market, 7_300, queued=True), "price_queued", "60"),
    "depegged": (lambda market: replace(market, depegged=True), "asset_depegged", None),
    "short": (lambda market: replace(market, claims=AssetUnits(market.assets + 1)), "reserve_short", None),
    "paused": (lambda market: replace(market, paused_until=UnixSeconds(market.block_time + 99)), "draining", "30"),
    "retired": (retired, "draining", "30"),
    "inactive": (lambda market: replace(market, inactive_providers=frozenset({PROVIDER_ID})), "draining", "30"),
}


@pytest.mark.parametrize("state", CLOSED)
def test_states_that_take_no_new_holds(gateway: Rig, state: str):
    turn, code, retry_after = CLOSED[state]
    gateway.market = turn(gateway.market)

    response = gateway.chat()

    assert (response.status_code, response.json()["error"]["code"]) == (503, code)
    assert response.headers.get("retry-after") == retry_after
    assert response.headers.get("x-should-retry") == (None if retry_after else "false")
    assert gateway.stub.control.requests == 0
    assert gateway.untouched()


def test_a_soft_stale_price_sells_up_to_a_dollar(gateway: Rig):
    gateway.market = aged(gateway.market, 7_300)
    assert gateway.chat().status_code == 200

    dear = priced(gateway.market, usd=10**17)
    gateway.market = dear
    response = gateway.chat()

    assert (response.status_code, response.json()["error"]["code"]) == (503, "hold_above_stale_limit")
    assert gateway.stub.control.requests == 1


def test_a_chain_that_stands_still_does_not_keep_prices_fresh(gateway: Rig):
    old = aged(gateway.market, 30_000)
    gateway.market = replace(old, block_time=UnixSeconds(old.block_time - 30_000))

    assert gateway.chat().json()["error"]["code"] == "price_stale"


def test_the_price_in_force_is_pinned_for_the_request(gateway: Rig):
    gateway.chat()
    before = gateway.balance.captured
    gateway.market = priced(gateway.market, usd=2 * gateway.market.prices[SKU].usd, version=2)
    receipt = gateway.chat().headers["x-mintery-receipt"]

    lines = gateway.get("/v1/receipts/" + receipt).json()["usage"]
    assert {line["sku"]: line["price_version"] for line in lines}[str(SKU)] == 2
    assert gateway.balance.captured - before > before


def test_a_full_payout_window_is_not_the_holders_fault(gateway: Rig):
    window = PayoutWindow(AssetUnits(1), UnixSeconds(gateway.market.block_time + 900))
    gateway.market = replace(gateway.market, payouts={**gateway.market.payouts, TOKEN: window})

    response = gateway.chat()

    assert (response.status_code, response.json()["error"]["code"]) == (503, "payout_cap_reached")
    assert 800 < int(response.headers["retry-after"]) <= 900
    assert gateway.untouched()


def test_a_chain_that_does_not_answer_is_told_without_its_address(gateway: Rig):
    def broken() -> Market:
        raise RpcUnavailable("http://user:password@rpc.internal", "refused")

    object.__setattr__(gateway.parts, "market", broken)

    response = gateway.chat()
    health = gateway.http.get(gateway.base_url + "/healthz")

    assert (response.status_code, response.json()["error"]["code"]) == (503, "chain_unavailable")
    assert health.status_code == 503
    assert "password" not in response.text + health.text
    assert response.headers["retry-after"] == "5"


def test_a_chain_that_cannot_be_read_stops_selling_and_not_reading(gateway: Rig):
    paid = gateway.chat()
    gateway.age = timedelta(minutes=5)

    refused = gateway.chat()
    credits_ = gateway.get("/v1/credits")
    receipts = gateway.get("/v1/receipts")
    receipt = gateway.get(f"/v1/receipts/{paid.headers['x-mintery-receipt']}")

    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "market_unread")
    assert refused.headers["retry-after"] == "5"
    assert [answer.status_code for answer in (credits_, receipts, receipt)] == [200, 200, 200]
    assert credits_.json()["captured_nanocredits"] == paid.headers["x-mintery-cost-nanocredits"]
    assert credits_.json()["as_of"] == {"block": gateway.market.block_number, "age_seconds": 300}
    assert len(receipts.json()["data"]) == 1
