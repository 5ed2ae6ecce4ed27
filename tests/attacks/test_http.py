"""Clients that drip, never read, or send what no honest client sends."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest
from fastapi import FastAPI, Request
from tests.databases import new_ledger
from tests.gateway.rig import IDENTITY, Rig, key_text, rig

from mintery.bootstrap.serving import GatewayServer
from mintery.domain.price import PriceInForce
from mintery.errors import MalformedRequest
from mintery.ledger.store import open_ledger
from mintery.units import UsdWad
from mintery.usecases.parts import GatewayLimits
from mintery.usecases.shape_request import MOST_BRACKETS, read_fields


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Rig]:
    with open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger:
        with rig(ledger) as running:
            running.fund(100)
            yield running
        ledger.check()


def connect(base_url: str) -> socket.socket:
    at = urlsplit(base_url)
    return socket.create_connection((at.hostname, at.port), timeout=10)


def dearer(gateway: Rig, times: int) -> None:
    def raised(price: PriceInForce) -> PriceInForce:
        return replace(price, usd=UsdWad(price.usd * times), version=price.version + 1)

    gateway.market = replace(
        gateway.market, prices={sku: raised(price) for sku, price in gateway.market.prices.items()}
    )


def head_of(path: str, length: int) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key_text()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode()


def until_closed(connection: socket.socket) -> bytes:
    whole = b""
    while piece := connection.recv(65_536):
        whole += piece
    return whole


def test_a_body_sent_slowly_pins_no_price_of_before_it_was_whole(gateway: Rig):
    body = orjson.dumps({"model": "test/echo", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5})
    with closing(connect(gateway.base_url)) as connection:
        connection.sendall(head_of("/v1/chat/completions", len(body)) + body[:10])
        time.sleep(0.3)
        dearer(gateway, 10)
        connection.sendall(body[10:])
        assert until_closed(connection).startswith(b"HTTP/1.1 200")

    [receipt] = gateway.get("/v1/receipts").json()["data"]
    assert {line["price_version"] for line in receipt["usage"]} == {2}


@pytest.mark.parametrize("depth", [300, 1_000])
def test_deep_json_is_refused_as_malformed(gateway: Rig, depth: int):
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    body = b'{"model":"test/echo","messages":[{"role":"user","content":"hi"}],"metadata":%s}' % deep
    response = gateway.post("/v1/chat/completions", content=body, headers={"Content-Type": "application/json"})

    assert response.status_code == 400
    assert gateway.untouched()


@pytest.mark.parametrize("piece", [{"image": "https://example.com/large.png"}, 7, None, ["text"], [1, "x"], True])
@pytest.mark.parametrize("first", ["text", 1])
def test_embedding_inputs_are_texts_or_tokens_alone(gateway: Rig, first: object, piece: object):
    response = gateway.post("/v1/embeddings", json={"model": "test/embed", "input": [first, piece]})

    if type(first) is int and type(piece) is int:
        assert response.status_code == 200
    else:
        assert (response.status_code, gateway.untouched()) == (400, True)


@pytest.mark.parametrize("part", [b"[]", b"{}", b'{"role":""}'])
def test_millions_of_parts_are_refused_before_they_are_read(part: bytes):
    body = b'{"model":"test/echo","messages":[' + b",".join([part] * (3_900_000 // (len(part) + 1))) + b"]}"

    with pytest.raises(MalformedRequest, match="brackets"):
        read_fields(body)


@pytest.mark.parametrize("empty", [rb"\u005b\u005d", rb"\u005B]", rb"\u007b\u007d", rb"\u007B}"])
def test_a_text_that_is_read_as_json_once_more_has_no_more_brackets_than_a_body(empty: bytes):
    """What a tool was called with, as a chat tells it; Anthropic's and Google's wires write it as an object."""
    called = b'{"model":"m","messages":[{"role":"assistant","tool_calls":[{"function":{"arguments":"[%s]"}}]}]}'

    assert read_fields(called % b",".join([empty] * 100))
    with pytest.raises(MalformedRequest, match="brackets"):
        read_fields(called % b",".join([empty] * MOST_BRACKETS))


def test_a_body_that_never_ends_is_given_up(tmp_path: Path):
    with (
        open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger,
        rig(ledger, limits=GatewayLimits(body_seconds=1)) as gateway,
        closing(connect(gateway.base_url)) as connection,
    ):
        connection.sendall(head_of("/v1/chat/completions", 100) + b"{")
        assert b"body_too_slow" in until_closed(connection)


@contextmanager
def serving(drain_seconds: int) -> Iterator[GatewayServer]:
    app = FastAPI()

    @app.post("/")
    async def read(request: Request) -> int:
        return len(await request.body())

    server = GatewayServer(app, "127.0.0.1", 0, drain_seconds=drain_seconds)
    try:
        yield server
    finally:
        server.close()


def flood(connection: socket.socket) -> None:
    for _ in range(1024):
        connection.sendall(b"x" * 65_536)


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"


@pytest.mark.parametrize(
    "begun", [b"POST /", HEAD + b"X-Endless: ", HEAD + b"X", CHUNKED + b"1;", CHUNKED + b"0\r\nX-Endless: "]
)
def test_heads_and_trailers_without_end_are_cut_off(begun: bytes):
    with serving(1) as server, closing(connect(server.url)) as connection:
        connection.sendall(begun)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            flood(connection)


def test_a_long_body_is_no_head():
    with serving(1) as server, closing(connect(server.url)) as connection:
        connection.sendall(HEAD + b"Connection: close\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)
        assert until_closed(connection).endswith(b"1000000")


def test_a_client_that_sends_no_more_does_not_keep_the_gateway_from_stopping():
    with closing(socket.socket()) as connection, serving(1) as server:
        at = urlsplit(server.url)
        connection.connect((at.hostname, at.port))
        connection.sendall(HEAD + b"Content-Length: 100\r\n\r\nx")
        stopping = threading.Thread(target=server.close, daemon=True)
        stopping.start()
        stopping.join(10)
        assert not stopping.is_alive()
