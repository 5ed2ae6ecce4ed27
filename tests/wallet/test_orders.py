"""Top-up orders over HTTP: the holder's, the rail's webhooks, and what the operator decides; and what used each lot."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest
from tests.databases import new_ledger
from tests.fakes.mint_chain import MintChain, MintSender
from tests.fakes.stripe_account import API_KEY, WEBHOOK_SECRET, InProcess, StripeAccount, webhook
from tests.gateway.rig import GATEWAY, HOLDER, IDENTITY, OPERATOR, TOKEN, Rig, key_text, rig
from tests.wallet.browser import Browser, signed_in
from tests.wallet.keys import made_key
from typer.testing import CliRunner

from mintery.cli.app import app
from mintery.client.wallet import sign_in
from mintery.crypto.keys import PrivateKey
from mintery.errors import GatewayRefused
from mintery.ledger.commands import SealRows
from mintery.ledger.commands_postponed import Postpone
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.rails.stripe_cards import StripeCards
from mintery.usecases.mint_orders import mint_orders
from mintery.usecases.order_desk import OrderDesk, Treasury
from mintery.usecases.send_calls import send_calls
from mintery.usecases.trace_lots import trace_lots

ORDERS = "/v1/wallet/orders"


class Shop:
    """A gateway that takes cards and transfers."""

    def __init__(self, ledger: LedgerStore) -> None:
        self.ledger = ledger
        self.account = StripeAccount(lambda: datetime.now(UTC))
        self.chain = MintChain(Random(1), troubled=False)
        key = PrivateKey.from_bytes(b"\x77" * 32)
        self.desk = OrderDesk(
            chain=self.chain,  # type: ignore[arg-type]  # what of it a mint needs
            ledger=ledger,
            gateway=GATEWAY,
            cards=StripeCards(
                API_KEY, WEBHOOK_SECRET, return_url="x", product="x", http_client=InProcess(self.account)
            ),
            bank_details="IBAN XX00",
            treasury=Treasury(key, MintSender(self.chain, key)),  # type: ignore[arg-type]  # as above
        )
        self.gateway: Rig

    def admin(self, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {OPERATOR}"}
        return self.gateway.http.request(method, self.gateway.base_url + path, headers=headers, **options)

    def hook(self, payload: bytes, signature: str) -> httpx2.Response:
        url = f"{self.gateway.base_url}/v1/webhooks/stripe"
        return self.gateway.http.post(url, content=payload, headers={"Stripe-Signature": signature})


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger:
        opened = Shop(ledger)
        with rig(ledger, desk=opened.desk) as running:
            running.fund(100)
            opened.gateway = running
            yield opened
        ledger.check()


def placed(browser: Browser, rail: str, usd: str = "20", **headers: str) -> dict[str, Any]:
    answer = browser.call("POST", ORDERS, json={"rail": rail, "token": TOKEN, "usd": usd}, headers=headers)
    assert answer.status_code == 200, answer.text
    order: dict[str, Any] = answer.json()
    return order


def test_a_card_is_paid_by_what_stripe_says_and_not_by_who_claims_it(shop: Shop):
    browser = signed_in(shop.gateway)
    order = placed(browser, "card")
    session = shop.account.sessions[order["reference"]]
    assert (order["status"], order["page"]) == ("pending", session["url"])
    claim = webhook("checkout.session.completed", {**session, "payment_status": "paid"}, datetime.now(UTC).timestamp())

    assert shop.hook(claim[0], "t=1,v1=00").status_code == 401
    assert shop.hook(*claim).json() == {"object": "webhook", "order": order["id"]}
    assert browser.call("GET", f"{ORDERS}/{order['id']}").json()["status"] == "pending"

    assert shop.account.pay(order["reference"], datetime.now(UTC))
    for _ in range(2):
        assert shop.hook(*claim).status_code == 200
    paid = browser.call("GET", f"{ORDERS}/{order['id']}").json()
    assert (paid["status"], paid["paid_usd"], paid["page"]) == ("paid", "20", None)

    for _ in range(3):
        mint_orders(shop.desk, datetime.now(UTC))
        send_calls(shop.desk, datetime.now(UTC))
        shop.chain.mine()
    after = browser.call("GET", f"{ORDERS}/{order['id']}").json()
    assert [(call["kind"], call["status"], call["credits"]) for call in after["on_chain"]] == [("mint", "done", "20")]
    assert [credits_ for _, credits_ in shop.chain.minted] == [20 * 10**18]


def test_a_silent_stripe_is_told_to_send_its_news_again(shop: Shop):
    order = placed(signed_in(shop.gateway), "card")
    session = shop.account.sessions[order["reference"]]
    shop.account.silent = 1
    news = webhook("checkout.session.completed", session, datetime.now(UTC).timestamp())
    assert shop.hook(*news).status_code == 503


def test_a_transfer_is_reviewed_by_the_operator(shop: Shop):
    browser = signed_in(shop.gateway)
    order = placed(browser, "bank")
    assert (order["bank_details"], order["reference"][:5]) == ("IBAN XX00", "MINT-")
    line = {"reference": order["reference"], "payment": "b-1", "usd": "20", "at": datetime.now(UTC).isoformat()}

    seen = shop.admin("POST", "/admin/orders/payments", json=line).json()
    assert seen["status"] == "manual_review"
    assert [each["id"] for each in shop.admin("GET", "/admin/orders").json()["data"]] == [order["id"]]
    decision = {"decision": "refused", "reason": "the payer asked for it", "by": "kim"}
    signed = Browser(shop.gateway)
    begun = signed.call("POST", "/v1/operator/sign-in", json={"key": OPERATOR})
    signed.cookies, signed.csrf = dict(begun.cookies), begun.json()["csrf"]
    another = signed.call("POST", f"/admin/orders/{order['id']}/decision", json=decision)
    assert (another.status_code, another.json()["error"]["param"]) == (400, "by"), "who is signed in is known"
    refused = shop.admin("POST", f"/admin/orders/{order['id']}/decision", json=decision).json()
    assert refused["refund_due"]
    again = shop.admin("POST", f"/admin/orders/{order['id']}/decision", json={**decision, "decision": "accepted"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "order_transition_refused")

    (due,) = shop.admin("GET", "/admin/orders", params={"queue": "refunds"}).json()["data"]
    done = shop.admin("POST", f"/admin/orders/refunds/{due['id']}/done", json={"reference": "back-1"}).json()
    assert done["reference"] == "back-1"
    ended = browser.call("GET", f"{ORDERS}/{order['id']}").json()
    assert (ended["status"], ended["decided_by"]) == ("refunded", "kim")


def test_an_order_is_its_holders_alone(shop: Shop):
    order = placed(signed_in(shop.gateway), "bank", **{"Idempotency-Key": "once"})
    assert placed(signed_in(shop.gateway), "bank", **{"Idempotency-Key": "once"})["id"] == order["id"]
    stranger = signed_in(shop.gateway, PrivateKey.generate())

    assert stranger.call("GET", f"{ORDERS}/{order['id']}").status_code == 404
    assert stranger.call("POST", f"{ORDERS}/{order['id']}/cancel").status_code == 404
    assert stranger.call("GET", ORDERS).json()["data"] == []
    with httpx2.Client(verify=False) as nobody:
        assert nobody.get(shop.gateway.base_url + ORDERS).status_code == 401
    assert shop.gateway.post(ORDERS, json={"rail": "bank", "token": TOKEN, "usd": "20"}).status_code == 401
    assert shop.gateway.get("/admin/orders").status_code == 403
    assert signed_in(shop.gateway).call("POST", f"{ORDERS}/{order['id']}/cancel").json()["status"] == "failed"


def test_a_voucher_key_sees_the_orders_of_its_account_alone(shop: Shop):
    browser = signed_in(shop.gateway)
    mine = placed(browser, "bank")
    body = {"rail": "bank", "token": TOKEN, "usd": "20", "signer": PrivateKey.generate().address}
    other = browser.call("POST", ORDERS, json=body).json()

    assert [each["id"] for each in shop.gateway.get(ORDERS, key=key_text()).json()["data"]] == [mine["id"]]
    assert shop.gateway.get(f"{ORDERS}/{mine['id']}").status_code == 200
    assert shop.gateway.get(f"{ORDERS}/{other['id']}").status_code == 404
    assert {each["id"] for each in browser.call("GET", ORDERS).json()["data"]} == {mine["id"], other["id"]}
    assert browser.call("GET", f"{ORDERS}/{other['id']}").status_code == 200


def test_an_apps_key_reads_no_orders_lots_or_balances(shop: Shop):
    browser = signed_in(shop.gateway)
    order, key = placed(browser, "bank"), made_key(browser)["api_key"]
    request = shop.gateway.chat().headers["x-request-id"]
    while shop.ledger.commit([SealRows(100, datetime.now(UTC))])[0].changed:  # type: ignore[union-attr]  # it counts
        trace_lots(shop.ledger, datetime.now(UTC))
    (lot,) = shop.gateway.get("/v1/wallet/lots").json()["data"]
    of_lot = f"/v1/wallet/lots/{lot['id']}"

    paths = [
        ORDERS,
        f"{ORDERS}/{order['id']}",
        "/v1/wallet",
        "/v1/wallet/lots",
        f"{of_lot}/requests",
        f"{of_lot}/refunds",
    ]
    for path in [*paths, f"/v1/wallet/requests/{request}/lots"]:
        refused = shop.gateway.get(path, key=key)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "key_may_not"), path
        assert shop.gateway.get(path).status_code == 200, path


def test_questions_to_the_rail_are_counted_and_nonsense_is_not(shop: Shop):
    now = datetime.now(UTC)
    object.__setattr__(shop.gateway.parts, "clock", lambda: now)
    browser = signed_in(shop.gateway)
    of_order = f"{ORDERS}/{placed(browser, 'card')['id']}"

    for _ in range(20):
        assert browser.call("POST", f"{ORDERS}/ord_none/check").status_code == 404
        assert browser.call("POST", ORDERS, json={"rail": "bank", "token": TOKEN, "usd": "x"}).status_code == 400
    answers = [browser.call("POST", f"{of_order}/check").status_code for _ in range(31)]
    assert answers == [200] * 30 + [429]
    assert browser.call("POST", f"{of_order}/cancel").status_code == 429


def test_refunds_are_counted_apart_from_orders(shop: Shop):
    now = datetime.now(UTC)
    object.__setattr__(shop.gateway.parts, "clock", lambda: now)
    browser = signed_in(shop.gateway)
    while shop.ledger.commit([SealRows(100, now)])[0].changed:  # type: ignore[union-attr]  # it counts
        trace_lots(shop.ledger, now)
    (lot,) = browser.call("GET", "/v1/wallet/lots").json()["data"]
    for _ in range(10):
        placed(browser, "bank")
    body = {"rail": "bank", "token": TOKEN, "usd": "20"}
    assert browser.call("POST", ORDERS, json=body).status_code == 429

    path = f"/v1/wallet/lots/{lot['id']}/refund"
    assert browser.call("POST", path, json={"way": "wallet", "credits": "x"}).status_code == 400
    taken = [browser.call("POST", path, json={"way": "wallet", "credits": "1"}).status_code for _ in range(11)]
    assert taken == [200] * 10 + [429]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"usd": "0.5"}, 422),
        ({"usd": "20.001"}, 400),
        ({"usd": "x"}, 400),
        ({"rail": "cash"}, 422),
        ({"rail": "chain"}, 400),
    ],
)
def test_what_cannot_be_ordered_is_refused(shop: Shop, wrong: dict[str, str], status: int):
    body = {"rail": "bank", "token": TOKEN, "usd": "20", **wrong}
    answer = signed_in(shop.gateway).call("POST", ORDERS, json=body)
    assert answer.status_code in {status, 400, 422}, answer.text
    assert shop.ledger.orders.recent() == []


def test_nobody_pays_for_what_cannot_be_minted(shop: Shop):
    browser = signed_in(shop.gateway)
    for name, value, code in (
        ("depegged", True, "asset_depegged"),
        ("retired_at", 1, "mint_not_offered"),
        ("public_mint", False, "mint_not_offered"),
        ("room", 20 * 10**18 - 1, "mint_room_short"),
    ):
        before = getattr(shop.chain, name)
        setattr(shop.chain, name, value)
        answer = browser.call("POST", ORDERS, json={"rail": "card", "token": TOKEN, "usd": "20"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, code), answer.text
        setattr(shop.chain, name, before)
    other = browser.call("POST", ORDERS, json={"rail": "card", "token": PrivateKey.generate().address, "usd": "20"})
    assert other.json()["error"]["code"] == "unknown_project"
    assert (shop.account.sessions, shop.ledger.orders.recent()) == ({}, [])
    shop.chain.room = 20 * 10**18
    placed(browser, "bank")


def test_an_order_asked_for_again_is_the_first_one_whatever_holds_now(shop: Shop):
    """No repeat is answered by what came to be refused since: its client would believe that there is no order."""
    browser = signed_in(shop.gateway)
    first = placed(browser, "bank", **{"Idempotency-Key": "k"})
    for name, value in (("depegged", True), ("retired_at", 1), ("room", 0)):
        setattr(shop.chain, name, value)

    assert placed(browser, "bank", **{"Idempotency-Key": "k"})["id"] == first["id"]
    other = {"rail": "bank", "token": TOKEN, "usd": "21"}
    conflict = browser.call("POST", ORDERS, json=other, headers={"Idempotency-Key": "k"})
    assert (conflict.status_code, conflict.json()["error"]["code"]) == (409, "idempotency_conflict")


def test_a_gateway_without_a_desk_takes_no_orders(tmp_path: Path):
    with open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger, rig(ledger) as running:
        answer = signed_in(running).call("POST", ORDERS, json={"rail": "bank", "token": TOKEN, "usd": "20"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "rail_not_offered")


def test_which_requests_used_a_lot_is_one_call_and_one_command(shop: Shop):
    made = [shop.gateway.chat(text="word " * (number + 1)).headers["x-request-id"] for number in range(3)]
    while shop.ledger.commit([SealRows(100, datetime.now(UTC))])[0].changed:  # type: ignore[union-attr]  # it counts
        trace_lots(shop.ledger, datetime.now(UTC))
    (lot,) = shop.gateway.get("/v1/wallet/lots").json()["data"]

    told = shop.gateway.get(f"/v1/wallet/lots/{lot['id']}/requests").json()

    assert [use["request"] for use in told["data"]] == made
    used = sum(int(use["used_nanocredits"]) for use in told["data"])
    assert int(lot["amount_nanocredits"]) - int(lot["remaining_nanocredits"]) == used
    receipts = [shop.ledger.receipt(each).receipt.cost for each in made]  # type: ignore[union-attr,arg-type]  # they are there
    assert used == sum(receipts)
    (of_one,) = shop.gateway.get(f"/v1/wallet/requests/{made[0]}/lots").json()["data"]
    assert of_one["lot"] == lot["id"]
    rest = shop.gateway.get(f"/v1/wallet/lots/{lot['id']}/requests", params={"after": told["data"][0]["id"]}).json()
    assert rest["data"] == told["data"][1:]
    nobodys = told["data"][-1]["id"] + 1
    assert shop.gateway.get(f"/v1/wallet/lots/{lot['id']}/requests", params={"after": nobodys}).status_code == 404
    stranger = signed_in(shop.gateway, PrivateKey.generate())
    assert stranger.call("GET", f"/v1/wallet/lots/{lot['id']}/requests").status_code == 404

    at = ["--api-key", key_text(), "--url", shop.gateway.base_url + "/v1", "--json"]
    printed = CliRunner().invoke(app, ["lot", "trace", str(lot["id"]), *at])
    assert json.loads(printed.output) == told
    listed = CliRunner().invoke(app, ["lot", "list", *at])
    assert json.loads(listed.output)["data"] == [lot]


def test_what_is_left_of_a_lot_is_taken_back_and_no_request_gets_it(shop: Shop):
    browser = signed_in(shop.gateway)
    while shop.ledger.commit([SealRows(100, datetime.now(UTC))])[0].changed:  # type: ignore[union-attr]  # it counts
        trace_lots(shop.ledger, datetime.now(UTC))
    (lot,) = browser.call("GET", "/v1/wallet/lots").json()["data"]
    path = f"/v1/wallet/lots/{lot['id']}"

    taken = browser.call("POST", f"{path}/refund", json={"way": "wallet", "credits": "99.99999"})
    assert (taken.status_code, taken.json()["status"]) == (200, "under_way"), taken.text
    assert shop.gateway.chat().status_code == 402
    more = browser.call("POST", f"{path}/refund", json={"way": "wallet", "credits": "1"})
    assert (more.status_code, more.json()["error"]["code"]) == (409, "order_transition_refused")
    rail = browser.call("POST", f"{path}/refund/offer", json={"way": "rail", "credits": "1"})
    assert rail.json()["error"]["code"] == "rail_not_offered"
    assert [each["id"] for each in browser.call("GET", f"{path}/refunds").json()["data"]] == [taken.json()["id"]]
    stranger = signed_in(shop.gateway, PrivateKey.generate())
    assert stranger.call("POST", f"{path}/refund", json={"way": "wallet", "credits": "1"}).status_code == 404
    assert shop.gateway.post(f"{path}/refund", json={"way": "wallet", "credits": "1"}).status_code == 401


def test_what_is_left_is_taken_back_on_the_command_line(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    while shop.ledger.commit([SealRows(100, datetime.now(UTC))])[0].changed:  # type: ignore[union-attr]  # it counts
        trace_lots(shop.ledger, datetime.now(UTC))
    (lot,) = shop.gateway.get("/v1/wallet/lots").json()["data"]
    monkeypatch.setenv("THE_HOLDERS_KEY", "0x" + HOLDER.secret_bytes().hex())
    at = ["--url", shop.gateway.base_url + "/v1", "--json"]
    key = ["--key", "THE_HOLDERS_KEY"]

    taken = CliRunner().invoke(app, ["lot", "refund", str(lot["id"]), "--way", "wallet", "--credits", "1.5", *key, *at])
    rest = CliRunner().invoke(app, ["lot", "refund", str(lot["id"]), "--way", "rail", *key, *at])
    told = CliRunner().invoke(app, ["lot", "refunds", str(lot["id"]), "--api-key", key_text(), *at])

    assert (json.loads(taken.output)["status"], json.loads(taken.output)["refund_credits"]) == ("under_way", "1.5")
    assert isinstance(rest.exception, GatewayRefused)
    assert rest.exception.code == "rail_not_offered", "it came on chain"
    (listed,) = json.loads(told.output)["data"]
    assert (listed["id"], listed["on_chain"][0]["kind"]) == (json.loads(taken.output)["id"], "release")


def test_a_refunds_offers_are_counted_with_what_they_are_for(shop: Shop):
    browser = signed_in(shop.gateway)
    while shop.ledger.commit([SealRows(100, datetime.now(UTC))])[0].changed:  # type: ignore[union-attr]  # it counts
        trace_lots(shop.ledger, datetime.now(UTC))
    (lot,) = browser.call("GET", "/v1/wallet/lots").json()["data"]
    path, body = f"/v1/wallet/lots/{lot['id']}/refund/offer", {"way": "rail", "credits": "1"}

    answers = [browser.call("POST", path, json=body) for _ in range(21)]

    assert answers[0].json()["error"]["code"] == "rail_not_offered"
    assert (answers[-1].status_code, answers[-1].json()["error"]["code"]) == (429, "too_many_tries")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60


def test_an_operator_reviews_from_the_command_line(shop: Shop):
    order = placed(signed_in(shop.gateway), "bank")
    at = ["--operator-key", OPERATOR, "--url", shop.gateway.base_url + "/v1"]

    def run(*words: str) -> str:
        printed = CliRunner().invoke(app, ["order", *words, *at])
        assert printed.exit_code == 0, printed.output
        return printed.output

    assert "manual review" in run("paid", order["reference"], "--payment", "b-1", "--usd", "20")
    assert order["id"] in run("queue")
    assert "paid" in run("accept", order["id"], "--reason", "the statement says so")
    assert "0 orders" in run("queue")
    shop.ledger.commit([Postpone(order["id"], "MintAboveCap", datetime.now(UTC))])
    assert "MintAboveCap" in run("queue", "waiting")
    assert order["id"] in run("retry", order["id"])
    assert "0 wait" in run("queue", "waiting")
    assert "nothing of it waits" in run("retry", order["id"])
    assert "0 given up" in run("queue", "given_up")
    assert HOLDER.address == shop.ledger.orders.recent()[0].account.holder


def test_an_order_is_looked_at_from_the_command_line(shop: Shop):
    order = placed(signed_in(shop.gateway), "bank")
    url = ["--url", shop.gateway.base_url + "/v1"]

    checked = CliRunner().invoke(app, ["order", "check", order["id"], "--api-key", sign_in(url[1], HOLDER), *url])
    told = CliRunner().invoke(app, ["order", "journal", order["id"], "--operator-key", OPERATOR, *url])

    assert checked.exit_code == told.exit_code == 0, checked.output + told.output
    assert "pending" in checked.output
    assert "placed" in told.output
