"""Routing and fallback over HTTP, at a real upstream and a real ledger."""

import threading

import pytest
from tests.gateway.rig import CREDIT, Rig

from mintery.domain.attempt import AttemptOutcome
from mintery.domain.hold import RequestId
from mintery.domain.receipt import check_arithmetic, parse_receipt


@pytest.mark.parametrize(
    ("first", "outcome", "status"),
    [
        ("test/fails", AttemptOutcome.REFUSED, 500),
        ("test/busy", AttemptOutcome.REFUSED, 429),
        ("test/slow", AttemptOutcome.TIMED_OUT, None),
    ],
)
def test_another_route_answers_and_the_receipt_says_so(
    gateway: Rig, first: str, outcome: AttemptOutcome, status: int | None
):
    answer = gateway.chat(first, models=["test/echo"])

    assert answer.status_code == 200
    assert (answer.headers["x-mintery-route"], answer.headers["x-mintery-backup"]) == ("test/echo", "true")
    receipt = gateway.get(f"/v1/receipts/{answer.headers['x-request-id']}").json()
    assert (receipt["model"], receipt["route"]["backup"], receipt["route"].get("asked")) == ("test/echo", True, None)
    failed, delivered = receipt["attempts"]
    assert (failed["route"], failed["outcome"], failed["status"]) == (first, outcome.value, status)
    assert (delivered["route"], delivered["outcome"]) == ("test/echo", "delivered")
    check_arithmetic(parse_receipt(receipt))
    gateway.ledger.check()


def test_a_provider_that_answers_after_its_stand_in_began_is_not_heard(gateway: Rig):
    """The first one's answer comes while the second is being asked; it is neither relayed nor charged."""
    late = threading.Timer(2.3, gateway.stub.control.go_on.set)  # after the two seconds that it is waited for
    late.start()

    answer = gateway.chat("test/slow", models=["test/echo"], stream=True, stream_options={"include_usage": True})
    late.join()

    assert answer.status_code == 200
    assert answer.text.count("[DONE]") == 1
    [captured] = [each for each in gateway.ledger.receipts() if each.receipt.cost]
    assert captured.receipt.model == "test/echo"
    assert gateway.balance.captured == captured.receipt.cost
    assert gateway.balance.held == 0


def test_a_stream_falls_back_before_its_first_event(gateway: Rig):
    answer = gateway.chat("test/fails", models=["test/echo"], stream=True)

    assert answer.text.rstrip().endswith("data: [DONE]")
    record = gateway.ledger.receipt(RequestId(answer.headers["x-request-id"]))
    assert record is not None
    assert (record.receipt.model, record.receipt.backup, record.receipt.stream) == ("test/echo", True, True)


def test_the_stock_client_asks_by_intent(gateway: Rig):
    answer = gateway.client().chat.completions.with_raw_response.create(
        model="cheapest",
        messages=[{"role": "user", "content": "hello"}],
        max_tokens=20,
        extra_body={"provider": {"only": ["test/echo"]}},
    )

    assert answer.headers["x-mintery-route"] == "test/echo"
    assert answer.parse().choices[0].message.content
    [sent] = gateway.stub.control.bodies
    assert "provider" not in sent
    assert sent["model"] == "echo"


def test_a_session_is_named_by_its_header(gateway: Rig):
    only = {"only": ["test/echo", "test/no-usage"]}
    gateway.chat("test/no-usage", headers={"Mintery-Session": "mine"})

    mine = gateway.chat("consistent", provider=only, headers={"Mintery-Session": "mine"})
    gateway.chat("test/echo", headers={"Mintery-Session": "other"})
    again, other = (
        gateway.chat("consistent", provider=only, headers={"Mintery-Session": name}) for name in ("mine", "other")
    )

    assert mine.headers["x-mintery-route"] == again.headers["x-mintery-route"] == "test/no-usage"
    assert other.headers["x-mintery-route"] == "test/echo"


def test_a_retry_joins_a_request_that_fell_back(gateway: Rig):
    body = {"models": ["test/echo"], "headers": {"Idempotency-Key": "once"}}
    first, again = (gateway.chat("test/fails", **body) for _ in range(2))

    assert first.content == again.content
    assert again.headers["x-mintery-replayed"] == "true"
    assert gateway.stub.control.requests == 2


def test_what_no_route_can_answer_is_told_with_every_reason(gateway: Rig):
    answer = gateway.chat("best", provider={"max_price": {"completion": 0}})

    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["code"] == "no_route"
    assert "too dear" in error["reasons"]["test/echo"]
    assert "they are routed" in error["reasons"]["test/official"]
    assert gateway.untouched()


def test_a_quote_names_the_stand_ins_and_covers_them(gateway: Rig):
    body = {"model": "test/echo", "models": ["test/fails"], "messages": [{"role": "user", "content": "hi"}]}

    quote = gateway.post("/v1/quote", json=body).json()

    assert (quote["model"], quote["backups"]) == ("test/echo", ["test/fails"])
    assert int(quote["max_cost_nanocredits"]) < 100 * CREDIT
