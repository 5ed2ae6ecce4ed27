"""Anthropic's own format, for its OpenAI form leaves out what was written to and read from the cache."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from mintery.domain.model import Endpoint, Unit
from mintery.errors import ProviderNonsense
from mintery.providers.anthropic_request import FIELDS, to_messages
from mintery.providers.calls import Reply, StreamEvent, Usage
from mintery.providers.completions import WRITTEN, Chunks, completion, tool_call
from mintery.providers.openai_wire import MAX_CHUNK_BYTES
from mintery.providers.reading import json_object
from mintery.providers.sse import event_payload
from mintery.providers.wires import EventReader, Sent, check_carried, names_in, translated

VERSION = "2023-06-01"
_FINISHES = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class AnthropicWire:
    """Chats alone, at ``/messages``. Its list of models: https://docs.anthropic.com/en/api/models-list."""

    models_path = "/models?limit=1000"

    def offered(self, provider: str, body: bytes) -> Sequence[str]:
        return names_in(provider, body, "data", "id")

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        version = {"anthropic-version": VERSION}
        return version if api_key is None else {**version, "x-api-key": api_key}

    def check(self, fields: Mapping[str, Any]) -> None:
        check_carried(fields, FIELDS)
        translated(to_messages, fields)

    def sent(self, _endpoint: Endpoint, body: bytes) -> Sent:
        return Sent("/messages", translated(to_messages, orjson.loads(body)))

    def read(self, provider: str, _endpoint: Endpoint, body: bytes, _content_type: str) -> Reply:
        answer = json_object(provider, body)
        blocks = answer.get("content")
        if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
            raise ProviderNonsense(provider, "content is missing")
        message: dict[str, Any] = {"role": "assistant", "content": _joined(blocks, "text") or None, "refusal": None}
        if thought := _joined(blocks, "thinking"):
            message["reasoning_content"] = thought
        calls = [block for block in blocks if block.get("type") == "tool_use"]
        if calls:
            message["tool_calls"] = [
                tool_call(str(call.get("name")), call.get("input"), str(call.get("id"))) for call in calls
            ]
        finish = _FINISHES.get(str(answer.get("stop_reason")), "stop")
        choices = [{"index": 0, "message": message, "finish_reason": finish}]
        return completion(str(answer.get("id")), str(answer.get("model")), choices, read_usage(answer.get("usage")))

    def events(self, provider: str, _endpoint: Endpoint) -> EventReader:
        return _Events(provider)


def _joined(blocks: list[dict[str, Any]], kind: str) -> str:
    return "".join(str(block.get(kind, "")) for block in blocks if block.get("type") == kind)


def read_usage(fields: Any) -> Usage | None:
    """Input, cache reads and cache writes stand beside each other here; None where they are not whole numbers."""
    if not isinstance(fields, dict):
        return None
    told = fields.get("cache_creation")
    by_age = told if isinstance(told, dict) else {}
    of_output = fields.get("output_tokens_details")
    thought = (of_output.get("thinking_tokens") if isinstance(of_output, dict) else None) or 0
    written, hour = fields.get("cache_creation_input_tokens") or 0, by_age.get("ephemeral_1h_input_tokens") or 0
    fresh, read, out = (
        fields.get("input_tokens"),
        fields.get("cache_read_input_tokens") or 0,
        fields.get("output_tokens"),
    )
    if any(type(each) is not int for each in (fresh, read, written, hour, out, thought)):
        return None
    five, longer = WRITTEN
    usage: dict[str, int] = {Unit.INPUT_TOKEN: fresh, Unit.OUTPUT_TOKEN: out - thought}  # type: ignore[operator,dict-item]  # whole numbers, as was checked
    parts = {Unit.CACHED_INPUT_TOKEN: read, five: written - hour, longer: hour, Unit.REASONING_TOKEN: thought}
    return usage | {str(unit): each for unit, each in parts.items() if each}


@dataclass(slots=True)
class _Events:
    """Usage comes in two events: what went in with the first, what came out, or all of it, with the last but one."""

    provider: str
    limit: int = MAX_CHUNK_BYTES
    _chunks: Chunks = field(default_factory=Chunks)
    _usage: dict[str, Any] = field(default_factory=dict)
    _calls: dict[int, int] = field(default_factory=dict)
    """The places of tool calls among the calls, by their places among all blocks."""

    def plain_bytes(self, _arrived: bytes) -> int:
        return 0

    def read(self, raw: bytes) -> Sequence[StreamEvent]:
        payload = event_payload(raw)
        if payload is None:
            return ()
        event = json_object(self.provider, payload)
        say = _SAYS.get(str(event.get("type")))
        return () if say is None else say(self, event)

    def finish(self) -> Sequence[StreamEvent]:
        raise ProviderNonsense(self.provider, "the stream ended without its last event")

    def start(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        message = _mapping(event, "message")
        self._chunks.id, self._chunks.model = str(message.get("id")), str(message.get("model"))
        self._note(message.get("usage"))
        return (self._chunks.delta({"role": "assistant", "content": ""}),)

    def _note(self, usage: Any) -> None:
        """Figures of a later event are of the whole answer, and take the place of earlier ones."""
        if isinstance(usage, dict):
            self._usage.update({name: each for name, each in usage.items() if each is not None})

    def begin_block(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        index, block = event.get("index"), _mapping(event, "content_block")
        if block.get("type") != "tool_use" or type(index) is not int:
            return ()
        call = {"index": self._calls.setdefault(index, len(self._calls)), "id": block.get("id"), "type": "function"}
        return (
            self._chunks.delta({"tool_calls": [{**call, "function": {"name": block.get("name"), "arguments": ""}}]}),
        )

    def go_on(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        index, delta = event.get("index"), _mapping(event, "delta")
        match delta.get("type"):
            case "text_delta":
                return (self._chunks.delta({"content": delta.get("text")}),)
            case "thinking_delta":
                return (self._chunks.delta({"reasoning_content": delta.get("thinking")}),)
            case "input_json_delta" if type(index) is int and index in self._calls:
                call = {"index": self._calls[index], "function": {"arguments": delta.get("partial_json")}}
                return (self._chunks.delta({"tool_calls": [call]}),)
            case _:
                return ()

    def close(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        self._note(event.get("usage"))
        finish = _FINISHES.get(str(_mapping(event, "delta").get("stop_reason")), "stop")
        return (self._chunks.delta({}, finish=finish),)

    def end(self, _event: dict[str, Any]) -> Sequence[StreamEvent]:
        usage = read_usage(self._usage)
        return (self._chunks.done(),) if usage is None else (self._chunks.usage(usage), self._chunks.done())

    def fail(self, _event: dict[str, Any]) -> Sequence[StreamEvent]:
        raise ProviderNonsense(self.provider, "it sent an error in mid-stream")


_SAYS: Mapping[str, Callable[[_Events, dict[str, Any]], Sequence[StreamEvent]]] = {
    "message_start": _Events.start,
    "content_block_start": _Events.begin_block,
    "content_block_delta": _Events.go_on,
    "message_delta": _Events.close,
    "message_stop": _Events.end,
    "error": _Events.fail,
}


def _mapping(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = fields.get(name)
    return found if isinstance(found, dict) else {}
