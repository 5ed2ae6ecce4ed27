"""JSON-RPC over HTTP: what the server itself decides."""

import http.client
import json
import socket
from typing import Any

import pytest

from mintery.chain.devchain.chain import DevChain
from mintery.chain.devchain.server import MAX_BODY_BYTES, RpcServer
from mintery.errors import PortTaken

CALL = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).encode()
JSON = {"Content-Type": "application/json"}


def ask(server: RpcServer, body: bytes, headers: dict[str, str], verb: str = "POST") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    try:
        connection.request(verb, "/", body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_requests_and_batches_are_answered_on_one_connection(server: RpcServer):
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    for body in (CALL, b"[" + CALL + b"," + CALL + b"]"):
        connection.request("POST", "/", body, JSON)
        answer: Any = json.loads(connection.getresponse().read())
        for one in answer if isinstance(answer, list) else [answer]:
            assert one == {"jsonrpc": "2.0", "id": 1, "result": "0x7a69"}
    connection.close()


def test_malformed_json_is_a_parse_error(server: RpcServer):
    status, body = ask(server, b"{", JSON)
    assert (status, json.loads(body)["error"]["code"]) == (200, -32700)


@pytest.mark.parametrize(
    ("verb", "headers", "status"),
    [
        ("GET", {}, 405),
        ("POST", {"Content-Type": "text/plain"}, 415),
        ("POST", {}, 415),
        ("POST", JSON | {"Host": "evil.example"}, 403),
        ("POST", JSON | {"Host": "localhost:1"}, 200),
        ("POST", {"Content-Type": "application/json; charset=utf-8"}, 200),
    ],
)
def test_only_local_json_posts_are_let_in(server: RpcServer, verb: str, headers: dict[str, str], status: int):
    assert ask(server, CALL, headers, verb)[0] == status


def test_a_body_over_the_limit_is_refused_announced_or_not(server: RpcServer):
    status, body = ask(server, b"", JSON | {"Content-Length": str(MAX_BODY_BYTES + 1)})
    assert (status, str(MAX_BODY_BYTES) in body.decode()) == (413, True)

    with socket.create_connection((server.host, server.port), timeout=30) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        for _ in range(MAX_BODY_BYTES // 0x100000 + 1):
            connection.sendall(chunk)
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_taken_port_is_named(chain: DevChain, server: RpcServer):
    with pytest.raises(PortTaken) as caught:
        chain.serve(port=server.port)
    assert (caught.value.host, caught.value.port) == ("127.0.0.1", server.port)


def test_a_closed_server_frees_its_port_and_the_chain_lives_on(chain: DevChain):
    with chain.serve(port=0) as first:
        port = first.port
        chain.rpc("evm_mine")
    with chain.serve(port=port) as second:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber"}).encode()
        assert json.loads(ask(second, body, JSON)[1])["result"] == "0x1"
