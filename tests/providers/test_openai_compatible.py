"""The adapter against the stub, and against upstreams that break the format in their own ways."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import orjson
import pytest
from tests.fakes.provider import tokens

from mintery.domain.model import Endpoint
from mintery.errors import (
    AnswerTooLong,
    NotInItsFormat,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnreachable,
)
from mintery.providers.calls import StreamEvent
from mintery.providers.config import ProviderConfig
from mintery.providers.openai_compatible import OpenAICompatible, open_providers
from mintery.providers.openai_wire import MAX_CHUNK_BYTES
from mintery.providers.reading import produced_by
from mintery.providers.stub import Stub, run_stub, stub_config

pytestmark = pytest.mark.anyio
ASKED = {"model": "echo", "messages": [{"role": "user", "content": "one two"}]}


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    running = run_stub()
    yield running
    running.stop()


@pytest.fixture
async def provider(stub: Stub) -> AsyncIterator[OpenAICompatible]:
    [(name, opened)] = open_providers([stub_config(stub.base_url, registry_id=1)]).items()
    assert name == "test"
    yield opened
    await opened.close()


async def collect(provider: OpenAICompatible, body: bytes) -> list[StreamEvent]:
    async with aclosing(provider.stream(Endpoint.CHAT, body)) as events:
        return [event async for event in events]


async def test_a_whole_answer(provider: OpenAICompatible):
    reply = await provider.ask(Endpoint.CHAT, orjson.dumps(ASKED))

    message = orjson.loads(reply.body)["choices"][0]["message"]["content"]
    assert message == "[TEST] echo: one two"
    assert reply.usage == tokens(5, 4)


async def test_the_stub_says_test_everywhere(provider: OpenAICompatible):
    reply = orjson.loads((await provider.ask(Endpoint.CHAT, orjson.dumps(ASKED))).body)
    assert reply["system_fingerprint"] == "fp_TEST"
    assert reply == orjson.loads((await provider.ask(Endpoint.CHAT, orjson.dumps(ASKED))).body)


async def test_a_stream_joined_says_what_the_whole_answer_says(provider: OpenAICompatible):
    body = orjson.dumps({**ASKED, "stream": True, "stream_options": {"include_usage": True}})

    events = await collect(provider, body)

    assert events[-1].last
    assert [event.usage for event in events if event.only_usage] == [tokens(5, 4)]
    assert produced_by(b"".join(event.raw for event in events)) == len("[TEST] echo: one two")


async def test_embeddings(provider: OpenAICompatible):
    reply = await provider.ask(Endpoint.EMBEDDINGS, orjson.dumps({"model": "embed", "input": ["a", "b"]}))
    assert reply.usage is not None
    assert reply.usage["output_token"] == 0


async def test_an_abandoned_stream_lets_go_of_its_connection(provider: OpenAICompatible):
    async with aclosing(provider.stream(Endpoint.CHAT, orjson.dumps({**ASKED, "stream": True}))) as events:
        await anext(events)
    assert (await provider.ask(Endpoint.CHAT, orjson.dumps(ASKED))).usage == tokens(5, 4)


@contextmanager
def upstream(status: int, content_type: str, *pieces: bytes, headers: dict[str, str] | None = None) -> Iterator[str]:
    """A server that answers each request with these bytes and closes."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.server.seen = dict(self.headers)  # type: ignore[attr-defined]  # kept for the test
            self.send_response(status)
            for name, value in {"Content-Type": content_type, **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            for piece in pieces:
                self.wfile.write(piece)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def at(base_url: str, **fields: object) -> OpenAICompatible:
    config = stub_config(base_url, registry_id=1)
    named = {name: getattr(config, name) for name in ("name", "registry_id", "kind", "base_url", "models")}
    return OpenAICompatible(ProviderConfig(**{**named, **fields}))  # type: ignore[arg-type]  # the config's own fields


STREAMS = {
    "no end": (b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n', "without"),
    "cut in an event": (b'data: {"choices":[]}\n\ndata: {"cho', "without"),
    "an error event": (b'data: {"error":{"message":"x"}}\n\n', "mid-stream"),
    "no json": (b"data: hello\n\n", "no JSON"),
}


@pytest.mark.parametrize("name", STREAMS)
async def test_streams_that_break_the_format(name: str):
    sent, why = STREAMS[name]
    with upstream(200, "text/event-stream", sent) as url:
        provider = at(url)
        with pytest.raises(ProviderNonsense, match=why):
            await collect(provider, b"{}")
        await provider.close()


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


WHOLES = {
    "anthropic": b'{"content":[{"type":"tool_use","id":"1","name":"f","input":%s}]}',
    "google": b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":%s}}}]}}]}',
    "openai": b'{"output":%s}',
}
DEEP_EVENTS = {
    "anthropic": b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%s}}',
    "google": WHOLES["google"],
}


