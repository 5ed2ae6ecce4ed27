"""Gateway keys: one signature, a key that an app presents as any other, and an end from the next request on."""

from datetime import timedelta

import pytest
from tests.databases import Database
from tests.gateway.rig import CREDIT, OTHER_TOKEN, TOKEN, Rig, key_text, private_key, raised_text
from tests.wallet.browser import Browser, signed_in
from tests.wallet.keys import LOW_PICTURE, made_key, pictures, set_clock, signed_offer

DATABASES = ("sqlite",)
STRANGER = private_key(900)


@pytest.fixture
def gateway(newcomer: Rig) -> Rig:
    return newcomer


def test_a_key_pays_like_a_voucher_and_its_receipt_names_it(gateway: Rig, holder: Browser):
    made = made_key(holder)

    answer = gateway.client(made["api_key"]).chat.completions.with_raw_response.create(
        model="test/echo", messages=[{"role": "user", "content": "hello there"}], max_tokens=50
    )

    receipt = gateway.get(f"/v1/receipts/{answer.headers['x-request-id']}", key=made["api_key"]).json()
    assert receipt["key"] == made["id"]
    assert int(receipt["cost_nanocredits"]) > 0
    assert gateway.get("/v1/credits", key=made["api_key"]).json()["wallet"]["holder"] == gateway.newcomer.address
    assert (
        "key"
        not in gateway.get(
            f"/v1/receipts/{gateway.chat(key=key_text(signer=gateway.newcomer)).headers['x-request-id']}"
        ).json()
    )


def test_a_keys_text_is_shown_once_and_kept_nowhere(gateway: Rig, holder: Browser, shared_database: Database):
    made = made_key(holder)
    gateway.chat(key=made["api_key"])

    listed = holder.call("GET", "/v1/wallet/keys")

    assert listed.json()["data"][0] == {name: made[name] for name in made if name != "api_key"}
    assert made["hint"] == made["api_key"][-4:]
    assert made["api_key"] not in listed.text
    assert made["api_key"] not in str(shared_database.contents())


def test_a_revoked_key_reads_no_earlier_answer(gateway: Rig, holder: Browser):
    made = made_key(holder)
    again = {"Idempotency-Key": "once"}
    assert gateway.chat(key=made["api_key"], headers=again).status_code == 200
    holder.call("DELETE", f"/v1/wallet/keys/{made['id']}")

    assert gateway.chat(key=made["api_key"], headers=again).status_code == 401


def test_both_texts_open_a_rotated_key_until_the_overlap_ends(gateway: Rig, holder: Browser):
    made = made_key(holder)
    new = holder.call("POST", f"/v1/wallet/keys/{made['id']}/rotate", json={"overlap_seconds": 60}).json()["api_key"]

    assert gateway.chat(key=made["api_key"]).status_code == gateway.chat(key=new).status_code == 200
    set_clock(gateway, gateway.parts.clock() + timedelta(seconds=61))
    assert gateway.chat(key=made["api_key"]).status_code == 401
    assert gateway.chat(key=new).status_code == 200


def test_a_rotation_without_overlap_ends_the_old_text_at_once(gateway: Rig, holder: Browser):
    made = made_key(holder)
    assert gateway.chat(key=made["api_key"]).status_code == 200

    holder.call("POST", f"/v1/wallet/keys/{made['id']}/rotate", json={"overlap_seconds": 0})

    assert gateway.chat(key=made["api_key"]).json()["error"]["code"] == "key_revoked"


def test_an_expired_key_opens_nothing(gateway: Rig, holder: Browser):
    made = made_key(holder, expires_at=(gateway.parts.clock() + timedelta(hours=1)).isoformat())
    assert gateway.chat(key=made["api_key"]).status_code == 200

    set_clock(gateway, gateway.parts.clock() + timedelta(hours=1))

    assert gateway.chat(key=made["api_key"]).json()["error"]["code"] == "key_expired"


