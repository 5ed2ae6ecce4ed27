"""What an open stream costs in memory: many are opened that stop after their first event, and the server is weighed."""

import asyncio
import json
from typing import cast
from urllib.parse import urlsplit

import uvloop
from tests.bench.load import BadAnswer, http_request
from tests.bench.machine import resident_bytes
from tests.bench.rounds import MODEL
from tests.bench.rows import Row
from tests.bench.upstream import STALL

_FIRST_EVENT_SECONDS = 60


def bytes_per_stream(row: Row, streams: int) -> float:
    """Resident bytes of the server for each of ``streams`` that are open at once, the first of them left out: what is
    made once is no stream's.
    """
    return uvloop.run(_weigh(row, streams))


async def _weigh(row: Row, streams: int) -> float:
    message = {"role": "user", "content": STALL.decode()}
    body = json.dumps({"model": MODEL, "messages": [message], "max_tokens": 1, "stream": True}).encode()
    keys = row.keys or (None,)
    requests = [http_request(row.server.url, body, keys[number % len(keys)]) for number in range(2 * streams)]
    readers = await _open(row, requests[:streams])
    before = resident_bytes(row.server.pid)
    readers += await _open(row, requests[streams:])
    grown = resident_bytes(row.server.pid) - before
    for reader in readers:
        reader.close()
    return grown / streams


async def _open(row: Row, requests: list[bytes]) -> "list[_Reader]":
    loop, parts = asyncio.get_running_loop(), urlsplit(row.server.url)
    readers = []
    async with asyncio.timeout(_FIRST_EVENT_SECONDS):
        for request in requests:
            _, reader = await loop.create_connection(_Reader, parts.hostname, parts.port)
            reader.send(request)
            readers.append(reader)
        await asyncio.gather(*(reader.begun for reader in readers))
    return readers


class _Reader(asyncio.Protocol):
    def __init__(self) -> None:
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def send(self, request: bytes) -> None:
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        if b"data: " in self._read and not self.begun.done():
            self.begun.set_result(None)

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.begun.done():
            self.begun.set_exception(BadAnswer(self._read[:1_000].decode(errors="replace")))

    def close(self) -> None:
        self._transport.close()
