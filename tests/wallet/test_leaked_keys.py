"""What a thief can do with a key that leaked, at most; how its owner sees it, and ends it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.databases import new_ledger
from tests.gateway.rig import CREDIT, GATEWAY, IDENTITY, OPERATOR, TOKEN, Rig, key_text, private_key, rig
from tests.gateway.strangers import Unread, opened_by
from tests.wallet.browser import Browser, signed_in
from tests.wallet.keys import LOW_PICTURE, made_key, pictures, set_clock

from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import account_id
from mintery.domain.voucher import AccountKey
from mintery.gateway.open_routes import OpenRoutes
from mintery.ledger.store import open_ledger

SPENDS = {
    "POST /v1/chat/completions",
    "POST /v1/embeddings",
    "POST /v1/responses",
    "POST /v1/moderations",
    "POST /v1/images/generations",
    "POST /v1/audio/speech",
    "POST /v1/audio/transcriptions",
    "POST /v1/videos",
    "POST /v1/jobs",
    "POST /v1/quote",
    "POST /v1/route/explain",
}
OWN_DOINGS = {
    "GET /v1/credits",
    "GET /v1/key",
    "GET /v1/auth/key",
    "GET /v1/generation",
    "GET /v1/receipts",
    "GET /v1/receipts/{request_id}",
    "GET /v1/videos",
    "GET /v1/videos/{request_id}",
    "GET /v1/videos/{request_id}/content",
    "GET /v1/jobs",
    "GET /v1/jobs/{request_id}",
    "GET /v1/jobs/{request_id}/content",
    "GET /v1/wallet/activity",
    "GET /v1/wallet/receipts/{request_id}",
    "GET /v1/wallet/rails",
}
WHOLE_ACCOUNT = {
    "POST /v1/memberships",
    "DELETE /v1/memberships/{membership}",
    "GET /v1/wallet",
    "GET /v1/wallet/exits",
    "GET /v1/wallet/statement",
    "GET /v1/wallet/orders",
    "GET /v1/wallet/orders/{order_id}",
    "GET /v1/wallet/lots",
    "GET /v1/wallet/lots/{lot_id}/requests",
    "GET /v1/wallet/requests/{request_id}/lots",
    "GET /v1/wallet/lots/{lot_id}/refunds",
}
"""Of a voucher: whoever has its secret spends all that it allows."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    path: Path = tmp_path_factory.mktemp("leaked") / "ledger.sqlite"
    with open_ledger(new_ledger(path), IDENTITY) as ledger, rig(ledger, public=Unread()) as running:  # type: ignore[arg-type]  # nobody has read it
        yield running
        ledger.check()


