"""An attempt's answer on its way to one client."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mintery.gateway.errors import Problems
from mintery.providers.sse import event_of
from mintery.usecases.attempts import EVENTS, Attempt, Head


class AnswerResponse(Response):
    """Sends what an attempt has and will have. A broken stream ends in an error event and an abort, never cleanly.

    The client's going away stops nothing but this response. ``delivered`` is awaited once the client has the last byte.
    """

    def __init__(
        self, attempt: Attempt, head: Head, problems: Problems, delivered: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(None, head.status, _headers(attempt, head), head.content_type)
        del self.headers["content-length"]
        self._attempt = attempt
        self._stream = head.content_type == EVENTS
        self._problems = problems
        self._delivered = delivered
        self._gone = False

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        watch = asyncio.create_task(self._watch(receive))
        try:
            await (self._send_stream(send) if self._stream else self._send_whole(send))
        finally:
            watch.cancel()

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._gone = True

    async def _send_whole(self, send: Send) -> None:
        body = b"".join([piece async for piece in self._attempt.pieces()])
        self.headers["content-length"] = str(len(body))
        await asyncio.sleep(0)  # let the watch see a client that left while we waited
        await self._start(send)
        await self._finish(send, body)

    async def _send_stream(self, send: Send) -> None:
        await self._start(send)
        async for piece in self._attempt.pieces():
            if self._gone:
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if (error := self._attempt.error) is not None:
            event = event_of(self._problems.of(error).body)
            await send({"type": "http.response.body", "body": event, "more_body": True})
            return  # the body is left without its end, and the server drops the connection
        await self._finish(send, b"")

    async def _start(self, send: Send) -> None:
        start: dict[str, Any] = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)

    async def _finish(self, send: Send, body: bytes) -> None:
        gone = self._gone
        await send({"type": "http.response.body", "body": body, "more_body": False})
        if not gone:
            await self._delivered()


def _headers(attempt: Attempt, head: Head) -> dict[str, str]:
    # x-request-id as well: the stock client keeps that one with its answer, so an app finds the receipt by it.
    headers = {"x-mintery-receipt": attempt.request, "x-request-id": attempt.request, "cache-control": "no-store"}
    if head.held is not None:
        headers["x-mintery-quote-nanocredits"] = str(head.held)
    if head.cost is not None:
        headers["x-mintery-cost-nanocredits"] = str(head.cost)
    if head.replayed:
        headers["x-mintery-replayed"] = "true"
    return headers
