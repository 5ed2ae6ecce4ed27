"""Each state of the gateway: what it sells, what `/healthz`, the metrics and a receipt say of it, and that it passes."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.gateway.rig import TOKEN, Rig
from tests.gateway.test_market import SKU, aged, priced, retired

from mintery.domain.gateway_state import GatewayState
from mintery.domain.market import Market
from mintery.domain.observation import Flaw, Unroutable
from mintery.domain.price import PriceState
from mintery.units import AssetUnits, UnixSeconds, UsdWad

Turn = Callable[[Market], Market]


def all_retired(market: Market) -> Market:
    projects = {token: replace(project, retired_at=UnixSeconds(1)) for token, project in market.projects.items()}
    return replace(market, projects=projects)


REFUSED: dict[GatewayState, tuple[Turn, str]] = {
    GatewayState.QUEUED: (lambda market: priced(market, queued=True), "price_queued"),
    GatewayState.HARD_STALE: (lambda market: aged(market, 21_700), "price_stale"),
    GatewayState.DEPEG: (lambda market: replace(market, depegged=True), "asset_depegged"),
    GatewayState.UNDERCOLLATERAL: (
        lambda market: replace(market, claims=AssetUnits(market.assets + 1)),
        "reserve_short",
    ),
    GatewayState.PAUSED: (
        lambda market: replace(market, paused_until=UnixSeconds(market.block_time + 999)),
        "draining",
    ),
    GatewayState.RETIRED: (all_retired, "draining"),
}


def dearer(market: Market) -> Market:
    prices = {sku: replace(price, usd=UsdWad(2 * price.usd), version=2) for sku, price in market.prices.items()}
    return replace(market, prices=prices)


def state(gateway: Rig) -> str:
    return str(gateway.http.get(gateway.base_url + "/healthz").json()["state"])


def metric(gateway: Rig) -> set[str]:
    """The states that are 1."""
    text = gateway.operator("GET", "/metrics").text
    lines = [line for line in text.splitlines() if line.startswith("mintery_gateway_state{")]
    assert len(lines) == len(GatewayState)
    return {line.split('"')[1] for line in lines if line.endswith(" 1.0")}


@pytest.mark.parametrize("wanted", REFUSED)
def test_a_state_that_sells_nothing_is_shown_and_passes_without_a_restart(gateway: Rig, wanted: GatewayState):
    turn, code = REFUSED[wanted]
    before = gateway.market
    assert (state(gateway), metric(gateway)) == ("normal", {"normal"})

    gateway.market = turn(before)

    assert (state(gateway), metric(gateway)) == (wanted.value, {wanted.value})
    assert gateway.chat().json()["error"]["code"] == code
    assert gateway.untouched()
    gateway.market = before
    assert gateway.chat().status_code == 200
    assert (state(gateway), metric(gateway)) == ("normal", {"normal"})


@pytest.mark.parametrize("wanted", REFUSED)
def test_what_is_in_flight_when_a_state_comes_settles_at_its_pinned_price(gateway: Rig, wanted: GatewayState):
    turn, _ = REFUSED[wanted]
    answers = []
    asking = threading.Thread(target=lambda: answers.append(gateway.chat("test/slow")))
    asking.start()
    assert gateway.settled(lambda: gateway.balance.held > 0)
    pinned = {str(sku): str(price.usd) for sku, price in gateway.market.prices.items()}

    gateway.market = dearer(turn(gateway.market))
    gateway.stub.control.go_on.set()
    asking.join()

    receipt = gateway.get("/v1/receipts/" + answers[0].headers["x-mintery-receipt"]).json()
    assert (answers[0].status_code, receipt["price_state"]) == (200, "normal")
    assert {line["price_version"] for line in receipt["usage"]} == {1}
    assert all(line["unit_price_usd_wad"] == pinned[line["sku"]] for line in receipt["usage"])
    assert (gateway.balance.held, gateway.balance.captured) == (0, int(receipt["cost_nanocredits"]))


def test_soft_stale_sells_up_to_a_dollar_and_says_so_on_the_receipt(gateway: Rig):
    gateway.market = aged(gateway.market, 7_300)

    paid = gateway.chat()

    assert paid.status_code == 200
    assert (state(gateway), metric(gateway)) == ("soft_stale", {"soft_stale"})
    assert gateway.get("/v1/receipts/" + paid.headers["x-mintery-receipt"]).json()["price_state"] == "soft_stale"


def test_a_chain_that_was_not_read_for_long_is_a_state_of_its_own(gateway: Rig):
    gateway.age = timedelta(minutes=5)

    assert (state(gateway), metric(gateway)) == ("unread", {"unread"})


def test_the_worst_state_is_the_gateways(gateway: Rig):
    gateway.market = replace(aged(gateway.market, 21_700), depegged=True)
    assert state(gateway) == "depeg"


def test_one_retired_project_is_no_state_of_the_gateway(gateway: Rig):
    gateway.market = retired(gateway.market)

    health = gateway.http.get(gateway.base_url + "/healthz").json()
    assert health["state"] == "normal"
    assert {token: project["state"] for token, project in health["projects"].items()} == {
        token: "retired" if token == TOKEN else "normal" for token in gateway.market.projects
    }


def test_each_price_has_its_state_and_age_in_the_metrics(gateway: Rig):
    gateway.market = aged(gateway.market, 7_300)

    text = gateway.operator("GET", "/metrics").text

    assert f'mintery_price_state{{sku="{SKU}",state="soft_stale"}} 1.0' in text
    [age] = [line for line in text.splitlines() if line.startswith(f'mintery_price_age_seconds{{sku="{SKU}"}}')]
    assert 7_300 <= float(age.split()[-1]) < 7_400


def test_every_price_state_is_one_of_the_gateways():
    assert {state_.value for state_ in PriceState} <= {state_.value for state_ in GatewayState}


@pytest.mark.parametrize("flaw", [Flaw.NONSENSE, Flaw.DISAGREEMENT])
def test_a_price_that_the_sources_contradict_sells_nothing_and_says_why(gateway: Rig, flaw: Flaw):
    assert gateway.chat().status_code == 200
    gateway.parts.tariffs.note([Unroutable(str(SKU), "one says 1, two says 2", flaw)])

    refused = gateway.chat()
    health = gateway.http.get(gateway.base_url + "/healthz").json()
    model = gateway.get("/v1/models/test/echo").json()["mintery"]

    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "sku_unroutable")
    assert refused.headers["retry-after"] == "60"
    assert refused.json()["error"]["why"] == "one says 1, two says 2"
    assert (health["skus"][str(SKU)], health["why"][str(SKU)]) == ("unroutable", "one says 1, two says 2")
    [shown] = [price for price in model["prices"] if price["sku"] == str(SKU)]
    assert (shown["state"], shown["why"]) == ("unroutable", "one says 1, two says 2")

    gateway.parts.tariffs.note([])
    assert gateway.chat().status_code == 200


def test_a_price_that_the_sources_here_only_lack_is_the_oracles_to_say(gateway: Rig):
    gateway.parts.tariffs.note([Unroutable(str(SKU), "no source has a price", Flaw.ABSENT)])

    assert gateway.chat().status_code == 200
    health = gateway.http.get(gateway.base_url + "/healthz").json()
    assert (health["skus"][str(SKU)], health["why"][str(SKU)]) == ("normal", "no source has a price")


def test_a_choice_of_routes_forgets_what_the_sources_contradict(gateway: Rig):
    body = {"models": ["test/slow", "test/echo"], "provider": {"allow_fallbacks": False}}
    gateway.stub.control.go_on.set()
    first = gateway.chat("test/slow", **body)
    gateway.parts.tariffs.note([Unroutable("test/slow:output_token", "one says 1, two says 2", Flaw.DISAGREEMENT)])
    second = gateway.chat("test/slow", **body)

    chosen = [gateway.get("/v1/receipts/" + each.headers["x-mintery-receipt"]).json() for each in (first, second)]
    assert [receipt["model"] for receipt in chosen] == ["test/slow", "test/echo"]


@pytest.mark.parametrize(
    ("turn", "why"),
    [
        (lambda market: priced(market, queued=True), "another price waits for its confirmation"),
        (lambda market: aged(market, 7_300), "a quorum last saw it 73"),
        (lambda market: aged(market, 21_700), "a quorum last saw it 217"),
    ],
)
def test_every_state_but_the_normal_one_says_why(gateway: Rig, turn: Turn, why: str):
    def told() -> dict[str, str]:
        found: dict[str, str] = gateway.http.get(gateway.base_url + "/healthz").json()["why"]
        return found

    assert str(SKU) not in told()
    assert set(told().values()) == {"no quorum of reporters has put a price into force"}
    gateway.market = turn(gateway.market)
    assert told()[str(SKU)].startswith(why)
