"""What an account has, what a request may cost, and what the two allow."""

import pytest
from tests.gateway.rig import CREDIT, HOLDER, Rig, key_text, private_key

CHAT = {"model": "test/echo", "messages": [{"role": "user", "content": "hello there"}], "max_tokens": 50}


def test_spending_above_the_balance(gateway: Rig):
    gateway.start_exit(99.9999)

    response = gateway.chat()

    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (402, "insufficient_balance")
    assert error["available_nanocredits"] == "100000"
    assert int(error["required_nanocredits"]) > 100_000
    assert error["wallet"]["holder"] == HOLDER.address
    assert "and 0.0001 can be spent. To go on, top up, or deposit more PROJECTX_AI_CREDITS" in error["message"]
    assert gateway.stub.control.requests == 0
    assert gateway.untouched()


def test_a_key_doubled_in_the_body_cannot_smuggle_a_higher_cap(gateway: Rig):
    body = b'{"model":"test/echo","max_tokens":900,"messages":[{"role":"user","content":"a"}],"max_tokens":2}'
    response = gateway.post("/v1/chat/completions", content=body, headers={"Content-Type": "text/plain"})

    assert response.status_code == 200
    assert gateway.stub.control.bodies[-1]["max_tokens"] == 2


@pytest.mark.parametrize("fields", [{}, {"n": 2}, {"stream": True}, {"max_tokens": None}])
def test_a_quote_is_what_is_held_and_bounds_what_is_charged(gateway: Rig, fields: dict):
    body = {**CHAT, **fields}
    quote = gateway.post("/v1/quote", json=body).json()

    answer = gateway.post("/v1/chat/completions", json=body)

    assert quote["max_cost_nanocredits"] == answer.headers["x-mintery-quote-nanocredits"]
    assert 0 < gateway.balance.captured <= int(quote["max_cost_nanocredits"])
    assert quote["affordable"] is True
    assert gateway.stub.control.requests == 1


def test_a_quote_says_when_the_key_cannot_pay(gateway: Rig):
    quote = gateway.post("/v1/quote", key=key_text(max_spend=5), json=CHAT).json()

    assert quote["affordable"] is False
    assert quote["spendable_nanocredits"] == "5"
    assert quote["wallet"]["holder"] == HOLDER.address


def test_quotes_of_embeddings(gateway: Rig):
    quote = gateway.post("/v1/quote", json={"model": "test/embed", "input": "hello"}).json()

    assert [line["sku"] for line in quote["lines"]] == ["test/embed:input_token"]


def test_credits_show_balance_and_room(gateway: Rig):
    gateway.start_exit(40)
    gateway.chat()
    spent = gateway.balance.captured

    shown = gateway.get("/v1/credits", key=key_text(credits_=10)).json()

    assert shown["available_nanocredits"] == str(100 * CREDIT - spent)
    assert shown["exiting_nanocredits"] == str(40 * CREDIT)
    assert shown["captured_nanocredits"] == str(spent)
    assert shown["voucher"]["room_nanocredits"] == shown["spendable_nanocredits"] == str(10 * CREDIT - spent)
    assert shown["wallet"]["symbol"] == "PROJECTX_AI_CREDITS"


def test_an_expired_key_may_look_but_not_spend(gateway: Rig):
    expired = key_text(deadline=1_700_000_000)

    assert gateway.get("/v1/credits", key=expired).status_code == 200
    assert gateway.get("/v1/receipts", key=expired).status_code == 200
    assert gateway.chat(key=expired).json()["error"]["code"] == "voucher_expired"


def test_a_receipt_is_shown_to_its_account_and_the_operator_alone(gateway: Rig):
    receipt = gateway.chat().headers["x-mintery-receipt"]
    path = "/v1/receipts/" + receipt

    mine, stranger = gateway.get(path), gateway.get(path, key=key_text(signer=private_key(9)))
    operator = gateway.operator("GET", path)

    assert (mine.status_code, stranger.status_code, operator.status_code) == (200, 404, 200)
    assert mine.json() == operator.json() == gateway.get(path).json()
    assert stranger.json()["error"]["code"] == "receipt_not_found"
    assert mine.json()["settlement"] == {"batch_id": None, "tx_hash": None, "written_off": None}


def test_receipts_are_listed_newest_first_to_their_account(gateway: Rig):
    ids = [gateway.chat().headers["x-mintery-receipt"] for _ in range(3)]

    listed = [each["id"] for each in gateway.get("/v1/receipts?limit=2").json()["data"]]

    assert listed == [ids[2], ids[1]]
    assert gateway.get("/v1/receipts", key=key_text(signer=private_key(9))).json()["data"] == []
    assert len(gateway.operator("GET", "/v1/receipts").json()["data"]) == 3
    assert gateway.get("/v1/receipts?limit=0").status_code == 422