@pytest.fixture
def gateway(newcomer: Rig) -> Rig:
    newcomer.app.open_routes = OpenRoutes()
    newcomer.http.cookies.clear()  # another test's
    return newcomer


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_gateway_key_leaks(gateway: Rig, holder: Browser):
    good = made_key(holder, label="good app")
    day = [{"period": "day", "credits": "0.05"}]
    until = (gateway.parts.clock() + timedelta(days=1)).isoformat()
    leaked = made_key(holder, label="leaky app", models=["test/paint"], limits=day, expires_at=until)
    others = gateway.chat(key=good["api_key"]).headers["x-request-id"]
    text = leaked["api_key"]

    # The thief asks for the key's models alone, and gets no more than its limit allows, however many calls at once.
    assert gateway.chat(key=text).status_code == 403
    stolen = [answer for answer in pictures(gateway, text, 8, each=1) if answer.status_code == 200]
    assert 1 <= len(stolen) <= 4
    # It reads what the key did itself, and nothing of the wallet or of other apps.
    assert opened_by(gateway, bearer(text)) == SPENDS | OWN_DOINGS
    assert gateway.get(f"/v1/receipts/{others}", key=text).status_code == 404
    assert gateway.get(f"/v1/wallet/receipts/{others}", key=text).status_code == 404
    seen = gateway.get("/v1/wallet/activity", key=text).json()["data"]
    assert len(seen) == len(stolen)
    assert {line["kind"] for line in seen} == {"use"}

    # Its holder sees which key spent what, and where its limit stands.
    lines = holder.call("GET", f"/v1/wallet/activity?key={leaked['id']}").json()["data"]
    assert len(lines) == len(stolen)
    [limit] = [each for each in holder.call("GET", "/v1/wallet/limits").json()["data"] if each["key"] == leaked["id"]]
    assert 0 < int(limit["used_nanocredits"]) <= 0.05 * CREDIT
    # A rotation without overlap keeps the thief out and the app's rules; a revocation ends the key.
    renewed = holder.call("POST", f"/v1/wallet/keys/{leaked['id']}/rotate", json={"overlap_seconds": 0}).json()
    assert gateway.get("/v1/receipts", key=text).status_code == 401
    assert pictures(gateway, text, 1)[0].status_code == 401
    assert gateway.get("/v1/receipts", key=renewed["api_key"]).status_code == 200
    assert renewed["models"] == ["test/paint"]
    holder.call("DELETE", f"/v1/wallet/keys/{leaked['id']}")
    assert gateway.get("/v1/receipts", key=renewed["api_key"]).status_code == 401
    # The other app goes on.
    assert gateway.chat(key=good["api_key"], text="still here").status_code == 200


def test_a_gateway_key_that_leaked_ends_by_itself(gateway: Rig, holder: Browser):
    until = gateway.parts.clock() + timedelta(days=1)
    leaked = made_key(holder, expires_at=until.isoformat())["api_key"]

    set_clock(gateway, until)

    assert gateway.get("/v1/credits", key=leaked).status_code == 401
    assert gateway.chat(key=leaked).status_code == 401


def test_a_voucher_key_leaks(gateway: Rig, holder: Browser):
    owner = gateway.newcomer
    text = key_text(signer=owner, credits_=0.05)
    good = made_key(holder)["api_key"]

    # The thief spends what was signed, and what the wallet's own limits leave; it reads the account, and nothing of its keys.
    stolen = [answer for answer in pictures(gateway, text, 8, each=1) if answer.status_code == 200]
    assert 1 <= len(stolen) <= 4
    body = {"token": TOKEN, "period": "day", "credits": "0.05"}
    assert holder.call("POST", "/v1/wallet/limits", json=body).status_code == 200
    assert opened_by(gateway, bearer(text)) == SPENDS | OWN_DOINGS | WHOLE_ACCOUNT

    # Its holder finds it among what may spend, and ends it here; what the gateway holds of it settles nothing more.
    listed = holder.call("GET", "/v1/wallet/authorities").json()["data"]
    [voucher] = [each for each in listed if each["label"] == "an app's key (mv1)"]
    assert holder.call("DELETE", f"/v1/wallet/authorities/{voucher['id']}").status_code == 200
    assert gateway.chat(key=text).json()["error"]["code"] == "voucher_revoked"
    assert gateway.get("/v1/wallet", key=text).status_code == 401
    assert gateway.get("/v1/receipts", key=good).status_code == 200
    # Another one, with a secret of its own, opens the account again.
    account = account_id(AccountKey(TOKEN, GATEWAY, owner.address, owner.address))
    again = gateway.get("/v1/credits", key=key_text(signer=owner, credits_=1, secret=b"\x08" * 32))
    assert again.json()["wallet"]["account"] == account


