"""Providers whose answers are shaped as no provider's should be."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.databases import new_ledger
from tests.gateway.rig import IDENTITY, Rig, rig

from mintery.ledger.store import open_ledger

USAGE = {"prompt_tokens": 5, "completion_tokens": 5}


@contextmanager
def upstream(
    answer: bytes, content_type: str, status: int = 200, headers: dict[str, str] | None = None
) -> Iterator[str]:
    class Says(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Says)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def selling(path: Path, answer: bytes, content_type: str, **rest: object) -> Iterator[Rig]:
    with (
        open_ledger(new_ledger(path / "ledger.sqlite"), IDENTITY) as ledger,
        upstream(answer, content_type, **rest) as base_url,
        rig(ledger, upstream=base_url) as running,
    ):
        running.fund(100)
        yield running
        ledger.check()


def chat(message: object, **fields: object) -> bytes:
    return json.dumps({"choices": [{"index": 0, "message": message}], "usage": USAGE, **fields}).encode()


ODD = {
    "calls": chat({"tool_calls": 5}),
    "call": chat({"tool_calls": {"a": 1}}),
    "bool": chat({"tool_calls": True}),
    "message": chat("text"),
    "choice": json.dumps({"choices": ["x", None, 5], "usage": USAGE}).encode(),
    "usage": chat({"content": "hi"}, usage=[1]),
    "huge": b'{"choices":[],"usage":{"prompt_tokens":1' + b"0" * 30 + b',"completion_tokens":-5}}',
    "floats": chat({"content": "hi"}, usage={"prompt_tokens": 1.5, "completion_tokens": 1e300}),
    "negative": chat({"content": "hi"}, usage={"prompt_tokens": -1, "completion_tokens": -(2**63)}),
    "details": chat({"content": "hi"}, usage={**USAGE, "prompt_tokens_details": {"cached_tokens": 2**63}}),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_leaves_nothing_held(tmp_path: Path, name: str, stream: bool):
    body = ODD[name]
    kind = "application/json"
    if stream:
        body, kind = (
            b"data: " + body.replace(b'"message"', b'"delta"') + b"\n\ndata: [DONE]\n\n" * 2,
            "text/event-stream",
        )
    with selling(tmp_path, body, kind) as gateway:
        response = gateway.chat(stream=stream)
        assert response.status_code in {200, 502}
        assert gateway.settled(lambda: gateway.balance.held == 0, 2)
        receipts = gateway.get("/v1/receipts").json()["data"]
        assert sum(int(each["cost_nanocredits"]) for each in receipts) == gateway.balance.captured


@pytest.mark.parametrize("status", [200, 302, 429, 500, 418, 204])
@pytest.mark.parametrize(
    "headers", [{"Retry-After": "\u00b3"}, {"Location": "http://127.0.0.1:1/"}, {"Content-Encoding": "gzip"}]
)
def test_an_odd_status_leaves_nothing_held(tmp_path: Path, status: int, headers: dict[str, str]):
    with selling(tmp_path, b"\x1f\x8b\x00", "application/json", status=status, headers=headers) as gateway:
        response = gateway.chat()
        assert response.status_code in {502, 429, 400}
        assert gateway.untouched()
