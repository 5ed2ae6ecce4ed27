"""Everything that is not a plain chat, through the stock client, charged to the unit."""

from collections.abc import Iterator

import openai
import orjson
import pytest
from tests.databases import new_ledger
from tests.gateway.rig import IDENTITY, INPUT_USD, OUTPUT_USD, Rig, rig

from mintery.ledger.store import open_ledger

PICTURE = "data:image/png;base64," + "A" * 40_000
NANO = 10**9
"""1e-18 USD in a nanocredit at the rig's par."""


@pytest.fixture
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    path = new_ledger(tmp_path_factory.mktemp("modalities") / "ledger.sqlite")
    with open_ledger(path, IDENTITY) as ledger:
        with rig(ledger) as running:
            running.fund(100)
            yield running
        ledger.check()


def receipt(gateway: Rig, request: str) -> dict:
    return gateway.get(f"/v1/receipts/{request}").json()


def used(gateway: Rig) -> dict[str, int]:
    newest = gateway.get("/v1/receipts").json()["data"][0]
    return {line["sku"].rpartition(":")[2]: line["quantity"] for line in receipt(gateway, newest["id"])["usage"]}


def test_several_pictures_are_charged_each_by_size_and_quality(gateway: Rig):
    answer = gateway.client().images.generate(model="test/paint", prompt="a cat", n=3, size="1024x1024", quality="high")
    assert len(answer.data or ()) == 3
    assert used(gateway) == {"image.1024x1024-high": 3}
    assert gateway.balance.captured == 3 * 167 * 10**15 // NANO


def test_what_the_request_leaves_open_is_asked_for_by_name(gateway: Rig):
    gateway.client().images.generate(model="test/paint", prompt="a cat", size="512x512")
    assert gateway.stub.control.bodies[-1]["quality"] == "low"
    assert gateway.balance.captured == 4 * 10**15 // NANO


def test_pictures_whose_price_is_open_are_refused(gateway: Rig):
    for fields in (
        {"size": "1024x1024"},
        {"quality": "low"},
        {"size": "auto"},
        {"size": "2048x2048"},
        {"stream": True},
    ):
        refused = gateway.post("/v1/images/generations", json={"model": "test/paint", "prompt": "a cat", **fields})
        assert refused.status_code == 422, fields
    assert gateway.untouched()


def test_speech_is_binary_and_charged_by_its_characters(gateway: Rig):
    answer = gateway.client().audio.speech.create(model="test/speak", input="héllo 🐈", voice="alloy")
    assert answer.read() == b"[TEST] no sound"
    assert answer.response.headers["content-type"] == "audio/mpeg"
    assert used(gateway) == {"character": 7}
    assert gateway.balance.captured == 7 * 15 * 10**12 // NANO
    [newest] = gateway.get("/v1/receipts").json()["data"]
    assert receipt(gateway, newest["id"])["usage_source"] == "counted"


