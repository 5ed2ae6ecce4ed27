"""A model provider that does to each call what its scenario says, and counts what it was asked."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from tests.faults.http import Asked
from tests.faults.scenario import Behaviour, Call, Shape

TENFOLD = 10_000
"""Tokens: ten times what any call here can be held for."""
_PIECE = 37


@dataclass
class WorldProvider:
    """``on_call`` is told of a call before anything of it is answered; ``calls`` counts by the call's name and the model that
    was asked, ``answered`` those of which something was said. Nothing is said while ``answers`` is not set.
    """

    known: Mapping[str, Call]
    on_call: Callable[[Call], None]
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answers.set()

    def hold_back(self) -> None:
        self.called.clear()
        self.answers.clear()

    def calls_of(self, name: str) -> tuple[int, ...]:
        """How often each model was asked."""
        return tuple(count for (called, _), count in self.calls.items() if called == name)

    async def answer(self, asked: Asked) -> None:
        body = orjson.loads(asked.body)
        call = self.known[body["user"]].at(body["model"])
        self.calls[call.name, body["model"]] += 1
        self.on_call(call)
        self.called.set()
        await self.answers.wait()
        if asked.gone:
            return
        match call.behaviour:
            case Behaviour.STALLS:
                await asked.hang()
            case Behaviour.DIES_EARLY:
                asked.cut()
            case Behaviour.REFUSES:
                asked.reply(b'{"error":{"message":"too hot","type":"invalid_request_error"}}', status=400)
            case Behaviour.FAILS:
                asked.reply(b'{"error":{"message":"out of order"}}', status=500)
            case Behaviour.NONSENSE:
                asked.reply(b"<html>no JSON</html>", kind="text/html")
            case _ if call.shape is Shape.STREAM:
                await _stream(asked, call)
                self.answered[call.name] += 1
            case _:
                await _whole(asked, call)
                self.answered[call.name] += 1


def reported(call: Call) -> tuple[int, int] | None:
    """Prompt and completion tokens as this provider tells them; None where it tells none."""
    prompt, completion = call.prompt, 0 if call.shape is Shape.EMBEDDING else call.completion
    match call.behaviour:
        case Behaviour.NO_USAGE:
            return None
        case Behaviour.ZERO:
            return 0, 0
        case Behaviour.NEGATIVE:
            return -prompt, -completion
        case Behaviour.TENFOLD:
            return TENFOLD, 0 if call.shape is Shape.EMBEDDING else TENFOLD
        case _:
            return prompt, completion


def _usage(call: Call) -> dict[str, Any]:
    counted = reported(call)
    if counted is None:
        return {}
    prompt, completion = counted
    usage = {"prompt_tokens": prompt, "total_tokens": prompt + completion}
    return {"usage": usage if call.shape is Shape.EMBEDDING else {**usage, "completion_tokens": completion}}


def _text(call: Call) -> list[str]:
    return [f"{call.name}-{number} " for number in range(call.words)]


async def _whole(asked: Asked, call: Call) -> None:
    if call.shape is Shape.EMBEDDING:
        answer: dict[str, Any] = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
    else:
        message = {"role": "assistant", "content": "".join(_text(call))}
        answer = {"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    body = orjson.dumps({"id": call.name, "model": "small", **answer, **_usage(call)})
    if call.behaviour is Behaviour.SLOW:
        asked.begin("application/json")
        for start in range(0, len(body), _PIECE):
            asked.chunk(body[start : start + _PIECE])
            await asyncio.sleep(0)
        asked.end()
    elif call.behaviour in {Behaviour.DIES_MIDWAY, Behaviour.STALLS_MIDWAY, Behaviour.ENDS_EARLY}:
        asked.begin("application/json")
        asked.chunk(body[: len(body) // 2])
        await _break_off(asked, call)
    else:
        asked.reply(body)


async def _stream(asked: Asked, call: Call) -> None:
    asked.begin()
    events = [*_events(call)]
    breaks_at = {Behaviour.DIES_MIDWAY: 2, Behaviour.STALLS_MIDWAY: 2, Behaviour.ENDS_EARLY: len(events) - 1}
    for number, event in enumerate(events):
        if number == breaks_at.get(call.behaviour):
            await _break_off(asked, call)
            return
        asked.chunk(event)
        if call.behaviour is Behaviour.REPEATS:
            asked.chunk(event)
        await asyncio.sleep(0.001 if call.behaviour is Behaviour.SLOW else 0)
    asked.end()


async def _break_off(asked: Asked, call: Call) -> None:
    if call.behaviour is Behaviour.STALLS_MIDWAY:
        await asked.hang()
    elif call.behaviour is Behaviour.ENDS_EARLY:
        asked.end()
    else:
        await asyncio.sleep(0.002)  # so that what was sent before is read before
        asked.cut()


def _events(call: Call) -> Iterator[bytes]:
    head = {"id": call.name, "object": "chat.completion.chunk", "model": "small"}
    for word in _text(call):
        chunk = {**head, "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]}
        yield _event(orjson.dumps(chunk))
    yield _event(orjson.dumps({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
    if usage := _usage(call):
        yield _event(orjson.dumps({**head, "choices": [], **usage}))
    yield _event(b"[DONE]")


def _event(payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n"
