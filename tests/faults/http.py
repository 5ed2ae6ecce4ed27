"""As much of an HTTP/1.1 server as a chain endpoint and a model provider need, with its connections in our hands."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

Answer = Callable[["Asked"], Awaitable[None]]
_RESET = struct.pack("ii", 1, 0)


class Asked:
    """One request. Reply, or ``begin`` a chunked answer, or ``cut`` the connection."""

    def __init__(self, path: str, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.path = path
        self.body = body
        self._reader = reader
        self._writer = writer

    def reply(self, body: bytes, *, status: int = 200, kind: str = "application/json") -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)

    def begin(self, kind: str = "text/event-stream") -> None:
        self._writer.write(f"HTTP/1.1 200 X\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())

    def chunk(self, piece: bytes) -> None:
        if piece:
            self._writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

    def end(self) -> None:
        self._writer.write(b"0\r\n\r\n")

    async def flush(self) -> None:
        await self._writer.drain()

    @property
    def gone(self) -> bool:
        """The other side has given up."""
        return self._reader.at_eof() or self._writer.is_closing()

    def cut(self) -> None:
        """Drop the connection, as a crash would."""
        reset(self._writer)

    async def hang(self) -> None:
        """Say nothing until the other side gives up."""
        await self._reader.read(1)
        self.cut()


def reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of FIN."""
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


async def serve(answer: Answer) -> tuple[asyncio.Server, str]:
    """Listen on a free port of 127.0.0.1; the server and its URL."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (asked := await _read(reader, writer)) is not None:
                await answer(asked)
                if writer.is_closing():
                    return
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # the other side is gone, or the world ends
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    return server, f"http://127.0.0.1:{port}"


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Asked | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    line, _, rest = head.partition(b"\r\n")
    length = 0
    for header in rest.split(b"\r\n"):
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = await reader.readexactly(length) if length else b""
    return Asked(line.split(b" ")[1].decode(), body, reader, writer)
