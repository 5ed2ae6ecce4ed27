"""Serves the gateway's application in a thread, so that jobs, a chain and a program stand beside it in one process."""

import errno
import gc
import socket
import threading
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI

from mintery.bootstrap.connections import DEFAULT_BOUNDS, BoundedConfig, ConnectionBounds
from mintery.errors import PortTaken

_BACKLOG = 2_048
_COLLECT_AFTER = (50_000, 20, 50)
"""Python's default looks through the youngest objects after every few requests, though none of them leaves a cycle."""


def spare_collector() -> None:
    """For a process that does nothing but serve: what stands when it begins is never looked through for garbage again,
    and what comes after is less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


class GatewayServer:
    """A running server. ``url`` is where it listens; ``close`` lets it answer what it has begun."""

    def __init__(
        self,
        app: FastAPI,
        host: str,
        port: int,
        *,
        drain_seconds: int = 30,
        listeners: Sequence[socket.socket] = (),
        bounds: ConnectionBounds = DEFAULT_BOUNDS,
    ) -> None:
        """Returns when it accepts connections. ``port`` 0 takes a free one; ``listeners`` are bound already, the first of
        them there, and are closed in the end. ``close`` waits ``drain_seconds`` for clients that neither send the rest of
        their request nor read their answer, then cuts them off.

        Raises:
            PortTaken
        """
        self._sockets = [*listeners] or [bind(host, port)]
        self.host = host
        self.port: int = self._sockets[0].getsockname()[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        config = BoundedConfig(
            app,
            bounds,
            ws="none",
            proxy_headers=False,  # whom a trusted proxy had a call from is read where that counts, and no client may say so
            access_log=False,
            server_header=False,  # nor what answers
            log_level="warning",
            log_config=None,
            timeout_graceful_shutdown=drain_seconds,
        )
        self._server = _ReadyServer(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": self._sockets}, name="gateway-http", daemon=True
        )
        self._thread.start()
        self._server.ready.wait()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        for listener in self._sockets:
            listener.close()


class _ReadyServer(uvicorn.Server):
    """Says when it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.ready.set()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; ``port`` 0 takes a free one. Bound here and not by uvicorn, which would end the process over a
    taken port.

    Raises:
        PortTaken
    """
    return _bound(host, port, shared=False)


def bind_shared(host: str, port: int) -> socket.socket:
    """A socket that does not listen yet, on a port that others of ours are bound to as well: connections go to those that
    listen, evenly on Linux.

    Raises:
        PortTaken: by another program.
    """
    return _bound(host, port, shared=True)


def _bound(host: str, port: int, *, shared: bool) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT if shared else socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        if not shared:
            listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(host, port) from error
        raise
    return listener
