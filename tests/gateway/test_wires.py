"""Providers with formats of their own, behind the whole gateway: the stock client sees OpenAI's, and pays what they report."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import openai
import pytest
from aiohttp import web
from tests.databases import new_ledger
from tests.gateway.rig import IDENTITY, INPUT_USD, OUTPUT_USD, Rig, rig

from mintery.ledger.store import open_ledger

SAMPLES = Path(__file__).parents[1] / "providers" / "samples"
MESSAGES = [{"role": "user", "content": "hello " * 400}]
NANO = 10**9


@dataclass
class Replay:
    """Answers every request with one sample, or with its beginning."""

    url: str = ""
    sample: str = ""
    most: int | None = None
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.paths.append(request.path_qs)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        body = (SAMPLES / self.sample).read_bytes()[: self.most]
        kind = "text/event-stream" if self.sample.endswith(".sse") else "application/json"
        return web.Response(body=body, content_type=kind)


@contextmanager
def replaying() -> Iterator[Replay]:
    replay, loop = Replay(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/{path:.*}", replay.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        replay.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        return runner

    runner = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    try:
        yield replay
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture(params=["anthropic", "google"])
def speaking(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Rig, Replay]]:
    wire: str = request.param
    with replaying() as replay, open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger:
        with rig(ledger, upstream=replay.url, wire=wire) as running:
            running.fund(100)
            yield wire, running, replay
        ledger.check()


WHOLE = {
    "anthropic": ("anthropic-tools.json", 472, 0, 91, "/v1/messages"),
    "google": ("google-vision.json", 1_823, 0, 64, "/v1/models/echo:generateContent"),
}
STREAMED = {
    "anthropic": ("anthropic-tools-stream.sse", 472, 0, 89),
    "google": ("google-stream.sse", 30, 0, 429),
}


def cost(prompt: int, cached: int, completion: int) -> int:
    return (prompt * INPUT_USD + cached * INPUT_USD // 2 + completion * OUTPUT_USD) // NANO


def test_a_whole_answer(speaking: tuple[str, Rig, Replay]):
    wire, gateway, replay = speaking
    replay.sample, *used, path = WHOLE[wire]
    answer = gateway.client().chat.completions.create(model="test/echo", messages=MESSAGES)
    assert answer.usage is not None
    assert [answer.usage.prompt_tokens, answer.usage.completion_tokens] == [used[0] + used[1], used[2]]
    assert gateway.balance.captured == cost(*used) > 0
    assert replay.paths == [path]
    told = replay.headers[0]
    assert told["x-api-key" if wire == "anthropic" else "x-goog-api-key"] == "sk-upstream-1234"
    assert "authorization" not in told


def test_a_stream_with_and_without_its_usage(speaking: tuple[str, Rig, Replay]):
    wire, gateway, replay = speaking
    replay.sample, *used = STREAMED[wire]
    client = gateway.client()
    for shown in (True, False):
        options = {"include_usage": shown}
        with client.chat.completions.create(
            model="test/echo", messages=MESSAGES, stream=True, stream_options=options
        ) as stream:
            chunks = list(stream)
        assert (chunks[-1].usage is not None) == shown
        assert any(choice.finish_reason for chunk in chunks for choice in chunk.choices)
    assert gateway.balance.captured == 2 * cost(*used) > 0


def test_a_stream_that_breaks_after_its_first_pieces(speaking: tuple[str, Rig, Replay]):
    wire, gateway, replay = speaking
    replay.sample = STREAMED[wire][0]
    replay.most = len((SAMPLES / replay.sample).read_bytes()) - 200
    with (
        pytest.raises(openai.APIError),
        gateway.client(max_retries=0).chat.completions.create(
            model="test/echo", messages=MESSAGES, stream=True
        ) as stream,
    ):
        list(stream)
    [receipt] = gateway.get("/v1/receipts").json()["data"]
    facts = gateway.get(f"/v1/receipts/{receipt['id']}").json()
    assert facts["usage_source"] == "estimated"
    assert 0 < gateway.balance.captured < cost(*STREAMED[wire][1:])


@pytest.mark.parametrize("fields", [{"logprobs": True}, {"n": 2}, {"prompt_cache_key": "a"}, {"store": True}])
def test_what_the_format_cannot_say_is_refused_before_anything_is_held(speaking: tuple[str, Rig, Replay], fields: dict):
    _, gateway, replay = speaking
    assert gateway.chat(**fields).status_code == 422
    assert gateway.untouched()
    assert not replay.paths


def test_what_only_the_translation_finds_is_refused_too(speaking: tuple[str, Rig, Replay]):
    _, gateway, replay = speaking
    refused = gateway.chat(messages=[{"role": "function", "content": "a"}])
    assert refused.status_code == 422
    assert "function" in refused.json()["error"]["message"]
    assert gateway.untouched()
    assert not replay.paths


def test_a_stream_that_breaks_after_its_tool_calls_is_charged_for_their_arguments(tmp_path: Path):
    with replaying() as replay, open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger:
        with rig(ledger, upstream=replay.url) as gateway:
            gateway.fund(100)
            replay.sample = "openai-chat-tools.sse"
            whole = (SAMPLES / replay.sample).read_bytes()
            replay.most = whole.index(b'"tool_calls"}')  # the reason to finish: all arguments are there, no usage is
            with (
                pytest.raises(openai.APIError),
                gateway.client(max_retries=0).chat.completions.create(
                    model="test/echo", messages=MESSAGES, stream=True
                ) as stream,
            ):
                list(stream)
            [newest] = gateway.get("/v1/receipts").json()["data"]
            facts = gateway.get(f"/v1/receipts/{newest['id']}").json()
        ledger.check()
    used = {line["sku"].rpartition(":")[2]: line["quantity"] for line in facts["usage"]}
    said = 2 * len("weather") + len('{"city":"Paris"}') + len('{"city":"Rome"}')
    assert (facts["usage_source"], used["output_token"]) == ("estimated", -(-said // 4))
