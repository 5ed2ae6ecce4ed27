"""Who may ask for what of exits; what comes of it on a chain is shown with the pages."""

import pytest
from tests.gateway.rig import HOLDER, Rig, private_key
from tests.wallet.browser import Browser, signed_in
from tests.wallet.keys import made_key

OFFERS = ({"step": "close"}, {"step": "start", "credits": "1"}, {"step": "cancel"})


@pytest.fixture
def holder(plain: Rig) -> Browser:
    return signed_in(plain)


def own_account(gateway: Rig) -> str:
    return str(gateway.ledger.accounts(holder=HOLDER.address)[0].id)


@pytest.mark.parametrize("step", OFFERS)
def test_a_strangers_account_is_as_unknown_as_none(plain: Rig, step: dict[str, str]):
    stranger = signed_in(plain, private_key(901))
    for account in (own_account(plain), "0x00", "nonsense"):
        for path, body in ((f"/v1/wallet/exits/{account}/offer", step), (f"/v1/wallet/exits/{account}/execute", {})):
            answer = stranger.call("POST", path, json=body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_account")


def test_a_key_takes_nothing_out(plain: Rig, holder: Browser):
    headers = {"Authorization": f"Bearer {made_key(holder)['api_key']}"}
    account, url = own_account(plain), plain.base_url

    assert plain.http.get(f"{url}/v1/wallet/exits", headers=headers).status_code == 403
    for path, body in (
        (f"/v1/wallet/exits/{account}/offer", {"step": "close"}),
        (f"/v1/wallet/exits/{account}/execute", {}),
        ("/v1/wallet/redemptions/offer", {"token": HOLDER.address, "credits": "1"}),
    ):
        assert plain.http.post(url + path, headers=headers, json=body).status_code == 401


def test_where_no_chain_is_open_it_says_so(plain: Rig, holder: Browser):
    account = own_account(plain)
    asked = [holder.call("GET", "/v1/wallet/exits")]
    asked += [holder.call("POST", f"/v1/wallet/exits/{account}/offer", json=step) for step in OFFERS]

    assert [(each.status_code, each.json()["error"]["code"]) for each in asked] == [(503, "relay_missing")] * 4


def test_nobody_but_the_dev_holder_is_sent_for(holder: Browser):
    body = {"to": HOLDER.address, "data": "0x"}

    answer = holder.call("POST", "/v1/wallet/sign-in/dev/transaction", json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "sign_in_refused")