def test_a_sign_in_leaks(gateway: Rig, holder: Browser):
    app = made_key(holder, limits=[{"period": "day", "credits": "0.05"}])
    thief = Browser(gateway, PrivateKey.generate(), cookies=dict(holder.cookies))
    thief.csrf = thief.call("GET", "/v1/wallet/sign-in").json()["csrf"]

    # The thief is the holder here, and has no key of the holder's: what moves credits needs a signature each time.
    unsigned = {"kind": "send", "token": TOKEN, "to": thief.key.address, "credits": "1"}
    assert thief.call("POST", "/v1/wallet/moves/offer", json=unsigned).status_code == 503, "there is no chain here"
    voucher = {"token": TOKEN, "epoch": 0, "max_spend": "1", "deadline": 2**39, "key_hash": "0x" + "11" * 16}
    forged = {"label": "mine", "voucher": {**voucher, "signature": "0x" + "11" * 64}}
    assert thief.call("POST", "/v1/wallet/keys", json=forged).status_code == 401
    # It makes a key beside one that stands, and reads no key's text.
    made = thief.call("POST", "/v1/wallet/keys", json={"label": "mine", "beside": app["id"]}).json()
    assert gateway.chat(key=made["api_key"]).status_code == 200
    assert app["api_key"] not in thief.call("GET", "/v1/wallet/keys").text

    # Its holder signs in again, ends every other sign-in, and finds the key that nobody of theirs made.
    back = signed_in(gateway, gateway.newcomer)
    listed = back.call("GET", "/v1/wallet/authorities").json()["data"]
    sign_ins = sorted((each for each in listed if each["kind"] == "sign_in"), key=lambda each: each["since"])
    assert len(sign_ins) == 2
    back.call("DELETE", f"/v1/wallet/authorities/{sign_ins[0]['id']}")
    assert thief.call("GET", "/v1/wallet/keys").status_code == 401
    assert thief.call("POST", "/v1/wallet/keys", json={"label": "mine", "beside": app["id"]}).status_code == 401
    [unknown] = [each for each in back.call("GET", "/v1/wallet/keys").json()["data"] if each["label"] == "mine"]
    back.call("DELETE", f"/v1/wallet/keys/{unknown['id']}")
    assert gateway.chat(key=made["api_key"], text="again").status_code == 401
    assert gateway.get("/v1/receipts", key=app["api_key"]).status_code == 200


def test_the_operators_key_leaks(gateway: Rig, holder: Browser):
    app = made_key(holder)
    request = gateway.chat(key=app["api_key"], text="a secret prompt").headers["x-request-id"]
    thief = Browser(gateway)
    begun = thief.call("POST", "/v1/operator/sign-in", json={"key": OPERATOR})
    thief.cookies, thief.csrf = dict(begun.cookies), begun.json()["csrf"]

    # The thief is the operator: it may stop sales and read receipts. It spends nothing, and is no holder.
    opened = opened_by(gateway, bearer(OPERATOR))
    gateway.operator("DELETE", "/v1/operator/drain")
    assert not opened & (SPENDS | WHOLE_ACCOUNT | {"GET /v1/wallet/activity", "GET /v1/credits"})
    assert {path.partition(" ")[2].split("/")[1] for path in opened} <= {"admin", "v1", "metrics"}
    receipt = gateway.operator("GET", f"/v1/receipts/{request}")
    assert receipt.status_code == 200
    assert "a secret prompt" not in receipt.text
    assert gateway.chat(key=OPERATOR).status_code == 401

    # Another key, and everything that the old one had opened is closed; holders notice nothing.
    object.__setattr__(gateway.parts, "operator_key_hash", b"\1" * 32)
    assert opened_by(gateway, bearer(OPERATOR)) == set()
    assert thief.call("GET", "/v1/operator/status").status_code == 401
    assert thief.call("POST", "/v1/operator/drain").status_code == 401
    assert holder.call("GET", "/v1/wallet/keys").status_code == 200
    assert gateway.post("/v1/images/generations", key=app["api_key"], json={**LOW_PICTURE, "prompt": "x"}).is_success


def test_nobody_opens_more_by_a_made_up_key(gateway: Rig):
    for key in ("mk_" + "a" * 43, "ms_" + "a" * 43, key_text(signer=private_key(901))[:-2]):
        assert opened_by(gateway, bearer(key)) == set(), key