@pytest.mark.parametrize("depth", [300, 1_000])
@pytest.mark.parametrize("wire", WHOLES)
async def test_an_answer_that_nests_too_deeply_is_nonsense(wire: str, depth: int):
    endpoint = Endpoint.RESPONSES if wire == "openai" else Endpoint.CHAT
    asked = orjson.dumps({**ASKED, "max_tokens": 1})
    with upstream(200, "application/json", WHOLES[wire] % nested(depth)) as url:
        provider = at(url, wire=wire)
        with pytest.raises(ProviderNonsense):
            await provider.ask(endpoint, asked)
        await provider.close()


@pytest.mark.parametrize("wire", DEEP_EVENTS)
async def test_an_event_that_nests_too_deeply_is_nonsense(wire: str):
    with upstream(200, "text/event-stream", b"data: " + DEEP_EVENTS[wire] % nested(300) + b"\n\n") as url:
        provider = at(url, wire=wire)
        with pytest.raises(ProviderNonsense):
            await collect(provider, orjson.dumps({**ASKED, "max_tokens": 1, "stream": True}))
        await provider.close()


@pytest.mark.parametrize("body", [b"{}", b"no json"])
async def test_what_cannot_be_written_for_a_provider_fails_as_its_call(body: bytes):
    provider = at("http://127.0.0.1:1/v1", wire="anthropic")
    with pytest.raises(NotInItsFormat):
        await provider.ask(Endpoint.CHAT, body)
    await provider.close()


async def test_an_answer_that_is_too_long():
    with upstream(200, "application/json", b"[" * 5_000) as url:
        provider = at(url, max_answer_bytes=4_096)
        with pytest.raises(AnswerTooLong) as refused:
            await provider.ask(Endpoint.CHAT, b"{}")
        await provider.close()
    assert refused.value.limit == 4_096


async def test_an_event_that_is_too_long():
    with upstream(200, "text/event-stream", b"data: " + b"x" * (MAX_CHUNK_BYTES + 1)) as url:
        provider = at(url)
        with pytest.raises(AnswerTooLong) as refused:
            await collect(provider, b"{}")
        await provider.close()
    assert refused.value.limit == MAX_CHUNK_BYTES


async def test_a_refusal_is_one_however_long():
    with upstream(500, "text/plain", b"sorry " * 1_000) as url:
        provider = at(url, max_answer_bytes=1_024)
        with pytest.raises(ProviderRefused) as refused:
            await provider.ask(Endpoint.CHAT, b"{}")
        await provider.close()
    assert refused.value.status == 500


async def test_json_where_a_stream_was_asked_for():
    with upstream(200, "application/json", b'{"choices":[]}') as url:
        provider = at(url)
        with pytest.raises(ProviderNonsense, match="application/json"):
            await collect(provider, b"{}")
        await provider.close()


async def test_redirects_are_refused_and_not_followed():
    with upstream(307, "text/plain", headers={"Location": "http://127.0.0.1:1/"}) as url:
        provider = at(url)
        with pytest.raises(ProviderRefused) as refused:
            await provider.ask(Endpoint.CHAT, b"{}")
        await provider.close()
    assert refused.value.status == 307


async def test_a_refusal_carries_its_words_and_when_to_come_back():
    with upstream(429, "application/json", b'{"error":{"message":"slow down"}}', headers={"Retry-After": "7"}) as url:
        provider = at(url)
        with pytest.raises(ProviderRefused) as refused:
            await provider.ask(Endpoint.CHAT, b"{}")
        await provider.close()
    assert (refused.value.status, refused.value.retry_after) == (429, "7")
    assert b"slow down" in refused.value.body


async def test_nobody_there():
    provider = at("http://127.0.0.1:1/v1")
    with pytest.raises(ProviderUnreachable):
        await provider.ask(Endpoint.CHAT, b"{}")
    await provider.close()


async def test_too_slow(stub: Stub):
    provider = at(stub.base_url, first_byte_seconds=0.2)
    with pytest.raises(ProviderTimedOut) as late:
        await provider.ask(Endpoint.CHAT, orjson.dumps({**ASKED, "model": "slow"}))
    assert late.value.seconds == 1
    await provider.close()


async def test_too_long_in_all(stub: Stub):
    stub.control.pause = 0.1
    provider = at(stub.base_url, total_seconds=0.5)
    with pytest.raises(ProviderTimedOut):
        await collect(
            provider, orjson.dumps({**ASKED, "stream": True, "messages": [{"role": "user", "content": "a " * 50}]})
        )
    stub.control.pause = 0
    await provider.close()
