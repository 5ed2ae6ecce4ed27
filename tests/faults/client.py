"""One client's one HTTP request, byte by byte, and everything that it saw of the answer."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.faults.http import reset
from tests.faults.scenario import Manners

PATIENCE = 30.0
"""Seconds: a client that waits longer has found a gateway that hangs."""


@dataclass(slots=True)
class Seen:
    """``whole``: the answer came to its clean end, ``[DONE]`` included where it is a stream."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False
    broke: str = ""

    @property
    def receipt(self) -> str | None:
        return self.headers.get("x-mintery-receipt")

    @property
    def paid_answer(self) -> bool:
        """A whole answer of a paid request."""
        return self.whole and self.status == 200

    def json(self) -> Any:
        return json.loads(self.body)

    def words(self) -> str:
        told = f"{self.status}" if self.status else "nothing"
        if self.status >= 400:
            told += f" {self._code()}"
        return told + (" whole" if self.whole else f" broken off ({self.broke})") + f", {len(self.body)} bytes"

    def _code(self) -> str:
        try:
            return str(self.json()["error"]["code"])
        except (ValueError, KeyError, TypeError):
            return "?"


async def ask(
    base_url: str,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    *,
    manners: Manners = Manners.GOOD,
    at: int = 0,
) -> Seen:
    """``at`` is the byte of the answer at which an ill-mannered client leaves."""
    seen = Seen()
    parts = urlsplit(base_url)
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    except OSError as error:
        seen.broke = f"no connection: {type(error).__name__}"
        return seen
    try:
        async with asyncio.timeout(PATIENCE):
            await _send(writer, f"{method} {path}", headers, body, manners)
            if manners in {Manners.RESETS_AT_ONCE, Manners.CUTS_UPLOAD}:
                seen.broke = "left"
                reset(writer.transport)
                return seen
            await _receive(reader, seen, at if manners is Manners.RESETS_MIDWAY else None)
            if manners is Manners.RESETS_MIDWAY and not seen.whole:
                reset(writer.transport)
    except TimeoutError:
        seen.broke = "out of patience"
    except (OSError, asyncio.IncompleteReadError, ValueError) as error:
        seen.broke = type(error).__name__
    finally:
        writer.close()
    return seen


async def _send(
    writer: asyncio.StreamWriter, line: str, headers: dict[str, str], body: bytes, manners: Manners
) -> None:
    fields = {"Host": "gateway", "Content-Length": str(len(body)), "Connection": "close", **headers}
    head = f"{line} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    writer.write(head.encode() + (body[: len(body) // 2] if manners is Manners.CUTS_UPLOAD else body))
    await writer.drain()
    if manners is Manners.RESETS_AT_ONCE:
        await asyncio.sleep(0.004)
    if manners is Manners.HALF_CLOSES:
        writer.write_eof()


async def _receive(reader: asyncio.StreamReader, seen: Seen, leave_at: int | None) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    seen.status = int(line.split(" ")[1])
    for one in fields:
        name, _, value = one.partition(":")
        seen.headers[name.strip().lower()] = value.strip()
    if seen.headers.get("transfer-encoding") == "chunked":
        ended = await _receive_chunks(reader, seen, leave_at)
    else:
        wanted = int(seen.headers.get("content-length", 0))
        seen.body = await reader.readexactly(wanted if leave_at is None else min(wanted, leave_at))
        ended = len(seen.body) == wanted
    stream = seen.headers.get("content-type", "").startswith("text/event-stream")
    seen.whole = ended and (not stream or seen.body.rstrip().endswith(b"data: [DONE]"))
    if not seen.whole:
        seen.broke = "left" if leave_at is not None else "ended without [DONE]"


async def _receive_chunks(reader: asyncio.StreamReader, seen: Seen, leave_at: int | None) -> bool:
    while True:
        size = int(await reader.readline(), 16)
        seen.body += await reader.readexactly(size)
        await reader.readline()
        if not size:
            return True
        if leave_at is not None and len(seen.body) >= leave_at:
            return False
