"""As much of an HTTP/1.1 server as a chain endpoint and a model provider need, with its connections in our hands."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

Answer = Callable[["Asked"], Awaitable[None]]
_RESET = struct.pack("ii", 1, 0)


class Asked:
    """One request. Reply, or ``begin`` a chunked answer, or ``cut`` the connection."""

    def __init__(self, path: str, body: bytes, line: "_Line", transport: asyncio.Transport) -> None:
        self.path = path
        self.body = body
        self._line, self._transport = line, transport

    def reply(self, body: bytes, *, status: int = 200, kind: str = "application/json") -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._write(head.encode() + body)

    def begin(self, kind: str = "text/event-stream") -> None:
        self._write(f"HTTP/1.1 200 X\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())

    def chunk(self, piece: bytes) -> None:
        if piece:
            self._write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

    def end(self) -> None:
        self._write(b"0\r\n\r\n")

    @property
    def gone(self) -> bool:
        """The other side has given up."""
        return self._line.left.is_set() or self._transport.is_closing()

    def cut(self) -> None:
        """Drop the connection, as a crash would."""
        reset(self._transport)

    async def hang(self) -> None:
        """Say nothing until the other side gives up."""
        await self._line.left.wait()
        self.cut()

    def _write(self, piece: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(piece)


def reset(transport: asyncio.WriteTransport) -> None:
    """RST instead of FIN."""
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0 and connection.family == socket.AF_INET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


async def serve(answer: Answer) -> tuple[asyncio.Server, str]:
    """Listen on a free port of 127.0.0.1, and ``beside`` it; the server and its URL."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Line(answer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await loop.create_unix_server(lambda: _Line(answer), beside(port))
    return server, f"http://127.0.0.1:{port}"


def beside(port: int) -> str:
    """The name of a local socket that answers as the port does; it is in no directory, and goes with its process."""
    return f"\0mintery-faults-{port}"


class _Line(asyncio.Protocol):
    """One connection: requests come one after the other. ``left``: the other side sends no more."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._read = b""
        self._answering: asyncio.Task[None] | None = None
        self.left = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport  # uvloop's own are no asyncio.Transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        if self._answering is None:
            self._next()

    def eof_received(self) -> bool:
        self.left.set()
        return self._answering is not None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- the protocol's signature
        self.left.set()

    def _next(self) -> None:
        head, found, rest = self._read.partition(b"\r\n\r\n")
        if not found:
            return
        length = _length_in(head)
        if len(rest) < length:
            return
        self._read = rest[length:]
        asked = Asked(head.split(b" ", 2)[1].decode(), rest[:length], self, self._transport)
        self._answering = asyncio.ensure_future(self._answered(asked))

    async def _answered(self, asked: Asked) -> None:
        try:
            await self._answer(asked)
        except Exception:
            self._transport.abort()
            raise
        finally:
            self._answering = None
            if self.left.is_set():
                self._transport.close()
            elif not self._transport.is_closing():
                self._next()


def _length_in(head: bytes) -> int:
    at = head.lower().find(b"\r\ncontent-length:")
    return 0 if at < 0 else int(head[at + 17 :].split(b"\r\n", 1)[0])
