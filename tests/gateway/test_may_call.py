"""What a key can call is told before anything is sent, and a request finds it so."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.gateway.members import members_rig
from tests.gateway.rig import OTHER_TOKEN, PROVIDER_ID, Rig, key_text, private_key

from mintery.domain.price import Sku


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with members_rig(tmp_path_factory.mktemp("members")) as started:
        yield started


@pytest.fixture
def members(running: Rig) -> Iterator[Rig]:
    """One gateway for all, whose market is put back."""
    before = running.market
    yield running
    running.market = before


def told(gateway: Rig, model: str, key: str | None = None) -> dict:
    return gateway.get(f"/v1/models/{model}", key=key).json()["mintery"]["key"]


def test_every_model_is_listed_with_whether_the_key_can_call_it(members: Rig):
    listed = {each["id"]: each["mintery"] for each in members.get("/v1/models").json()["data"]}
    for_all = {each["id"]: each["mintery"] for each in members.http.get(members.base_url + "/v1/models").json()["data"]}

    found = {name: each["key"].get("code") for name, each in listed.items() if not each["key"]["callable"]}
    assert found == {
        "test/official": "model_not_covered",
        "test/elsewhere": "model_not_covered",
        "test/unpriced": "model_unpriced",
        "test/premium": "membership_needed",
    }
    assert listed["good"]["key"] == listed["auto"]["key"] == {"callable": True}
    assert (listed["test/premium"]["needs"], listed["test/echo"]["needs"]) == ("pro", None)
    assert not any("key" in each for each in for_all.values())


@pytest.mark.parametrize(
    "model", ["test/echo", "test/premium", "test/official", "test/elsewhere", "good", "test/embed"]
)
@pytest.mark.parametrize(
    "key",
    [
        key_text(),
        key_text(token=OTHER_TOKEN),
        key_text(signer=private_key(4711)),
        key_text(max_spend=0),
        key_text(deadline=1_700_000_000),
        key_text(gateway=OTHER_TOKEN),
        "mv1.nonsense",
    ],
    ids=["good", "official", "no deposit", "no room", "expired", "another gateway", "no key"],
)
def test_a_request_is_told_the_same(members: Rig, model: str, key: str):
    said = told(members, model, key)

    body = {"model": model, "input": "hi"} if model == "test/embed" else None
    answer = members.post("/v1/embeddings", key=key, json=body) if body else members.chat(model, key=key)

    assert said["callable"] == (answer.status_code == 200), answer.json()
    if not said["callable"]:
        code = answer.json()["error"]["code"]
        assert said["code"] == {"invalid_api_key": "malformed_voucher"}.get(code, code)


def test_prices_providers_and_health_count(members: Rig):
    sku = Sku("test/echo", "output_token")
    old = replace(members.market.prices[sku], refreshed_at=members.market.prices[sku].refreshed_at - 100_000)
    before = members.market
    members.market = replace(before, prices={**before.prices, sku: old})
    stale = told(members, "test/echo")
    members.market = replace(before, inactive_providers=frozenset({PROVIDER_ID}))
    closed = told(members, "test/echo")
    members.market = before
    for _ in range(8):
        members.chat("test/fails")
    broken = members.get("/v1/models/test/fails").json()["mintery"]

    assert (stale["code"], closed["code"]) == ("price_stale", "draining")
    assert broken["health"]["breaker"] == "open"
    assert broken["health"]["failures"] == broken["health"]["calls"] > 0
    assert broken["key"] == told(members, "test/echo") == {"callable": True}


def test_who_has_bought_it_can_call_it(members: Rig):
    members.post("/v1/memberships", json={"membership": "pro"})

    assert told(members, "test/premium") == {"callable": True}
