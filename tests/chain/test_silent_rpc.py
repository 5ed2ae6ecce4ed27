"""What a person reads about an endpoint that does not answer."""

import socket

import pytest

from mintery.chain.rpc import connect, without_secrets
from mintery.errors import RpcUnavailable


def test_a_refused_connection_is_told_in_two_words() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(RpcUnavailable) as raised:
            connect(f"http://127.0.0.1:{bound.getsockname()[1]}/v3/project-key")

    assert raised.value.why == "connection refused"
    assert "project-key" not in str(raised.value)


@pytest.mark.parametrize("url", ["garbage", "http://", "ftp://127.0.0.1"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(RpcUnavailable, match="no http:// or https:// address"):
        connect(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://127.0.0.1:8545/", "http://127.0.0.1:8545"),
        ("https://user:word@rpc.example/v3/key", "https://rpc.example/…"),
        ("https://rpc.example/?key=secret", "https://rpc.example/…"),
        ("http://[::1", "(no URL)"),
    ],
)
def test_an_endpoint_is_shown_without_its_key(url: str, shown: str) -> None:
    assert without_secrets(url) == shown
