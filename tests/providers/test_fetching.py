"""Pages of others: nothing that they do holds up whoever reads them."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from mintery.errors import FetchFailed
from mintery.providers import name_lookups
from mintery.providers.fetching import fetch_all

LOOKUP_SECONDS = 20


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[int]:
    """Its port, on this machine."""
    server = HTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names that were asked for. Those that begin with ``slow`` are found when the test is over."""
    asked: list[str] = []
    over = threading.Event()
    lookup = socket.getaddrinfo

    def look_up(host: str, *rest: Any, **options: Any) -> Any:
        asked.append(host)
        if host.startswith("slow"):
            over.wait(LOOKUP_SECONDS)
        return lookup("127.0.0.1", *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield asked
    over.set()
    until = time.monotonic() + LOOKUP_SECONDS
    while name_lookups._under_way:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_name_that_is_slow_to_find_delays_nobody(page: int, looked_up: list[str]):
    began = time.monotonic()

    for _ in range(2):
        slow, quick = fetch_all(
            [f"http://slow.example:{page}/", f"http://quick.example:{page}/"], most_bytes=10, seconds=1.5
        )
        assert isinstance(slow, FetchFailed)
        assert "too long" in str(slow)
        assert quick == b"{}"

    assert time.monotonic() - began < LOOKUP_SECONDS / 2
    assert looked_up.count("slow.example") == 1


def test_a_name_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch):
    def fails(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", fails)

    [answer] = fetch_all(["http://none.example/"], most_bytes=10, seconds=20)

    assert isinstance(answer, FetchFailed)
    assert answer.host == "none.example:80"
