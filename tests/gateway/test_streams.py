"""Streams: relayed byte for byte, charged whoever still listens, capture first."""

import logging
import threading
import time
from contextlib import nullcontext

import httpx2
import pytest
from tests.gateway.rig import HOLDER, OPERATOR, SECRET, Rig, key_text, raised_text, voucher
from tests.gateway.test_retries import send_and_leave

CHAT = {"model": "test/echo", "messages": [{"role": "user", "content": "tell me of the sea"}], "max_tokens": 50}
USAGE = {"stream_options": {"include_usage": True}}


def test_a_stream_is_relayed_byte_for_byte(gateway: Rig):
    ours = gateway.post("/v1/chat/completions", json={**CHAT, "stream": True, **USAGE}).content
    sent = gateway.stub.control.bodies[-1]
    theirs = gateway.http.post(gateway.stub.base_url + "/chat/completions", json=sent).content

    assert ours == theirs
    assert ours.endswith(b"data: [DONE]\n\n")


def test_a_client_that_leaves_in_mid_stream_is_charged_once(gateway: Rig):
    gateway.stub.control.pause = 0.05
    send_and_leave(gateway, {**CHAT, "stream": True}, until=b"[TEST]")

    assert gateway.settled(lambda: gateway.balance.held == 0)
    [receipt] = gateway.get("/v1/receipts").json()["data"]
    assert int(receipt["cost_nanocredits"]) == gateway.balance.captured > 0
    assert receipt["usage_source"] == "provider"
    assert gateway.stub.control.requests == 1
    assert gateway.ledger.request(receipt["id"]).delivered_at is None


def test_a_client_that_leaves_before_a_whole_answer_is_charged_once(gateway: Rig):
    send_and_leave(gateway, {**CHAT, "model": "test/slow"})
    gateway.stub.control.go_on.set()

    assert gateway.settled(lambda: gateway.balance.captured > 0)
    assert gateway.balance.held == 0


def test_a_stopping_gateway_finishes_what_it_answers(gateway: Rig):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(gateway.chat("test/slow")))
    thread.start()
    assert gateway.settled(lambda: gateway.stub.control.requests == 1)
    gateway.operator("POST", "/v1/operator/drain")
    gateway.stub.control.go_on.set()
    thread.join(20)

    assert answers[0].status_code == 200
    assert gateway.balance.captured > 0


def test_the_first_bytes_do_not_wait_for_the_last(gateway: Rig):
    gateway.stub.control.pause = 0.1
    started = time.monotonic()
    with gateway.http.stream(
        "POST",
        gateway.base_url + "/v1/chat/completions",
        headers={"Authorization": f"Bearer {key_text()}"},
        json={**CHAT, "stream": True},
    ) as response:
        pieces = [time.monotonic() - started for _ in response.iter_raw()]

    assert len(pieces) > 3
    assert pieces[-1] - pieces[0] > 0.3


@pytest.mark.parametrize("stream", [False, True])
def test_logs_tell_each_step_and_no_secret(gateway: Rig, caplog: pytest.LogCaptureFixture, stream: bool):
    caplog.set_level(logging.DEBUG)
    raised = raised_text(credits_=2)
    for model in ("test/echo", "test/no-usage", "test/fails", "test/none"):
        gateway.chat(model, "a secret prompt", stream=stream)
    with pytest.raises(httpx2.RemoteProtocolError) if stream else nullcontext():
        gateway.chat("test/dies-midstream", "a secret prompt", stream=stream)
    gateway.chat("test/echo", "a secret prompt", headers={"Mintery-Voucher": raised}, stream=stream)
    gateway.chat("test/echo", key=key_text()[:-4])
    gateway.chat("test/echo", key=key_text(max_spend=0))
    gateway.operator("GET", "/metrics")

    logged = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    for step in ("dispatched request=req_", "captured request=req_", "released request=req_", "usage_estimated"):
        assert step in logged
    signed = voucher().signed
    secrets = [
        "secret prompt", "mv1.", "mr1.", OPERATOR, "sk-upstream", SECRET.hex(), signed.r.hex(), signed.vs.hex(),
        HOLDER.secret_bytes().hex(), key_text()[4:40], raised[4:40],
    ]  # fmt: skip
    assert [secret for secret in secrets if secret in logged] == []
