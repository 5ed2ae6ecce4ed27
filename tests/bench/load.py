"""The client: as many kept connections as requests are to be in flight, each sending its next when the last one ended.

It reads no more of an answer than where it ends and whether it is good, so that it costs the other core little.
"""

import asyncio
import itertools
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_GOOD = b"HTTP/1.1 200"
_LAST_CHUNK = b"0\r\n\r\n"
_DONE = b"[DONE]"


class BadAnswer(RuntimeError):
    """An answer that is no good one; ``str`` shows its beginning."""


@dataclass(slots=True)
class Load:
    """What one burst is made of: requests, sent in turn."""

    url: str
    requests: Sequence[bytes]


@dataclass(slots=True)
class Burst:
    """One burst's outcome. Latencies and ``elapsed`` in seconds."""

    latencies: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.elapsed

    def percentile(self, share: float) -> float:
        ranked = sorted(self.latencies)
        return ranked[min(int(len(ranked) * share), len(ranked) - 1)]


def http_request(url: str, body: bytes, key: str | None) -> bytes:
    """A POST of a chat completion to the API at ``url``, as it goes over the wire."""
    parts = urlsplit(url)
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    head = (
        f"POST {parts.path}/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\n{authorization}"
        f"Content-Type: application/json\r\nAccept: application/json\r\nUser-Agent: bench\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def run_burst(load: Load, *, concurrency: int, seconds: float, most: int) -> Burst:
    """Send for ``seconds``, or ``most`` requests; what is in flight then is waited for.

    Raises:
        BadAnswer
    """
    loop = asyncio.get_running_loop()
    parts = urlsplit(load.url)
    ended: asyncio.Future[None] = loop.create_future()
    turns = itertools.islice(itertools.cycle(load.requests), most)
    run = _Run(turns, Burst(), ended, concurrency)
    callers = []
    for _ in range(concurrency):
        _, caller = await loop.create_connection(lambda: _Caller(run), parts.hostname, parts.port)
        callers.append(caller)
    began = time.perf_counter()
    run.until = began + seconds
    for caller in callers:
        caller.send_next()
    try:
        await ended
    finally:
        for caller in callers:
            caller.close()
    run.burst.elapsed = time.perf_counter() - began
    return run.burst


@dataclass(slots=True)
class _Run:
    requests: "itertools.islice[bytes]"
    burst: Burst
    ended: "asyncio.Future[None]"
    busy: int
    until: float = 0.0

    def one_less(self) -> None:
        self.busy -= 1
        if not self.busy and not self.ended.done():
            self.ended.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)


class _Caller(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._answer = bytearray()
        self._end = -1
        """Where the answer ends, once its head has said so; -1 before that and for chunks."""
        self._chunked = False
        self._sent = 0.0
        self._idle = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def connection_lost(self, error: Exception | None) -> None:
        if not self._idle:
            self._run.fail(BadAnswer(f"the connection ended ({error}) after {bytes(self._answer[-200:])!r}"))

    def close(self) -> None:
        self._idle = True
        self._transport.close()

    def send_next(self) -> None:
        now = time.perf_counter()
        request = next(self._run.requests, None) if now < self._run.until else None
        if request is None:
            self._idle = True
            self._run.one_less()
            return
        self._idle = False
        self._sent = now
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        answer += data
        if self._end < 0 and not self._chunked:
            head = answer.find(b"\r\n\r\n")
            if head < 0:
                return
            if not answer.startswith(_GOOD):
                self._run.fail(BadAnswer(bytes(answer[:1_000]).decode(errors="replace")))
                return
            length = _LENGTH.search(answer, 0, head)
            self._chunked = length is None
            self._end = head + 4 + int(length[1]) if length else -1
        if self._chunked:
            if not answer.endswith(_LAST_CHUNK):
                return
            if _DONE not in answer[-64:]:
                self._run.fail(BadAnswer(f"a stream ended with {bytes(answer[-200:])!r}"))
                return
        elif len(answer) < self._end:
            return
        self._run.burst.latencies.append(time.perf_counter() - self._sent)
        answer.clear()
        self._end, self._chunked = -1, False
        self.send_next()
