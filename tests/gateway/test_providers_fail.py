"""Providers that are down, slow, dying or talking nonsense; usage that is missing, wrong or absurd."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionChunk
from tests.databases import new_ledger
from tests.gateway.rig import IDENTITY, INPUT_USD, OUTPUT_USD, Rig, rig

from mintery.ledger.store import open_ledger
from mintery.providers.stub_answers import prompt_tokens

HELLO = [{"role": "user", "content": "hello there"}]


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Rig]:
    """Waits half a second for a first byte and for the next."""
    with open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger:
        with rig(ledger, first_byte=0.5, idle=0.5) as running:
            running.fund(100)
            yield running
        ledger.check()


def until_cut(response: httpx2.Response, once_said: Callable[[], None] = lambda: None) -> str:
    """What came before the connection was cut; fails when the stream ends cleanly."""
    text = ""
    try:
        for piece in response.iter_text():
            text += piece
            if "[TEST]" in text:
                once_said()
    except httpx2.RemoteProtocolError:
        return text
    pytest.fail("the stream ended cleanly")


FAILURES = {
    "fails": (502, "provider_refused"),
    "nonsense": (502, "provider_nonsense"),
    "dies-early": (502, "provider_nonsense"),
    "refuses": (400, "provider_refused"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", FAILURES)
def test_a_provider_that_fails_costs_nothing(gateway: Rig, name: str, stream: bool):
    response = gateway.chat(f"test/{name}", stream=stream)

    assert (response.status_code, response.json()["error"]["code"]) == FAILURES[name]
    assert response.headers["x-should-retry"] == "false"
    assert gateway.untouched()
    assert "sk-upstream" not in response.text


def test_what_the_provider_says_of_a_bad_request_reaches_the_client(gateway: Rig):
    assert "too hot" in gateway.chat("test/refuses").json()["error"]["message"]


def test_the_official_client_sends_a_failed_request_once(gateway: Rig):
    with pytest.raises(openai.InternalServerError):
        gateway.client(max_retries=2).chat.completions.create(model="test/fails", messages=HELLO)

    assert gateway.stub.control.requests == 1


def test_a_provider_that_is_down(tmp_path: Path):
    with (
        open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger,
        rig(ledger, upstream="http://127.0.0.1:1/v1") as down,
    ):
        down.fund(100)
        response = down.chat()

        assert (response.status_code, response.json()["error"]["code"]) == (502, "provider_unreachable")
        assert response.headers["x-should-retry"] == "false"
        assert down.untouched()


@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_that_is_slow(impatient: Rig, stream: bool):
    response = impatient.chat("test/slow", stream=stream)

    assert (response.status_code, response.json()["error"]["code"]) == (504, "provider_timed_out")
    assert response.headers["x-should-retry"] == "false"
    assert impatient.untouched()


def test_a_stream_that_goes_quiet_is_charged_for_what_came(impatient: Rig):
    impatient.stub.control.pause = 0.2
    with impatient.http.stream(
        "POST",
        impatient.base_url + "/v1/chat/completions",
        headers={"Authorization": f"Bearer {impatient.client().api_key}"},
        json={"model": "test/echo", "messages": HELLO, "stream": True},
    ) as response:
        text = until_cut(response, lambda: setattr(impatient.stub.control, "pause", 2))

    error = json.loads(text.rstrip().rpartition("data: ")[2])["error"]
    assert error["code"] == "stream_broke"
    assert "[DONE]" not in text
    assert impatient.balance.captured > 0
    assert impatient.balance.held == 0


def test_a_stream_that_dies_ends_in_an_error_event_and_an_abort(gateway: Rig):
    stream = gateway.client().chat.completions.create(model="test/dies-midstream", messages=HELLO, stream=True)

    with pytest.raises(openai.APIError, match="broke"):
        list(stream)

    [receipt] = gateway.get("/v1/receipts").json()["data"]
    assert receipt["usage_source"] == "estimated"
    assert int(receipt["cost_nanocredits"]) == gateway.balance.captured > 0
    assert gateway.balance.held == 0


def test_a_kept_broken_stream_breaks_again(gateway: Rig):
    body = json.dumps({"model": "test/dies-midstream", "messages": HELLO, "stream": True})
    texts = []
    for _ in range(2):
        headers = {"Idempotency-Key": "a", "Authorization": f"Bearer {gateway.client().api_key}"}
        with gateway.http.stream(
            "POST", gateway.base_url + "/v1/chat/completions", headers=headers, content=body
        ) as response:
            texts.append(until_cut(response))

    assert all("stream_broke" in text and "[DONE]" not in text for text in texts)
    assert gateway.stub.control.requests == 1


def test_an_answer_longer_than_we_carry_is_charged_and_explained(tmp_path: Path):
    with open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger:
        with rig(ledger, max_answer_bytes=1_024) as narrow:
            narrow.fund(100)
            for _ in range(4):  # none of them opens the breaker
                response = narrow.chat(n=8, max_tokens=50)

            error = response.json()["error"]
            assert (response.status_code, error["code"], error["limit"]) == (502, "answer_too_long", 1_024)
            assert response.headers["x-should-retry"] == "false"
            [receipt] = narrow.get("/v1/receipts?limit=1").json()["data"]
            quantities = {line["sku"].rpartition(":")[2]: line["quantity"] for line in receipt["usage"]}
            assert (receipt["usage_source"], quantities["output_token"]) == ("bound", 8 * 50)
            why = narrow.get("/v1/why/" + response.headers["x-mintery-request"]).json()
            assert (why["cause"], why["evidence"]["usage_source"]) == ("model", "bound")
            assert alarms(narrow, "bound") == 4
        ledger.check()


def receipt_of(gateway: Rig, response: httpx2.Response) -> dict:
    return gateway.get("/v1/receipts/" + response.headers["x-mintery-receipt"]).json()


@pytest.mark.parametrize("stream", [False, True])
def test_zero_is_zero(gateway: Rig, stream: bool):
    response = gateway.chat("test/zero-usage", stream=stream)
    receipt = receipt_of(gateway, response)

    assert (receipt["cost_nanocredits"], receipt["usage_source"], receipt["usage"]) == ("0", "provider", [])
    assert gateway.untouched()


@pytest.mark.parametrize("stream", [False, True])
def test_missing_usage_is_estimated_and_marked(gateway: Rig, stream: bool):
    receipt = receipt_of(gateway, gateway.chat("test/no-usage", stream=stream))
    sent = len(json.dumps(gateway.stub.control.bodies[-1], separators=(",", ":")))
    said = len("[TEST] echo: hello there")

    assert receipt["usage_source"] == "estimated"
    quantities = {line["sku"].rpartition(":")[2]: line["quantity"] for line in receipt["usage"]}
    assert quantities == {"input_token": -(-sent // 4), "output_token": -(-said // 4)}


@pytest.mark.parametrize("model", ["test/echo", "test/dies-midstream"])
def test_what_a_stream_told_on_its_way_is_not_its_last_figure(gateway: Rig, model: str):
    """One token was told with the first word; the input's figure stands, and the output that came is estimated."""
    gateway.stub.control.early = True
    said = "".join(
        chunk.choices[0].delta.content or ""
        for chunk in until_broken(gateway.client().chat.completions.create(model=model, messages=HELLO, stream=True))
    )

    [receipt] = gateway.get("/v1/receipts").json()["data"]
    assert receipt["usage_source"] == "estimated"
    quantities = {line["sku"].rpartition(":")[2]: line["quantity"] for line in receipt["usage"]}
    assert quantities == {"input_token": prompt_tokens(HELLO), "output_token": -(-len(said) // 4)}
    assert quantities["output_token"] > 1
    assert alarms(gateway, "estimated") == 1


def until_broken(stream: Iterable[ChatCompletionChunk]) -> Iterator[ChatCompletionChunk]:
    with suppress(openai.APIError):
        yield from stream


def test_negative_usage_is_clamped_and_alarmed(gateway: Rig):
    receipt = receipt_of(gateway, gateway.chat("test/negative-usage"))

    assert (receipt["cost_nanocredits"], receipt["usage_source"]) == ("0", "clamped")
    assert alarms(gateway, "clamped") == 1


@pytest.mark.parametrize("stream", [False, True])
def test_usage_above_the_hold_is_clamped_and_alarmed(gateway: Rig, stream: bool):
    response = gateway.chat("test/tenfold-usage", max_tokens=4, stream=stream)
    receipt = receipt_of(gateway, response)

    assert receipt["usage_source"] == "clamped"
    assert int(receipt["cost_nanocredits"]) <= int(receipt["held_nanocredits"])
    quantities = {line["sku"].rpartition(":")[2]: line["quantity"] for line in receipt["usage"]}
    assert quantities["output_token"] == 4
    assert int(receipt["cost_nanocredits"]) == (quantities["input_token"] * INPUT_USD + 4 * OUTPUT_USD) // 10**9
    assert alarms(gateway, "clamped") == 1


def alarms(gateway: Rig, kind: str) -> float | None:
    return gateway.parts.registry.get_sample_value("mintery_usage_alarms_total", {"alarm": kind})
