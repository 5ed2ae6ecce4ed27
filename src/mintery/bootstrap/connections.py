"""What one client's connection may take of a gateway, before and after anybody has shown a key."""

import asyncio
import contextlib
import socket
import sys
from array import array
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if sys.platform == "linux":
    import fcntl
    import termios


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    """Attributes:
    connections: at once; one more is closed before it is read from.
    head_bytes: of a request's line and headers. A voucher key and a raised voucher need about one thousand.
    head_seconds: from a connection's or a request's first byte to the end of its headers.
    stall_seconds: how long a client may take nothing of what waits for it before it is cut off. What it asked for goes
        on without it.
    """

    connections: int = 2_000
    head_bytes: int = 64 * 1024
    head_seconds: float = 30
    stall_seconds: float = 30


DEFAULT_BOUNDS = ConnectionBounds()


class BoundedConfig(uvicorn.Config):
    """uvicorn's own, with bounds that every connection reads."""

    def __init__(self, app: Any, bounds: ConnectionBounds, **options: Any) -> None:
        super().__init__(app, http=BoundedProtocol, **options)
        self.bounds = bounds


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's own keeps a head or trailers of any length in memory, and waits for clients for ever."""

    def __init__(self, config: BoundedConfig, *arguments: Any, **options: Any) -> None:
        super().__init__(config, *arguments, **options)
        self._bounds = config.bounds
        self._headlong = 0
        """Bytes since a head, a piece of a body or a message was last complete."""
        self._in_head = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        if len(self.connections) > self._bounds.connections:
            transport.abort()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._headlong += len(data)
        super().data_received(data)
        if self._headlong > self._bounds.head_bytes and not self.transport.is_closing():
            self.send_400_response("The request's head is too long.")
        if self._in_head and self._head_timer is None:  # most heads come whole, and need no timer
            self._await_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        self._headlong = 0
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._headlong = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._headlong = 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall_timer is None:
            self._watch_reader(self._waiting())

    def resume_writing(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
        super().resume_writing()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self._bounds.head_seconds, self.transport.abort)

    def _watch_reader(self, waiting: int) -> None:
        self._stall_timer = self.loop.call_later(self._bounds.stall_seconds, self._look, waiting)

    def _look(self, waited: int) -> None:
        """Anything that it took meanwhile is progress."""
        waiting = self._waiting()
        if waiting >= waited:
            self.transport.abort()
        else:
            self._watch_reader(waiting)

    def _waiting(self) -> int:
        """Bytes that the client has not taken, those included that the system keeps for it: it keeps megabytes, and asks
        for more only when a good part of them is gone.
        """
        kept = array("i", [0])
        connection: socket.socket | None = self.transport.get_extra_info("socket")
        if connection is not None and sys.platform == "linux":
            with contextlib.suppress(OSError):  # it was closed meanwhile
                fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, kept)
        return self.transport.get_write_buffer_size() + kept[0]

    def _stop_timers(self) -> None:
        for timer in (self._head_timer, self._stall_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._stall_timer = None
