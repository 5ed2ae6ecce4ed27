"""Texts from outside that a database may not take: each is answered, written and explained, on PostgreSQL too."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.gateway.rig import IDENTITY, Rig, key_text, rig
from tests.postgres import Postgres
from yarl import URL

from mintery.domain.hold import RequestId
from mintery.ledger.store import open_ledger
from mintery.ledger.texts import INSTEAD, NUL

BAD = f"a{NUL}b"
SHOWN = f"a{INSTEAD}b"
SAID = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def gateway(postgres: Postgres) -> Iterator[Rig]:
    """One for all, on the database that takes less."""
    with postgres.new_database() as name, open_ledger(postgres.url(name), IDENTITY) as ledger:
        with rig(ledger) as running:
            running.fund(100)
            yield running
        ledger.check()


def test_names_that_no_text_may_hold_are_refused_and_explained_in_one_way(gateway: Rig):
    refused = [
        gateway.chat(BAD),
        gateway.chat("best", models=[BAD]),
        gateway.chat("best", provider={"only": [BAD]}),
        gateway.chat("best", provider={"order": [BAD], "only": [BAD], "allow_fallbacks": False}),
        gateway.chat(**{BAD: 1}),
        gateway.chat(tools=[{"type": "function", BAD: 1}]),
        gateway.chat(modalities=[BAD]),
        gateway.post("/v1/images/generations", json={"model": "test/paint", "prompt": "x", "size": BAD}),
        gateway.post("/v1/chat/completions", json={"model": BAD, "messages": SAID}, key="mv1.none"),
    ]
    assert all(400 <= response.status_code < 500 for response in refused), [each.text for each in refused]

    at_once = [why(gateway, response) for response in refused]
    named = [RequestId(response.headers["x-mintery-request"]) for response in refused]
    assert gateway.settled(lambda: all(gateway.ledger.refusal(each) for each in named))
    assert [why(gateway, response) for response in refused] == at_once
    assert "\\u0000" not in json.dumps(at_once)
    assert at_once[0]["evidence"]["asked"] == SHOWN


def why(gateway: Rig, refused: httpx2.Response) -> dict[str, Any]:
    return gateway.get("/v1/why/" + refused.headers["x-mintery-request"]).json()


def test_what_is_said_may_hold_anything(gateway: Rig):
    answered = [
        gateway.chat(text=BAD),
        gateway.chat(user=BAD),
        gateway.chat(prompt_cache_key=BAD, model_="best"),
        gateway.chat(metadata={BAD: BAD}),
        gateway.chat(stop=[BAD]),
    ]

    assert [response.status_code for response in answered] == [200] * len(answered), [each.text for each in answered]
    assert len(gateway.get("/v1/receipts").json()["data"]) == len(answered)


@pytest.mark.parametrize("path", ["/v1/receipts/", "/v1/why/", "/v1/receipts/req_%00", "/v1/models/"])
def test_no_path_holds_it_either(gateway: Rig, path: str):
    response = gateway.http.get(
        str(URL(gateway.base_url + path + "%00", encoded=True)), headers={"Authorization": f"Bearer {key_text()}"}
    )

    assert response.status_code == 404
    assert gateway.chat().status_code == 200


@pytest.mark.parametrize("name", [b"idempotency-key", b"mintery-session", b"mintery-voucher", b"authorization"])
def test_no_header_holds_it(gateway: Rig, name: bytes):
    key = b"" if name == b"authorization" else b"authorization: Bearer " + key_text().encode() + b"\r\n"
    url = URL(gateway.base_url)
    assert url.host is not None
    assert url.port is not None
    with socket.create_connection((url.host, url.port), timeout=30) as raw:
        raw.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n"
            + key
            + name
            + b": a\0b\r\n\r\n{}"
        )
        status = raw.recv(4_096).split(b" ", 2)[1]

    assert status == b"400"
