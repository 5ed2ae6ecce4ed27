"""TEST ONLY: a model server that makes its answers up, deterministically, in OpenAI's wire format.

Whatever a person sees of it says TEST: its models are ``test/…``, its texts begin with ``[TEST]``, its
``system_fingerprint`` is ``fp_TEST``.

It counts tokens by a rule of its own: a prompt has one token for each four bytes of message text, rounded up, and
three more for each message; an answer has one token for each word, or for each piece of a tool call's arguments.

Behaviour goes by the model's name (``echo`` behaves, ``slow``, ``no-usage``, … do not) or by ``StubControl.behaviour``.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from aiohttp import web

from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.voucher import Kind
from mintery.providers.config import ProviderConfig
from mintery.providers.sse import event_of
from mintery.providers.stub_answers import (
    LABEL,
    Behaviour,
    Turn,
    answer_chat,
    answer_embeddings,
    refusal_of,
    stream_chunks,
)
from mintery.providers.stub_jobs import JobControl, add_job_routes
from mintery.providers.stub_media import (
    SOUND,
    answer_images,
    answer_moderation,
    answer_response,
    answer_transcription,
    stream_response,
)

STUB_NAME = "test"
BUSY_SECONDS = "7"
"""What a busy stub puts into Retry-After."""


@dataclass
class StubControl:
    """What tests read and turn. Times are seconds.

    Attributes:
        requests: how many calls arrived, whatever became of them.
        behaviour: overrides the one in the model's name.
        usage: overrides the counted (prompt, completion) tokens.
        early: a stream tells what was used with its first word, and never again.
        pause: waits so long before each event of a stream.
        slow: how long ``slow`` waits before its first byte, unless ``go_on`` is set earlier.
        bodies: what arrived, newest last; ``keys`` the Authorization headers of the same.
        offered: the models that it lists.
        bodies: what arrived, newest last.
        jobs: what takes minutes elsewhere.
    """

    requests: int = 0
    behaviour: Behaviour | None = None
    usage: tuple[int, int] | None = None
    early: bool = False
    pause: float = 0
    slow: float = 30
    go_on: threading.Event = field(default_factory=threading.Event)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    offered: tuple[str, ...] = tuple(sorted(Behaviour))
    jobs: JobControl = field(default_factory=JobControl)


class Stub:
    """The server, in a thread with its own event loop, so that it serves synchronous tests and programs alike."""

    def __init__(self, host: str, port: int) -> None:
        self.control = StubControl()
        self.base_url = ""
        self._address = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stub-provider", daemon=True)
        self._runner: web.AppRunner | None = None

    def start(self) -> "Stub":
        """Returns when it listens. OSError when the port is taken."""
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        except OSError:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        self.control.go_on.set()
        if self._runner is not None:
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
            self._runner = None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._list)
        app.router.add_post("/v1/responses", self._respond)
        app.router.add_post("/v1/audio/speech", self._speak)
        app.router.add_post("/v1/audio/transcriptions", self._transcribe)
        add_job_routes(app, self.control.jobs)
        for path, answer in _ANSWERS.items():
            app.router.add_post(path, self._answer(answer))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, *self._address)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}/v1"

    async def _list(self, _request: web.Request) -> web.StreamResponse:
        return _json({"object": "list", "data": [{"id": name, "object": "model"} for name in self.control.offered]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        turn = await self._turn(request)
        if (early := await self._misbehave(request, turn)) is not None:
            return early
        if not turn.body.get("stream"):
            return _json(answer_chat(turn))
        return await self._stream(request, turn)

    def _answer(self, answer: Callable[[Turn], dict[str, Any]]) -> Callable[..., Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            turn = await self._turn(request)
            return await self._misbehave(request, turn) or _json(answer(turn))

        return serve

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        turn = await self._turn(request)
        if (early := await self._misbehave(request, turn)) is not None:
            return early
        if not turn.body.get("stream"):
            return _json(answer_response(turn))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, event in enumerate(stream_response(turn)):
            if turn.behaviour is Behaviour.DIES_MIDSTREAM and number == 3:
                _cut(request)
                return response
            await response.write(b"event: " + event["type"].encode() + b"\n" + event_of(orjson.dumps(event)))
        return response

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        turn = await self._turn(request)
        early = await self._misbehave(request, turn)
        return early or web.Response(body=SOUND, content_type="audio/mpeg")

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        recording = form["file"]
        assert isinstance(recording, web.FileField)  # noqa: S101 -- the gateway sends nothing else
        self.control.requests += 1
        self.control.bodies.append({name: value for name, value in form.items() if name != "file"})
        return _json(answer_transcription(recording.file.read()))

    async def _turn(self, request: web.Request) -> Turn:
        body = orjson.loads(await request.read())
        self.control.requests += 1
        self.control.bodies.append(body)
        self.control.keys.append(request.headers.get("Authorization", ""))
        control = self.control
        return Turn(body, control.behaviour or Behaviour.of(body["model"]), control.usage, control.early)

    async def _misbehave(self, request: web.Request, turn: Turn) -> web.StreamResponse | None:
        match turn.behaviour:
            case Behaviour.SLOW:
                await asyncio.to_thread(self.control.go_on.wait, self.control.slow)
            case Behaviour.DIES_EARLY:
                _cut(request)
            case Behaviour.NONSENSE:
                return web.Response(body=b"<html>[TEST] not JSON</html>", content_type="text/html")
            case Behaviour.REFUSES:
                return _refusal("temperature is too hot")
            case Behaviour.BUSY:
                return _json({"error": {"message": "[TEST] too many requests"}}, 429, {"Retry-After": BUSY_SECONDS})
            case Behaviour.FAILS:
                return _json({"error": {"message": "[TEST] out of order, key sk-upstream-1234"}}, status=500)
            case _:
                pass
        wrong = refusal_of(turn)
        return None if wrong is None else _refusal(wrong)

    async def _stream(self, request: web.Request, turn: Turn) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, chunk in enumerate(stream_chunks(turn)):
            if self.control.pause:
                await asyncio.sleep(self.control.pause)
            if turn.behaviour is Behaviour.DIES_MIDSTREAM and number == 3:
                _cut(request)
                return response
            await response.write(event_of(orjson.dumps(chunk)))
        await response.write(event_of(b"[DONE]"))
        return response


_ANSWERS: Mapping[str, Callable[[Turn], dict[str, Any]]] = {
    "/v1/embeddings": answer_embeddings,
    "/v1/moderations": answer_moderation,
    "/v1/images/generations": answer_images,
}


def run_stub(host: str = "127.0.0.1", port: int = 0) -> Stub:
    """Start a stub and return it listening: ``base_url`` for the provider's configuration, ``stop()`` at the end."""
    return Stub(host, port).start()


def stub_config(base_url: str, *, registry_id: int, kind: Kind = Kind.ROUTED) -> ProviderConfig:
    """The provider ``test`` at a stub's address, with a chat and an embeddings model that say TEST."""
    chat = Model(
        id="test/echo",
        upstream="echo",
        provider=STUB_NAME,
        provider_id=registry_id,
        kind=kind,
        endpoint=Endpoint.CHAT,
        units=frozenset({Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN}),
        max_output_tokens=1_024,
        context_tokens=32_768,
        test=True,
    )
    embed = replace(
        chat,
        id="test/embed",
        upstream="embed",
        endpoint=Endpoint.EMBEDDINGS,
        units=frozenset({Unit.INPUT_TOKEN}),
        max_output_tokens=0,
    )
    return ProviderConfig(STUB_NAME, registry_id, kind, base_url, models=(chat, embed))


def _json(answer: dict[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(answer), status=status, content_type="application/json", headers=headers)


def _refusal(message: str) -> web.Response:
    return _json({"error": {"message": f"{LABEL} {message}", "type": "invalid_request_error"}}, status=400)


def _cut(request: web.Request) -> None:
    """Drop the connection, as a crash would."""
    if request.transport is not None:
        request.transport.abort()
