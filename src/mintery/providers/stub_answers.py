"""TEST ONLY: what the stub says, a function of what it was asked."""

import base64
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from mintery.units import ceil_div, pro_rata_down

LABEL = "[TEST]"
FINGERPRINT = "fp_TEST"
CREATED = 1_700_000_000
DIMENSIONS = 8
MOST_DIMENSIONS = 4_096
ARGUMENT_PIECE = 8


class Behaviour(StrEnum):
    """Names of models that behave so."""

    ECHO = "echo"
    SLOW = "slow"
    DIES_EARLY = "dies-early"
    DIES_MIDSTREAM = "dies-midstream"
    NONSENSE = "nonsense"
    REFUSES = "refuses"
    FAILS = "fails"
    BUSY = "busy"
    NO_USAGE = "no-usage"
    ZERO_USAGE = "zero-usage"
    NEGATIVE_USAGE = "negative-usage"
    TENFOLD_USAGE = "tenfold-usage"
    CACHED_USAGE = "cached-usage"
    """Half of the prompt's tokens, rounded down, came from a cache."""

    @classmethod
    def of(cls, model: str) -> "Behaviour":
        return cls(model) if model in cls._value2member_map_ else cls.ECHO


@dataclass(frozen=True, slots=True)
class Turn:
    """One request as the stub sees it; ``usage`` overrides what it would count; ``early``: see ``StubControl``."""

    body: dict[str, Any]
    behaviour: Behaviour
    usage: tuple[int, int] | None
    early: bool = False

    @property
    def id(self) -> str:
        return "test-" + hashlib.sha256(orjson.dumps(self.body)).hexdigest()[:24]


def refusal_of(turn: Turn) -> str | None:
    """What a strict provider would say of a body that this one cannot answer."""
    body = turn.body
    if body.get("dimensions") is not None and not _is_whole(body["dimensions"], MOST_DIMENSIONS):
        return f"dimensions must be a whole number from 1 to {MOST_DIMENSIONS}"
    if body.get("encoding_format") not in (None, "float", "base64"):
        return "encoding_format must be float or base64"
    if not all(isinstance(text, str) for message in body.get("messages") or () for text in _texts(message)):
        return "a message's text must be a string"
    names = [_function_name(tool) for tool in body.get("tools") or ()]
    if None in names:
        return "each tool must be a function with a name"
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        return None if _function_name(choice) in names else "tool_choice names no tool that was given"
    return None if choice in (None, "none", "auto", "required") else "tool_choice must be none, auto or required"


def _is_whole(value: Any, most: int) -> bool:
    return type(value) is int and 1 <= value <= most


def _function_name(tool: dict[str, Any]) -> str | None:
    """None unless the tool can be called with made-up arguments."""
    function = tool.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return None
    parameters = function.get("parameters") or {}
    properties = (parameters.get("properties") or {}) if isinstance(parameters, dict) else None
    if not isinstance(properties, dict) or not all(isinstance(schema, dict) for schema in properties.values()):
        return None
    return str(function["name"])


def answer_chat(turn: Turn) -> dict[str, Any]:
    words, tool, finish = _compose(turn)
    message: dict[str, Any] = {"role": "assistant", "content": None if tool else "".join(words)}
    if tool:
        message["tool_calls"] = [tool]
    choices = [
        {"index": index, "message": message, "finish_reason": finish, "logprobs": None} for index in range(_count(turn))
    ]
    answer = _head(turn, "chat.completion") | {"choices": choices}
    return answer | _usage_part(turn, _completion_tokens(words, tool))


def stream_chunks(turn: Turn) -> Iterator[dict[str, Any]]:
    words, tool, finish = _compose(turn)
    head = _head(turn, "chat.completion.chunk")
    wants_usage = bool((turn.body.get("stream_options") or {}).get("include_usage"))
    no_usage = {"usage": None} if wants_usage else {}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None if tool else ""}]
    deltas += list(_tool_deltas(tool)) if tool else [{"content": word} for word in words]
    for index in range(_count(turn)):
        for number, delta in enumerate(deltas):
            told = _usage_part(turn, 1) if turn.early and number == 1 else no_usage
            yield head | {"choices": [{"index": index, "delta": delta, "finish_reason": None}]} | told
        yield head | {"choices": [{"index": index, "delta": {}, "finish_reason": finish}]} | no_usage
    if wants_usage and not turn.early and (usage := _usage_part(turn, _completion_tokens(words, tool))):
        yield head | {"choices": []} | usage