def test_sound_is_kept_for_a_retry_as_it_was(gateway: Rig):
    body = {"model": "test/speak", "input": "hello", "voice": "alloy"}
    answers = [gateway.post("/v1/audio/speech", json=body, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert [each.headers["content-type"] for each in answers] == ["audio/mpeg"] * 2
    assert answers[0].content == answers[1].content == b"[TEST] no sound"
    assert gateway.stub.control.requests == 1


def test_a_recording_is_charged_by_its_seconds(gateway: Rig):
    answer = gateway.client().audio.transcriptions.create(
        model="test/listen", file=("a.MP3", b"x" * 250), language="de"
    )
    assert answer.text.startswith("[TEST]")
    assert used(gateway) == {"second": 3}
    assert gateway.stub.control.bodies[-1] == {"model": "listen", "language": "de"}


def test_a_form_sent_again_with_another_boundary_is_the_same_request(gateway: Rig):
    headers = {"Idempotency-Key": "once"}
    answers = [
        gateway.client().audio.transcriptions.create(model="test/listen", file=b"x" * 250, extra_headers=headers).text
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert gateway.stub.control.requests == 1


def test_a_judgement_is_charged_as_a_request(gateway: Rig):
    answer = gateway.client().moderations.create(model="test/judge", input=["one", "two"])
    assert len(answer.results) == 2
    assert used(gateway) == {"request": 1}
    assert gateway.balance.captured == 10**15 // NANO


def test_a_response_whole_and_streamed(gateway: Rig):
    client = gateway.client()
    whole = client.responses.create(model="test/see", input="one two")
    assert whole.output_text == "[TEST] echo: one two"
    assert whole.usage is not None
    once = gateway.balance.captured
    assert once == (whole.usage.input_tokens * INPUT_USD + whole.usage.output_tokens * OUTPUT_USD) // NANO > 0

    with client.responses.create(model="test/see", input="one two", stream=True) as stream:
        events = list(stream)
    assert events[-1].type == "response.completed"
    assert events[-1].response.usage == whole.usage
    assert gateway.balance.captured == 2 * once


def test_a_streamed_response_ends_after_its_capture_and_is_kept_for_a_retry(gateway: Rig):
    body = {"model": "test/see", "input": "one two", "stream": True}
    headers = {"Idempotency-Key": "once"}
    first = gateway.post("/v1/responses", json=body, headers=headers)
    again = gateway.post("/v1/responses", json=body, headers=headers)
    assert first.content == again.content
    assert again.headers["x-mintery-replayed"] == "true"
    assert gateway.stub.control.requests == 1


def test_a_response_that_breaks_is_charged_for_what_came(gateway: Rig):
    with (
        pytest.raises(openai.APIError),
        gateway.client(max_retries=0).responses.create(model="test/breaks", input="one two", stream=True) as stream,
    ):
        list(stream)
    assert used(gateway)["output_token"] == 3  # "[TEST] echo:" in fours


def test_a_picture_in_a_prompt_is_held_by_its_number_not_its_bytes(gateway: Rig):
    parts = [
        {"type": "text", "text": "what is this"},
        {"type": "image_url", "image_url": {"url": PICTURE, "detail": "high"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/huge.png"}},
    ]
    body = {"model": "test/see", "max_tokens": 10, "messages": [{"role": "user", "content": parts}]}
    quoted = {line["sku"]: line["max_quantity"] for line in gateway.post("/v1/quote", json=body).json()["lines"]}
    assert 1_600 < quoted["test/see:input_token"] < 2_500
    assert gateway.post("/v1/chat/completions", json=body).status_code == 200
    sent = gateway.stub.control.bodies[-1]["messages"][0]["content"]
    assert sent == parts

    refused = gateway.post("/v1/chat/completions", json={**body, "model": "test/echo"})
    assert refused.status_code == 422


def form(*fields: tuple[str, str], file: bytes = b"x" * 100) -> tuple[bytes, str]:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields
    ]
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    return b"".join(parts) + head + file + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([("model", "test/listen")], 200),
        ([("model", "test/listen"), ("model", "test/other")], 400),
        ([("model", "test/listen"), ("response_format", "text")], 422),
        ([("model", "test/listen"), ("stream", "true")], 422),
        ([("model", "test/listen"), ("surprise", "1")], 422),
        ([("model", "test/echo")], 422),
        ([], 400),
    ],
)
def test_forms(gateway: Rig, fields: list[tuple[str, str]], status: int):
    body, content_type = form(*fields)
    answer = gateway.post("/v1/audio/transcriptions", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status, answer.text
    assert gateway.stub.control.requests == (status == 200)


def test_a_form_as_json_is_refused(gateway: Rig):
    body = orjson.dumps({"model": "test/listen", "file": "x"})
    headers = {"Content-Type": "application/json"}
    assert gateway.post("/v1/audio/transcriptions", content=body, headers=headers).status_code == 400
