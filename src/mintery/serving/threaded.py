"""A server in a thread of its own, on a socket that was bound before."""

import errno
import socket
import threading
from collections.abc import Sequence

import uvicorn

from mintery.errors import PortTaken

BACKLOG = 2_048


class ThreadedServer:
    """``url`` is where it listens; ``close`` lets it answer what it has begun."""

    def __init__(self, config: uvicorn.Config, host: str, listeners: Sequence[socket.socket], name: str) -> None:
        """Returns when it accepts connections, or never will: see ``started``. ``listeners`` are bound, the first of them on
        ``host``, and are closed in the end; ``name`` is the thread's.
        """
        self._listeners = [*listeners]
        self.host = host
        self.port: int = self._listeners[0].getsockname()[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._server = _ReadyServer(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": self._listeners}, name=name, daemon=True
        )
        self._thread.start()
        self._server.ready.wait()

    @property
    def started(self) -> bool:
        return self._server.started

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        for listener in self._listeners:
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
            listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(host, port) from error
        raise
    return listener
