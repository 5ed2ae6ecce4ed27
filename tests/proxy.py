"""Stands between a ledger and its PostgreSQL, and cuts the connection where a test wants it cut."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Cut = Callable[[bytes], bool]
"""Given what a client sends, whether the connection is to be cut there."""


class Proxy:
    """Listens on ``port`` of 127.0.0.1. Set ``before`` or ``after`` to cut once: before the server gets those bytes, or
    after it has done what they ask, so that the client does not hear of it.
    """

    def __init__(self, server: Path) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.before: Cut | None = None
        self.after: Cut | None = None
        self.cuts = 0
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._server))
                deaf = threading.Event()
                threading.Thread(target=self._up, args=(client, server, deaf), daemon=True).start()
                threading.Thread(target=self._down, args=(client, server, deaf), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket, deaf: threading.Event) -> None:
        with suppress(OSError):
            while sent := client.recv(65_536):
                if self.before is not None and self.before(sent):
                    self.before, self.cuts = None, self.cuts + 1
                    break
                if self.after is not None and self.after(sent):
                    self.after, self.cuts = None, self.cuts + 1
                    deaf.set()
                server.sendall(sent)
        _close(client, server)

    def _down(self, client: socket.socket, server: socket.socket, deaf: threading.Event) -> None:
        with suppress(OSError):
            while answered := server.recv(65_536):
                if deaf.is_set():  # the server has answered, so it has done it
                    break
                client.sendall(answered)
        _close(client, server)


def _close(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


@contextmanager
def proxy_of(server: Path) -> Iterator[Proxy]:
    proxy = Proxy(server)
    try:
        yield proxy
    finally:
        proxy.close()
