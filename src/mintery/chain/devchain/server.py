"""JSON-RPC over HTTP: one POST path, bounded bodies, no cross-origin access."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

import uvicorn

from mintery.chain.devchain import rpc
from mintery.chain.devchain.faults import RpcFault
from mintery.errors import RpcUnavailable
from mintery.serving.threaded import ThreadedServer, bind

LOCALHOST = "127.0.0.1"
DEFAULT_PORT = 8545
MAX_BODY_BYTES = 8 * 1024 * 1024
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, never bound by default

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Submit = Callable[[Any], Future[Any]]


class _Rejected(Exception):
    """A request that is no JSON-RPC call; ``status`` is the HTTP status it gets."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class RpcApp:
    """The ASGI application. Only JSON bodies sent to a local name are accepted, so a web page that a developer visits
    cannot drive the chain: a cross-origin JSON post needs a preflight that is never granted, and a rebound name fails.
    """

    def __init__(self, submit: Submit, hosts: frozenset[str] | None) -> None:
        self._submit = submit
        self._hosts = hosts

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            self._check(scope)
            answer = await self._answer(await _read(receive))
        except _Rejected as rejected:
            await _respond(send, rejected.status, rejected.why.encode() + b"\n", b"text/plain")
            return
        await _respond(send, 200, answer, b"application/json")

    def _check(self, scope: Message) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "").rsplit(":", 1)[0].lower()
        if self._hosts is not None and host not in self._hosts:
            raise _Rejected(403, "invalid host specified")
        if scope["method"] != "POST":
            raise _Rejected(405, "send JSON-RPC requests by POST")
        if headers.get(b"content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise _Rejected(415, "the content type must be application/json")
        length = headers.get(b"content-length", "0")
        if length.isdigit() and int(length) > MAX_BODY_BYTES:
            raise _Rejected(413, f"the body has {length} bytes; the limit is {MAX_BODY_BYTES}")

    async def _answer(self, body: bytes) -> bytes:
        try:
            request = rpc.parse_body(body)
        except RpcFault as fault:
            return rpc.encode(rpc.failure(None, fault))
        return rpc.encode(await asyncio.wrap_future(self._submit(request)))


class RpcServer(ThreadedServer):
    """The chain's running server. Leaving it as a context closes it."""

    def __init__(self, submit: Submit, host: str, port: int) -> None:
        listener = bind(host, port)
        bound_host = listener.getsockname()[0]
        hosts = None if bound_host in ANY_ADDRESS else LOCAL_NAMES | {host.lower(), str(bound_host)}
        config = uvicorn.Config(
            RpcApp(submit, hosts),
            lifespan="off",
            access_log=False,
            log_level="warning",
            log_config=None,
            timeout_graceful_shutdown=5,
        )
        super().__init__(config, host, [listener], "devchain-http")
        if not self.started:
            self.close()
            raise RpcUnavailable(self.url, "the server did not start")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


async def _read(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Rejected(400, "the client left")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise _Rejected(413, f"the body is too large; the limit is {MAX_BODY_BYTES} bytes")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _respond(send: Send, status: int, body: bytes, content_type: bytes) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
