"""What a connection may take: a head in time, a place among others, and no memory for what it does not read."""

import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager

from fastapi import FastAPI
from starlette.responses import StreamingResponse

from mintery.bootstrap.connections import ConnectionBounds
from mintery.bootstrap.serving import GatewayServer

GET = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"
PIECE = b"x" * 65_536
PIECES = 400


class Cut:
    """What the application saw of the reader of its stream."""

    def __init__(self) -> None:
        self.sent = 0
        self.ended = threading.Event()


@contextmanager
def serving(bounds: ConnectionBounds) -> Iterator[tuple[GatewayServer, Cut]]:
    app, cut = FastAPI(), Cut()

    @app.get("/")
    async def hello() -> str:
        return "hello"

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                for _ in range(PIECES):
                    yield PIECE
                    cut.sent += 1
            finally:
                cut.ended.set()

        return StreamingResponse(pieces())

    server = GatewayServer(app, "127.0.0.1", 0, drain_seconds=1, bounds=bounds)
    try:
        yield server, cut
    finally:
        server.close()


def connect(server: GatewayServer) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    return connection


def is_cut(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def read_all(connection: socket.socket) -> int:
    """Bytes until the connection ended, in whichever way."""
    read = 0
    try:
        while piece := connection.recv(2**20):
            read += len(piece)
    except ConnectionResetError:
        pass
    return read


def test_a_head_that_drips_in_is_given_up():
    with serving(ConnectionBounds(head_seconds=0.3)) as (server, _), closing(connect(server)) as connection:
        connection.sendall(b"GET / HT")
        began = time.monotonic()
        assert is_cut(connection)
        assert time.monotonic() - began < 15


def test_a_connection_that_says_nothing_is_given_up():
    with serving(ConnectionBounds(head_seconds=0.3)) as (server, _), closing(connect(server)) as connection:
        assert is_cut(connection)


def test_the_second_head_of_a_connection_has_its_own_time():
    with serving(ConnectionBounds(head_seconds=3)) as (server, _), closing(connect(server)) as connection:
        for _ in range(3):
            time.sleep(1.1)
            connection.sendall(GET % b"")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")


def test_a_second_head_that_drips_in_is_given_up():
    with serving(ConnectionBounds(head_seconds=0.3)) as (server, _), closing(connect(server)) as connection:
        connection.sendall(GET % b"")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        connection.sendall((GET % b"")[:10])
        began = time.monotonic()
        assert is_cut(connection)
        assert time.monotonic() - began < 15


def test_one_more_than_may_be_connected_is_closed_and_the_others_are_not():
    with serving(ConnectionBounds(connections=2)) as (server, _):
        with closing(connect(server)) as first, closing(connect(server)) as second:
            for each in (first, second):
                each.sendall(GET % b"")
                assert each.recv(65_536).startswith(b"HTTP/1.1 200")
            with closing(connect(server)) as third:
                assert is_cut(third)
            first.sendall(GET % b"")
            assert first.recv(65_536).startswith(b"HTTP/1.1 200")
        until = time.monotonic() + 10
        while True:
            with closing(connect(server)) as fourth:
                fourth.sendall(GET % b"")
                if not is_cut(fourth):
                    break
            assert time.monotonic() < until, "a place that was left is free again"


def test_who_stops_reading_is_cut_off():
    with serving(ConnectionBounds(stall_seconds=0.3)) as (server, cut), closing(connect(server)) as connection:
        connection.sendall(GET % b"stream")

        assert cut.ended.wait(10), "what was asked for goes on without it"
        assert read_all(connection) < PIECES * len(PIECE)


def test_who_reads_slowly_reads_everything():
    with serving(ConnectionBounds(stall_seconds=2)) as (server, cut), closing(connect(server)) as connection:
        connection.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        read = 0
        for _ in range(8):
            read += len(connection.recv(65_536))
            time.sleep(0.3)
        read += read_all(connection)

        assert cut.ended.is_set()
        assert read >= PIECES * len(PIECE)
