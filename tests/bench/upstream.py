"""The mock upstream: ``python -m tests.bench.upstream``. It reads a request's head and length and nothing more.

Its answer is chosen by two marks in the body: ``"stream":true`` asks for server-sent events, one write for each of them as a
model sends its tokens, and the word ``STALL`` for a stream that stops after its first event until the client goes away.
"""

import asyncio
import json
import re
from typing import cast

import uvloop
from tests.bench.standing import say, when_left_alone

TEXT = "A credit is worth what its reserve says, to the last unit, and no more than that."
WORDS = 20
PROMPT_TOKENS, COMPLETION_TOKENS = 21, WORDS
STALL = b"STALL"
_USAGE = {
    "prompt_tokens": PROMPT_TOKENS,
    "completion_tokens": COMPLETION_TOKENS,
    "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
    "prompt_tokens_details": {"cached_tokens": 0},
}
_COMMON = {"id": "chatcmpl-bench", "created": 1_700_000_000, "model": "echo", "system_fingerprint": "fp_TEST"}
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STREAM = re.compile(rb'"stream": ?true')


def whole_answer() -> bytes:
    message = {"role": "assistant", "content": TEXT, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return json.dumps({**_COMMON, "object": "chat.completion", "choices": [choice], "usage": _USAGE}).encode()


def events() -> list[bytes]:
    """``WORDS`` events with a word each, one that ends the text, one with the usage, and ``[DONE]``."""

    def event(choices: list[dict[str, object]], **more: object) -> bytes:
        chunk = {**_COMMON, "object": "chat.completion.chunk", "choices": choices, **more}
        return b"data: " + json.dumps(chunk).encode() + b"\n\n"

    words = [event([{"index": 0, "delta": {"content": f"word{n} "}, "finish_reason": None}]) for n in range(WORDS)]
    end = event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    return [*words, end, event([], usage=_USAGE), b"data: [DONE]\n\n"]


def _chunk(piece: bytes) -> bytes:
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


_BODY = whole_answer()
_WHOLE = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(_BODY)) + _BODY
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_EVENTS = [_chunk(event) for event in events()]
_PIECES = [_HEAD + _EVENTS[0], *_EVENTS[1:-1], _EVENTS[-1] + b"0\r\n\r\n"]


class Upstream(asyncio.Protocol):
    def __init__(self) -> None:
        self._waiting = bytearray()
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        waiting = self._waiting
        waiting += data
        while (head := waiting.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(waiting, 0, head)
            end = head + 4 + (int(length[1]) if length else 0)
            if len(waiting) < end:
                return
            body = bytes(waiting[head + 4 : end])
            del waiting[:end]
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        if not _STREAM.search(body):
            self._transport.write(_WHOLE)
        elif STALL in body:
            self._transport.write(_PIECES[0])
        else:
            self._send(0)

    def _send(self, number: int) -> None:
        """One event for each turn of the loop, so that they leave one by one."""
        if self._transport.is_closing():
            return
        self._transport.write(_PIECES[number])
        if number + 1 < len(_PIECES):
            self._loop.call_soon(self._send, number + 1)


async def main() -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    server = await loop.create_server(Upstream, "127.0.0.1", 0, backlog=4_096)
    say({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"})
    when_left_alone(lambda: loop.call_soon_threadsafe(stopped.set))
    await stopped.wait()


if __name__ == "__main__":
    uvloop.run(main())
