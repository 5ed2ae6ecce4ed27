"""One list of everything that may act for a holder, and an end for each."""

import pytest
from tests.databases import Database
from tests.gateway.rig import IDENTITY, OTHER_TOKEN, Rig, key_text, private_key, rig
from tests.wallet.browser import Browser, signed_in
from tests.wallet.keys import made_key

from mintery.ledger.store import open_ledger


@pytest.fixture
def gateway(newcomer: Rig) -> Rig:
    return newcomer


def listed(holder: Browser) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for each in holder.call("GET", "/v1/wallet/authorities").json()["data"]:
        found.setdefault(each["kind"], []).append(each)
    return found


def revoke(holder: Browser, authority: dict) -> int:
    return holder.call("DELETE", f"/v1/wallet/authorities/{authority['id']}").status_code


def test_everything_that_stands_is_listed_once(gateway: Rig, holder: Browser):
    made_key(holder, label="notes", models=["test/echo"])
    made_key(holder, label="paint", limits=[{"period": "month", "usd": "20"}])
    gateway.chat(key=key_text(signer=gateway.newcomer))
    gateway.chat(text="again", key=key_text(signer=gateway.newcomer, max_spend=101 * 10**9))

    found = listed(holder)

    assert [(each["label"], each["terms"]) for each in found["key"]] == [("notes", ["test/echo"])]
    assert [(each["label"], each["most_usd"], each["terms"]) for each in found["budget"]] == [
        ("paint", "20", ["a month"])
    ]
    assert sorted((each["label"], each["most_credits"]) for each in found["voucher"]) == [
        ("an app's key (mv1)", "101"),
        ("for your keys here", "90"),
        ("for your keys here", "90"),
    ]
    assert len(found["sign_in"]) == 1


def test_a_revoked_voucher_opens_nothing_from_the_next_request_on(gateway: Rig, holder: Browser):
    made = made_key(holder)
    assert (
        gateway.chat(key=key_text(signer=gateway.newcomer)).status_code
        == gateway.chat(text="2", key=made["api_key"]).status_code
        == 200
    )
    app = next(each for each in listed(holder)["voucher"] if "mv1" in each["label"])
    standing = next(each for each in listed(holder)["voucher"] if "mv1" not in each["label"])

    assert revoke(holder, app) == 200
    refused = gateway.chat(text="3", key=key_text(signer=gateway.newcomer))
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "voucher_revoked")
    assert gateway.chat(text="3", key=key_text(signer=gateway.newcomer, max_spend=50 * 10**9)).status_code == 401
    assert gateway.get("/v1/credits", key=key_text(signer=gateway.newcomer)).status_code == 401
    assert gateway.chat(text="4", key=made["api_key"]).status_code == 200
    assert revoke(holder, standing) == 200
    assert gateway.chat(text="5", key=made["api_key"]).json()["error"]["code"] == "voucher_revoked"
    assert "voucher" not in listed(holder)
    assert gateway.balance.held == 0


def test_a_revoked_sign_in_ends_for_whoever_has_it(gateway: Rig, holder: Browser):
    elsewhere = signed_in(gateway, gateway.newcomer)
    [older] = [each for each in listed(holder)["sign_in"] if each["since"] == listed(holder)["sign_in"][-1]["since"]]

    assert revoke(elsewhere, older) == 200
    assert holder.call("GET", "/v1/wallet/authorities").status_code == 401
    assert len(listed(elsewhere)["sign_in"]) == 1


def test_a_key_is_revoked_in_the_list_too(gateway: Rig, holder: Browser):
    made = made_key(holder)
    [key] = listed(holder)["key"]

    assert revoke(holder, key) == 200
    assert gateway.chat(key=made["api_key"]).status_code == 401
    assert revoke(holder, key) == 404


def test_nobody_revokes_what_is_anothers(gateway: Rig, holder: Browser):
    made_key(holder)
    gateway.chat(key=key_text(signer=gateway.newcomer))
    stranger = signed_in(gateway, private_key(900))

    for authorities in listed(holder).values():
        for each in authorities:
            assert revoke(stranger, each) == 404
    for nonsense in ("key:key_0", "voucher:0x:zz", "house:1", "key", ":"):
        assert revoke(holder, {"id": nonsense}) == 404
    assert [len(each) for each in listed(holder).values()] == [1, 2, 1]


def test_a_voucher_of_another_project_stands_apart(gateway: Rig, holder: Browser):
    gateway.fund(10, token=OTHER_TOKEN, signer=gateway.newcomer)
    assert gateway.chat(key=key_text(signer=gateway.newcomer, token=OTHER_TOKEN)).status_code == 200
    gateway.chat(key=key_text(signer=gateway.newcomer))

    assert {each["symbol"] for each in listed(holder)["voucher"]} == {"PROJECTX_AI_CREDITS", "OTHER"}


def test_a_revoked_key_is_refused_from_the_next_request_on_in_every_process(
    gateway: Rig, holder: Browser, shared_database: Database
):
    made = made_key(holder)
    with open_ledger(shared_database.url, IDENTITY) as ledger, rig(ledger) as other:
        before = [each.chat(key=made["api_key"]).status_code for each in (gateway, other)]
        assert holder.call("DELETE", f"/v1/wallet/keys/{made['id']}").json()["status"] == "revoked"
        after = [each.chat(key=made["api_key"]) for each in (gateway, other, gateway)]
        reads = [each.get("/v1/credits", key=made["api_key"]).status_code for each in (gateway, other)]

    assert before == [200, 200]
    assert [each.status_code for each in after] == [401] * 3
    assert {each.json()["error"]["code"] for each in after} == {"key_revoked"}
    assert reads == [401, 401]
    assert gateway.balance.held == 0
