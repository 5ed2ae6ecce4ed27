"""A caller's own provider key: it goes to that provider with that request and nowhere else, and the gateway's fee is all that
is charged.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.databases import new_ledger, sqlite_database
from tests.gateway.rig import CREDIT, IDENTITY, OTHER_TOKEN, PROVIDER_ID, TOKEN, Rig, key_text, market, model, rig
from tests.gateway.studio import film

from mintery.client import read_receipt
from mintery.domain.market import Market
from mintery.domain.membership import Offers, Seller
from mintery.domain.price import PriceInForce, Sku
from mintery.domain.quote import UsageSource
from mintery.domain.receipt import parse_receipt, receipt_json
from mintery.domain.route_health import BreakerState
from mintery.domain.voucher import Kind
from mintery.ledger.store import open_ledger
from mintery.providers.stub_answers import Behaviour
from mintery.units import BasisPoints, UnixSeconds, parse_usd
from mintery.usecases.change_channel import Said, allow_own_key, allow_resale

SELLER_ID = 9
FEE = Sku("mintery/own-key", "request")
OURS, THEIRS = "Bearer sk-upstream-1234", "sk-of-the-caller-7e1f"
HEADERS = {"Mintery-Provider-Key": THEIRS}
OWN = (
    replace(model("echo"), id="test/own", own_key=True),
    replace(model("busy"), id="test/own-busy", own_key=True),
    replace(film("film"), own_key=True),
)
FILM = {"model": "test/film", "prompt": "a cat", "seconds": "8", "size": "1280x720"}
OFFERS = Offers(sellers=(Seller("mintery", SELLER_ID, Kind.ROUTED),))


def own_market(markup: int = 0) -> Market:
    """The routed project's terms name the gateway; neither model of its own has a price."""
    now = UnixSeconds(int(time.time()))
    read = market(now)
    project = replace(read.projects[TOKEN], providers=frozenset({PROVIDER_ID, SELLER_ID}), markup=BasisPoints(markup))
    fee = PriceInForce(FEE, 900, 1, parse_usd("0.002"), now, queued=False)
    return replace(read, projects={**read.projects, TOKEN: project}, prices={**read.prices, FEE: fee})


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Rig]:
    with open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger:
        with rig(ledger, extra=OWN, offers=OFFERS) as running:
            running.market = own_market()
            running.fund(100)
            yield running
        ledger.check()


def receipt_of(gateway: Rig, answer: httpx2.Response) -> dict[str, Any]:
    return dict(gateway.get(f"/v1/receipts/{answer.headers['x-request-id']}").json())