def answer_embeddings(turn: Turn) -> dict[str, Any]:
    inputs = turn.body["input"]
    texts = inputs if isinstance(inputs, list) and inputs and not isinstance(inputs[0], int) else [inputs]
    size = turn.body.get("dimensions") or DIMENSIONS
    as_base64 = turn.body.get("encoding_format") == "base64"
    entries = []
    for index, text in enumerate(texts):
        vector = _vector(orjson.dumps(text), size)
        coded = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode() if as_base64 else vector
        entries.append({"object": "embedding", "index": index, "embedding": coded})
    prompt = sum(ceil_div(len(orjson.dumps(text)), 4) for text in texts)
    answer = {"object": "list", "model": turn.body["model"], "data": entries, "system_fingerprint": FINGERPRINT}
    if turn.behaviour is Behaviour.NO_USAGE:
        return answer
    prompt = turn.usage[0] if turn.usage else prompt
    return answer | {"usage": {"prompt_tokens": prompt, "total_tokens": prompt}}


def prompt_tokens(messages: list[dict[str, Any]]) -> int:
    """The stub's rule: a token for each four bytes of text, rounded up, and three for each message."""
    return sum(3 + ceil_div(len(_text(message).encode()), 4) for message in messages)


def _compose(turn: Turn) -> tuple[list[str], dict[str, Any] | None, str]:
    messages = turn.body["messages"]
    if (tool := _tool_call(turn)) is not None:
        return [], tool, "tool_calls"
    said = _text(messages[-1]).split()
    words = [LABEL, *(" " + word for word in ("echo:", *said))]
    cap = turn.body.get("max_tokens") or turn.body.get("max_completion_tokens") or len(words)
    return words[:cap], None, "length" if cap < len(words) else "stop"


def _tool_call(turn: Turn) -> dict[str, Any] | None:
    """The named tool, or the first, where tools are given, the last message is the user's, and none are not demanded."""
    tools, choice = turn.body.get("tools"), turn.body.get("tool_choice", "auto")
    if not tools or choice == "none" or turn.body["messages"][-1]["role"] != "user":
        return None
    named = choice["function"]["name"] if isinstance(choice, dict) else None
    function = next(tool["function"] for tool in tools if named in {None, tool["function"]["name"]})
    properties = (function.get("parameters") or {}).get("properties") or {}
    samples = {"string": "TEST", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    arguments = {name: samples.get(str(schema.get("type", "string"))) for name, schema in properties.items()}
    call = {"name": function["name"], "arguments": orjson.dumps(arguments).decode()}
    return {"id": "call_" + turn.id, "type": "function", "function": call}


def _tool_deltas(tool: dict[str, Any]) -> Iterator[dict[str, Any]]:
    arguments = tool["function"]["arguments"]
    opening = tool | {"index": 0, "function": {"name": tool["function"]["name"], "arguments": ""}}
    yield {"tool_calls": [opening]}
    for start in range(0, len(arguments), ARGUMENT_PIECE):
        piece = arguments[start : start + ARGUMENT_PIECE]
        yield {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


def _completion_tokens(words: list[str], tool: dict[str, Any] | None) -> int:
    return ceil_div(len(tool["function"]["arguments"]), ARGUMENT_PIECE) if tool else len(words)


def _usage_part(turn: Turn, each_choice: int) -> dict[str, Any]:
    prompt, completion = turn.usage or (prompt_tokens(turn.body["messages"]), each_choice * _count(turn))
    cached = 0
    match turn.behaviour:
        case Behaviour.NO_USAGE:
            return {}
        case Behaviour.ZERO_USAGE:
            prompt, completion = 0, 0
        case Behaviour.NEGATIVE_USAGE:
            prompt, completion = -prompt, -completion
        case Behaviour.TENFOLD_USAGE:
            prompt, completion = 10 * prompt, 10 * completion
        case Behaviour.CACHED_USAGE:
            cached = pro_rata_down(prompt, 1, 2)
        case _:
            pass
    return {
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
        }
    }


def _head(turn: Turn, kind: str) -> dict[str, Any]:
    return {
        "id": turn.id,
        "object": kind,
        "created": CREATED,
        "model": turn.body["model"],
        "system_fingerprint": FINGERPRINT,
    }


def _count(turn: Turn) -> int:
    return int(turn.body.get("n") or 1)


def _text(message: dict[str, Any]) -> str:
    return " ".join(_texts(message))


def _texts(message: dict[str, Any]) -> list[Any]:
    content = message.get("content")
    return [part.get("text", "") for part in content] if isinstance(content, list) else [content or ""]


def _vector(seed: bytes, size: int) -> list[float]:
    """Numbers that a 32-bit float holds exactly, so both encodings say the same."""
    raw = hashlib.shake_256(seed).digest(size)
    return [float(byte - 128) for byte in raw]
