"""Serves the gateway's application in a thread, so that jobs, a chain and a program stand beside it in one process."""

import gc
import socket
from collections.abc import Sequence

from fastapi import FastAPI

from mintery.bootstrap.connections import DEFAULT_BOUNDS, BoundedConfig, ConnectionBounds
from mintery.serving.threaded import ThreadedServer, bind

_COLLECT_AFTER = (50_000, 20, 50)
"""Python's default looks through the youngest objects after every few requests, though none of them leaves a cycle."""


def spare_collector() -> None:
    """For a process that does nothing but serve: what stands when it begins is never looked through for garbage again,
    and what comes after is less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


class GatewayServer(ThreadedServer):
    """The gateway's running server."""

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
        sockets = [*listeners] or [bind(host, port)]
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
        super().__init__(config, host, sockets, "gateway-http")