def test_the_fee_is_all_that_is_charged_and_the_receipt_says_whose_key_it_was(gateway: Rig):
    answer = gateway.chat("test/own", headers=HEADERS)
    usual = gateway.chat("test/echo")

    assert (answer.status_code, usual.status_code) == (200, 200)
    assert gateway.stub.control.keys == [f"Bearer {THEIRS}", OURS]
    told = receipt_of(gateway, answer)
    assert told["route"] | {"own_key": True} == told["route"]
    assert [(line["sku"], line["quantity"], line["provider_id"]) for line in told["usage"]] == [
        (str(FEE), 1, SELLER_ID)
    ]
    assert (told["cost_nanocredits"], told["held_nanocredits"]) == (str(2 * CREDIT // 1000), str(2 * CREDIT // 1000))
    assert told["usage_source"] == UsageSource.COUNTED.value
    assert "own_key" not in receipt_of(gateway, usual)["route"]
    forms = [gateway.get("/v1/generation", params={"id": each.headers["x-request-id"]}) for each in (answer, usual)]
    assert [form.json()["data"]["is_byok"] for form in forms] == [True, False]
    checked = read_receipt(f"{gateway.base_url}/v1", key_text(), told["id"])
    assert checked.own_key
    assert parse_receipt(receipt_json(checked)) == checked
    record = gateway.ledger.request(checked.id)
    assert record is not None
    assert record.quoted.own_key, "a receipt that is written when its process is gone says so too"


def test_streams_and_a_projects_markup(gateway: Rig):
    """The fee is marked up as all that the gateway sells of itself."""
    gateway.market = own_market(markup=1_000)

    with (
        gateway.client()
        .with_options(default_headers=HEADERS)
        .chat.completions.create(
            model="test/own", messages=[{"role": "user", "content": "hello"}], stream=True
        ) as stream
    ):
        assert list(stream)

    assert gateway.settled(lambda: gateway.balance.captured == 22 * CREDIT // 10_000)
    assert gateway.stub.control.keys == [f"Bearer {THEIRS}"]


def test_a_quote_says_so_beforehand(gateway: Rig):
    body = {"model": "test/own", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50}

    own = gateway.post("/v1/quote", json=body, headers=HEADERS).json()
    models = {each["id"]: each["mintery"] for each in gateway.get("/v1/models").json()["data"]}

    assert (own["own_key"], own["max_cost_nanocredits"]) == (True, str(2 * CREDIT // 1000))
    assert gateway.stub.control.requests == 0
    assert (models["test/own"]["own_key"], models["test/echo"]["own_key"]) == (True, False)


def test_what_takes_no_key_says_so_and_the_key_stays_here(gateway: Rig):
    """Least of all does it go to another provider, as a stand-in would be."""
    refused = [
        gateway.chat("test/echo", headers=HEADERS),
        gateway.chat("auto", headers=HEADERS),
        gateway.chat("test/own", headers=HEADERS, models=["test/echo"]),
        gateway.chat("test/own", headers={"Mintery-Provider-Key": "two words"}),
        gateway.chat("test/own", headers={"Mintery-Provider-Key": "x" * 2_000}),
        gateway.chat("test/official", headers=HEADERS),
        gateway.post("/v1/videos", json=FILM, headers=HEADERS),
    ]

    assert [each.status_code for each in refused] == [422, 422, 422, 400, 400, 422, 422]
    assert {each.json()["error"]["param"] for each in refused} == {"Mintery-Provider-Key"}
    assert gateway.stub.control.requests == 0
    assert gateway.untouched()


def test_the_operator_allows_it_while_the_gateway_runs_and_it_survives_a_ban_on_resale(gateway: Rig):
    said = Said("ann", "as agreed", gateway.parts.clock())
    allow_own_key(gateway.parts, "test/echo", said, allowed=True)
    allow_resale(gateway.parts, "test", said, allowed=False)

    own, sold = gateway.chat("test/echo", headers=HEADERS), gateway.chat("test/echo")

    assert (own.status_code, sold.status_code) == (200, 503)
    allow_own_key(gateway.parts, "test/own", said, allowed=False)
    assert gateway.chat("test/own", headers=HEADERS).status_code == 422


def test_without_a_fee_in_force_or_terms_that_name_the_gateway_nothing_is_sold(gateway: Rig):
    """Each wallet pays its own: credits that the gateway is no provider of do not pay its fee."""
    gateway.fund(10, token=OTHER_TOKEN)
    other = gateway.chat("test/own", headers=HEADERS, key=key_text(token=OTHER_TOKEN))
    gateway.market = replace(gateway.market, prices={})
    unpriced = gateway.chat("test/own", headers=HEADERS)

    assert (other.status_code, other.json()["error"]["code"]) == (404, "model_not_covered")
    assert (unpriced.status_code, unpriced.json()["error"]["code"]) == (503, "model_unpriced")
    assert gateway.untouched()


def test_a_key_that_the_provider_refuses_costs_nothing_and_closes_the_route_to_nobody(gateway: Rig):
    for _ in range(8):
        refused = gateway.chat("test/own-busy", headers=HEADERS)
        assert refused.status_code == 429

    assert gateway.parts.routes.health.of("test/own-busy").breaker.state_at(time.time()) is BreakerState.CLOSED
    assert gateway.untouched()
    assert gateway.ledger.open_holds() == []


def test_the_key_is_in_no_row_no_log_and_no_answer(gateway: Rig, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    answers = [
        gateway.chat("test/own", headers=HEADERS | {"Idempotency-Key": "one"}),
        gateway.chat("test/own", headers=HEADERS | {"Idempotency-Key": "one"}),
        gateway.chat("test/own-busy", headers=HEADERS),
        gateway.chat("test/echo", headers=HEADERS),
        gateway.chat("test/own", headers={"Mintery-Provider-Key": f"{THEIRS} {THEIRS}"}),
    ]
    gateway.stub.control.behaviour = Behaviour.REFUSES
    answers.append(gateway.chat("test/own", headers=HEADERS))
    assert gateway.settled(lambda: len(sqlite_database(tmp_path / "ledger.sqlite").run("SELECT 1 FROM refusals")) == 2)

    rows = repr(sqlite_database(tmp_path / "ledger.sqlite").contents())
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert "test/own" in rows
    assert THEIRS not in rows
    assert THEIRS.encode() not in kept
    assert THEIRS not in caplog.text
    assert all(THEIRS not in each.text for each in answers)
    assert answers[0].json() == answers[1].json()
