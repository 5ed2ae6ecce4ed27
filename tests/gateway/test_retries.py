"""A request that was sent before is answered from its first attempt, and charged once."""

import json
import socket
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from tests.gateway.rig import Rig, key_text, raised_text

from mintery.ledger.commands import DropAnswers

CHAT = {"model": "test/echo", "messages": [{"role": "user", "content": "again and again"}], "max_tokens": 20}
RETRY = {"x-stainless-retry-count": "1"}


def send(gateway: Rig, body: dict | None = None, *, key: str | None = None, **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return gateway.post("/v1/chat/completions", key=key, content=json.dumps(body or CHAT), headers=named)


def send_and_leave(gateway: Rig, body: dict, *, until: bytes = b"", **headers: str) -> None:
    """Send a request, read until ``until`` was seen, and drop the connection."""
    payload = json.dumps(body).encode()
    address = urlsplit(gateway.base_url)
    lines = [
        "POST /v1/chat/completions HTTP/1.1", f"Host: {address.netloc}", f"Authorization: Bearer {key_text()}",
        f"Content-Length: {len(payload)}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]  # fmt: skip
    arrived = gateway.stub.control.requests
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + payload)
        assert gateway.settled(lambda: gateway.stub.control.requests == arrived + 1)
        seen = b""
        while until not in seen:
            seen += connection.recv(65_536)


def captured(gateway: Rig) -> bool:
    return gateway.settled(lambda: gateway.balance.captured > 0 and gateway.balance.held == 0)


@pytest.mark.parametrize("stream", [False, True])
def test_a_declared_retry_of_what_was_not_delivered_reads_the_kept_answer(gateway: Rig, stream: bool):
    body = {**CHAT, "model": "test/slow", "stream": stream}
    send_and_leave(gateway, body)
    gateway.stub.control.go_on.set()
    assert captured(gateway)
    charged = gateway.balance.captured

    answer = send(gateway, body, **RETRY)

    assert answer.status_code == 200
    assert "echo:" in answer.text
    assert answer.headers["x-mintery-replayed"] == "true"
    assert gateway.stub.control.requests == 1
    assert gateway.balance.captured == charged


def test_a_declared_retry_of_what_was_delivered_is_a_new_request(gateway: Rig):
    first = send(gateway)
    receipt = first.headers["x-mintery-receipt"]
    assert gateway.settled(lambda: gateway.ledger.request(receipt).delivered_at is not None)

    second = send(gateway, **RETRY)

    assert second.headers["x-mintery-receipt"] != receipt
    assert gateway.stub.control.requests == 2


def test_the_same_body_again_without_saying_so_is_a_new_request(gateway: Rig):
    body = {**CHAT, "model": "test/slow"}
    send_and_leave(gateway, body)
    gateway.stub.control.go_on.set()
    assert captured(gateway)

    send(gateway, body)

    assert gateway.stub.control.requests == 2


def test_a_retry_with_another_key_joins_nothing(gateway: Rig):
    body = {**CHAT, "model": "test/slow"}
    send_and_leave(gateway, body)
    gateway.stub.control.go_on.set()
    assert captured(gateway)

    other = send(gateway, body, key=key_text(secret=b"\x0a" * 32), **RETRY)

    assert "x-mintery-replayed" not in other.headers
    assert gateway.stub.control.requests == 2


def test_a_stream_is_joined_from_its_first_byte_while_it_runs(gateway: Rig):
    gateway.stub.control.pause = 0.05
    body = {**CHAT, "stream": True}
    send_and_leave(gateway, body, until=b"[TEST]")

    answer = send(gateway, body, **RETRY)

    assert answer.text.count("[TEST]") == 1
    assert answer.text.endswith("data: [DONE]\n\n")
    assert gateway.stub.control.requests == 1


def test_an_idempotency_key_answers_once(gateway: Rig):
    first = send(gateway, Idempotency_Key="a")
    second = send(gateway, Idempotency_Key="a")
    renewed = send(gateway, key=key_text(credits_=50), Idempotency_Key="a")

    assert first.content == second.content == renewed.content
    assert "x-mintery-replayed" not in first.headers
    assert second.headers["x-mintery-replayed"] == "true"
    assert second.headers["x-mintery-receipt"] == first.headers["x-mintery-receipt"]
    assert gateway.stub.control.requests == 1


def test_an_idempotency_key_with_another_body_conflicts(gateway: Rig):
    first = send(gateway, Idempotency_Key="a")
    other = send(gateway, {**CHAT, "max_tokens": 21}, Idempotency_Key="a", **RETRY)

    assert other.status_code == 409
    assert other.json()["error"]["code"] == "idempotency_conflict"
    assert other.json()["error"]["request_id"] == first.headers["x-mintery-receipt"]
    assert other.headers["x-should-retry"] == "false"


def test_an_idempotency_key_whose_answer_is_gone_names_the_receipt(gateway: Rig):

    first = send(gateway, Idempotency_Key="a")
    gateway.ledger.commit([DropAnswers(datetime.now(UTC) + timedelta(seconds=1))])

    gone = send(gateway, Idempotency_Key="a")

    assert gone.status_code == 409
    assert gone.json()["error"]["code"] == "answer_gone"
    assert gone.json()["error"]["request_id"] == first.headers["x-mintery-receipt"]


def test_an_idempotency_key_whose_attempt_failed_says_so(gateway: Rig):
    body = {**CHAT, "model": "test/fails"}
    assert send(gateway, body, Idempotency_Key="a").status_code == 502

    again = send(gateway, body, Idempotency_Key="a")

    assert (again.status_code, again.json()["error"]["code"]) == (409, "attempt_failed")
    assert gateway.stub.control.requests == 1
    assert gateway.untouched()


def test_an_idempotency_key_has_bounds(gateway: Rig):
    assert send(gateway, Idempotency_Key="x" * 256).json()["error"]["param"] == "Idempotency-Key"
    assert gateway.untouched()


def test_a_raised_voucher_admits_one_request_and_its_declared_retry(gateway: Rig):
    raised = raised_text(credits_=1)
    body = {**CHAT, "model": "test/slow"}
    send_and_leave(gateway, body, Mintery_Voucher=raised)
    gateway.stub.control.go_on.set()
    assert captured(gateway)

    repeated = send(gateway, body, Mintery_Voucher=raised)
    other_body = send(gateway, Mintery_Voucher=raised, **RETRY)
    retried = send(gateway, body, Mintery_Voucher=raised, **RETRY)

    assert (repeated.status_code, other_body.status_code, retried.status_code) == (409, 409, 200)
    assert repeated.headers["x-should-retry"] == other_body.headers["x-should-retry"] == "false"
    assert gateway.stub.control.requests == 1


def test_a_raised_voucher_admits_what_the_key_alone_does_not(gateway: Rig):
    poor = key_text(max_spend=0)

    assert send(gateway, key=poor).status_code == 402
    assert send(gateway, key=poor, Mintery_Voucher=raised_text(credits_=1)).status_code == 200
