"""What a limit counts, and when its day begins and ends."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.gateway.rig import CREDIT, TOKEN, Rig, key_text
from tests.wallet.browser import Browser, signed_in
from tests.wallet.keys import made_key, pictures, set_clock
from tests.wallet.limits import CALL, FIT, counted, limited, statuses

DATABASES = ("sqlite",)


@pytest.fixture
def gateway(newcomer: Rig) -> Rig:
    return newcomer


@pytest.mark.parametrize(
    ("zone", "change", "ends"),
    [
        ("Europe/Berlin", "2026-10-25T01:00", "2026-10-25T23:00"),
        ("Africa/Cairo", "2026-04-23T22:00", "2026-04-24T21:00"),
    ],
    ids=["an hour comes twice", "midnight is skipped"],
)
def test_the_day_on_which_clocks_change_is_one_day(gateway: Rig, zone: str, change: str, ends: str):
    moment = datetime.fromisoformat(change).replace(tzinfo=UTC)
    set_clock(gateway, moment + timedelta(seconds=1))
    holder = signed_in(gateway, gateway.newcomer)
    holder.call("PUT", "/v1/wallet/time-zone", json={"time_zone": zone})
    limit = limited(holder, period="day")
    key, day = key_text(signer=gateway.newcomer, deadline=1_900_000_000), ends[:10]

    first = statuses(pictures(gateway, key, 20))
    set_clock(gateway, datetime.fromisoformat(ends).replace(tzinfo=UTC) - timedelta(seconds=30))
    second = statuses(pictures(gateway, key, 20))
    set_clock(gateway, datetime.fromisoformat(ends).replace(tzinfo=UTC))
    third = statuses(pictures(gateway, key, 1))

    assert (first.count(200) + second.count(200), third) == (FIT, [200])
    assert counted(gateway, limit, day) == [FIT * CALL]
    assert gateway.balance.held == 0


def test_what_a_hold_did_not_cost_is_free_again(gateway: Rig, holder: Browser):
    limit = limited(holder, usd="0.01")
    day = holder.call("GET", "/v1/wallet/limits").json()["data"][0]["first_day"]

    answers = [
        gateway.chat(text=f"hello {number}", max_tokens=1_000, key=key_text(signer=gateway.newcomer)).status_code
        for number in range(8)
    ]

    assert set(answers) == {200}  # each holds a third of the limit
    assert counted(gateway, limit, day) == [gateway.balance.captured]
    assert gateway.balance.captured < CREDIT // 100


def test_a_limit_of_a_key_leaves_others_alone(gateway: Rig, holder: Browser):
    tight, free = made_key(holder), made_key(holder)
    limited(holder, usd="0.01", key=tight["id"])

    assert statuses(pictures(gateway, tight["api_key"], 2)) == [402, 402]
    assert statuses(pictures(gateway, free["api_key"], 2)) == [200, 200]


def test_limits_of_a_model_and_of_an_intent(gateway: Rig, holder: Browser):
    limited(holder, usd="0.01", model="test/paint")
    limited(holder, usd="0", intent="cheapest")

    assert statuses(pictures(gateway, key_text(signer=gateway.newcomer), 2)) == [402, 402]
    assert gateway.chat("cheapest", key=key_text(signer=gateway.newcomer)).status_code == 402
    assert gateway.chat(key=key_text(signer=gateway.newcomer)).status_code == 200


def test_what_limits_leave_is_told_before_it_is_asked_for(gateway: Rig, holder: Browser):
    key = made_key(holder, limits=[{"period": "month", "usd": "0.05"}])["api_key"]
    limited(holder, usd="0", model="test/see")
    pictures(gateway, key, 1)
    body = {"model": "test/echo", "messages": [{"role": "user", "content": "x"}]}

    told = gateway.get("/v1/credits", key=key).json()
    quote = gateway.post("/v1/quote", key=key, json={**body, "max_tokens": 1_000}).json()
    other = gateway.get("/v1/credits", key=key_text(signer=gateway.newcomer)).json()

    assert told["spendable_nanocredits"] == str(5 * CREDIT // 100 - CALL)
    assert quote["affordable"] is True
    assert other["spendable_nanocredits"] == str(100 * CREDIT - CALL)
    pictures(gateway, key, 1, each=1)
    assert gateway.get("/v1/credits", key=key).json()["spendable_nanocredits"] == str(6 * CREDIT // 1_000)


def test_a_ceiling_changes_for_the_next_request(gateway: Rig, holder: Browser):
    limit = limited(holder, usd="0.05")
    assert statuses(pictures(gateway, key_text(signer=gateway.newcomer), 2)) == [200, 402]

    assert holder.call("PATCH", f"/v1/wallet/limits/{limit}", json={"usd": "0.1"}).json()["ceiling_usd"] == "0.1"
    assert statuses(pictures(gateway, key_text(signer=gateway.newcomer), 2)) == [200, 402]
    assert holder.call("DELETE", f"/v1/wallet/limits/{limit}").status_code == 200
    assert statuses(pictures(gateway, key_text(signer=gateway.newcomer), 2)) == [200, 200]
    assert holder.call("DELETE", f"/v1/wallet/limits/{limit}").status_code == 404


def test_a_limit_needs_a_project_and_what_it_names(gateway: Rig, holder: Browser):
    for body in (
        {"token": "0x" + "11" * 20, "usd": "1", "period": "week"},
        {"token": TOKEN, "usd": "1", "period": "week", "key": "key_0000000000000000"},
        {"token": TOKEN, "usd": "1", "period": "week", "model": "nobody/sells-this"},
        {"token": TOKEN, "usd": "1", "period": "week", "intent": "dearest"},
        {"token": TOKEN, "usd": "-1", "period": "week"},
        {"token": TOKEN, "period": "week"},
    ):
        assert holder.call("POST", "/v1/wallet/limits", json=body).status_code in {400, 401, 404, 422}, body
    for zone in ("Mars/Olympus", "../etc/passwd", "Europe", "a\0b"):
        assert holder.call("PUT", "/v1/wallet/time-zone", json={"time_zone": zone}).status_code == 422, zone