def test_a_key_is_for_its_models_alone(gateway: Rig, holder: Browser):
    made = made_key(holder, models=["test/echo"])

    assert gateway.chat(key=made["api_key"]).status_code == 200
    refused = gateway.post("/v1/images/generations", key=made["api_key"], json={**LOW_PICTURE, "prompt": "x"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "model_not_allowed")
    routed = gateway.chat("cheapest", key=made["api_key"])
    assert routed.headers["x-mintery-route"] == "test/echo"
    holder.call("PATCH", f"/v1/wallet/keys/{made['id']}", json={"models": ["test/see"]})
    assert gateway.chat(key=made["api_key"]).status_code == 403
    holder.call("PATCH", f"/v1/wallet/keys/{made['id']}", json={"models": None})
    assert gateway.chat(key=made["api_key"]).status_code == 200


def test_a_key_asks_in_its_ways_alone(gateway: Rig, holder: Browser):
    made = made_key(holder, intents=["cheapest"])

    assert gateway.chat("cheapest", key=made["api_key"]).status_code == 200
    assert gateway.chat("fastest", key=made["api_key"]).json()["error"]["code"] == "way_not_allowed"
    assert gateway.chat("test/echo", key=made["api_key"]).status_code == 403


def test_a_key_spends_no_more_than_its_voucher(gateway: Rig, holder: Browser):
    made = made_key(holder, voucher=signed_offer(holder, credits_="0.02"))
    picture = {**LOW_PICTURE, "prompt": "x"}

    first = gateway.post("/v1/images/generations", key=made["api_key"], json=picture)
    second = gateway.post("/v1/images/generations", key=made["api_key"], json={**picture, "prompt": "y"})
    assert (first.status_code, second.status_code) == (200, 402)
    renewed = holder.call("PATCH", f"/v1/wallet/keys/{made['id']}", json={"voucher": signed_offer(holder)})

    assert renewed.status_code == 200
    third = gateway.post("/v1/images/generations", key=made["api_key"], json={**picture, "prompt": "z"})
    assert third.status_code == 200


def test_two_keys_may_share_a_voucher(gateway: Rig, holder: Browser):
    first = made_key(holder)
    body = {"label": "another app", "beside": first["id"]}
    second = holder.call("POST", "/v1/wallet/keys", json=body).json()

    assert second["voucher"] == first["voucher"]
    assert gateway.chat(key=second["api_key"]).status_code == 200
    holder.call("DELETE", f"/v1/wallet/keys/{first['id']}")
    assert gateway.chat(key=second["api_key"], text="again").status_code == 200


def test_nobody_makes_a_key_under_anothers_voucher(gateway: Rig, holder: Browser):
    stolen = signed_offer(holder)
    stranger = signed_in(gateway, STRANGER)

    refused = stranger.call("POST", "/v1/wallet/keys", json={"label": "mine", "voucher": stolen})
    beside = stranger.call("POST", "/v1/wallet/keys", json={"label": "mine", "beside": made_key(holder)["id"]})

    assert refused.status_code == 401
    assert beside.status_code == 404


def test_a_voucher_that_was_changed_after_signing_stands_for_nothing(gateway: Rig, holder: Browser):
    offer = signed_offer(holder)
    for change in ({"max_spend": offer["max_spend"] + "0"}, {"token": OTHER_TOKEN}, {"epoch": 1}, {"deadline": 2**39}):
        refused = holder.call("POST", "/v1/wallet/keys", json={"label": "x", "voucher": {**offer, **change}})
        assert refused.status_code == 401, change


def test_a_standing_voucher_opens_nothing_by_itself(gateway: Rig, holder: Browser):
    made = made_key(holder)

    assert gateway.chat(key=made["api_key"], headers={"Mintery-Voucher": raised_text()}).status_code == 401
    assert gateway.chat(key="mk_" + "a" * 43).json()["error"]["code"] == "unknown_key"


@pytest.mark.parametrize(
    "fields",
    [
        {"models": ["nobody/sells-this"]},
        {"intents": ["dearest"]},
        {"label": "\x07"},
        {"label": ""},
        {"expires_at": "2001-01-01T00:00:00Z"},
        {"expires_at": "9999-12-31T23:59:59-12:00"},
        {"limits": [{"period": "week"}]},
        {"limits": [{"period": "year", "usd": "1"}]},
        {"limits": [{"period": "week", "usd": "1", "credits": "1"}]},
    ],
)
def test_a_key_that_could_not_work_is_not_made(holder: Browser, fields: dict):
    body = {"label": "my app", "voucher": signed_offer(holder), **fields}

    assert holder.call("POST", "/v1/wallet/keys", json=body).status_code in {400, 401, 422}
    assert holder.call("GET", "/v1/wallet/keys").json()["data"] == []


def test_a_key_manages_nothing(gateway: Rig, holder: Browser):
    made = made_key(holder)

    for key in (made["api_key"], key_text(signer=gateway.newcomer)):
        for method, path in (("GET", "/v1/wallet/keys"), ("GET", "/v1/wallet/limits"), ("POST", "/v1/wallet/keys")):
            headers = {"Authorization": f"Bearer {key}"}
            answer = gateway.http.request(method, gateway.base_url + path, headers=headers, json={"label": "x"})
            assert answer.status_code == 401


def test_an_offer_counts_from_what_was_spent(gateway: Rig, holder: Browser):
    gateway.chat(key=key_text(signer=gateway.newcomer))

    offer = holder.call("POST", "/v1/wallet/vouchers/offer", json={"token": TOKEN, "usd": "20", "days": 30}).json()

    assert int(offer["voucher"]["max_spend"]) == (gateway.balance.spent + 20 * CREDIT) * 10**9
    assert (offer["more_credits"], offer["more_usd"]) == ("20", "20")


def test_a_key_ends_with_the_account_that_its_holder_closes(gateway: Rig, holder: Browser):
    made = made_key(holder)
    assert holder.call("GET", f"/v1/wallet/keys/{made['id']}").json()["status"] == "open"

    gateway.close_account()

    assert holder.call("GET", f"/v1/wallet/keys/{made['id']}").json()["status"] == "closed"
    assert gateway.chat(key=made["api_key"]).status_code == 401
    stands = holder.call("GET", "/v1/wallet/authorities").json()["data"]
    assert [each["kind"] for each in stands] == ["sign_in"]


def test_two_budgets_beside_each_other_are_each_spent_whole(gateway: Rig, holder: Browser):
    """Each of 0.05 USD: a picture costs 0.044, and all vouchers of an account count together."""
    first = made_key(holder, label="first", voucher=signed_offer(holder, credits_="0.05"))
    voucher = signed_offer(holder, credits_="0.05", on_top=True)
    second = made_key(holder, label="second", voucher=voucher)
    assert (first["voucher"]["max_credits"], second["voucher"]["max_credits"]) == ("0.05", "0.1")

    assert pictures(gateway, second["api_key"], 1)[0].status_code == 200
    assert pictures(gateway, first["api_key"], 1)[0].status_code == 402
    widened = holder.call("PATCH", f"/v1/wallet/keys/{first['id']}", json={"voucher": voucher})

    assert widened.json()["voucher"]["max_credits"] == "0.1"
    assert pictures(gateway, first["api_key"], 1)[0].status_code == 200
    for key in (first, second):
        assert holder.call("DELETE", f"/v1/wallet/keys/{key['id']}").status_code == 200
    again = holder.call("POST", "/v1/wallet/vouchers/offer", json={"token": TOKEN, "credits": "0.05", "on_top": True})
    assert again.json()["more_credits"] == "0.05", "what is switched off is not signed for again"
