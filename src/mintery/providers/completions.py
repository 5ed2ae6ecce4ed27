"""Chat completions as OpenAI writes them, made from what other formats say."""

from dataclasses import dataclass
from typing import Any

import orjson

from mintery.domain.model import Quantities, Unit, input_tokens
from mintery.providers.calls import Reply, StreamEvent, Usage
from mintery.providers.sse import DONE, event_of

CREATED = 0
"""These formats do not say when an answer was made."""
CACHED = (Unit.CACHED_INPUT_TOKEN, Unit.CACHED_AUDIO_TOKEN, Unit.CACHED_IMAGE_TOKEN)
WRITTEN = (Unit.CACHE_WRITE_TOKEN, f"{Unit.CACHE_WRITE_TOKEN}.1h")


def usage_fields(usage: Quantities) -> dict[str, Any]:
    """Quantities as OpenAI tells them: wholes, and of these their parts."""

    def told(*units: str) -> int:
        return sum(usage.get(unit, 0) for unit in units)

    prompt = input_tokens(usage)
    completion = sum(usage.values()) - prompt
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": told(*CACHED),
            "cache_write_tokens": told(*WRITTEN),
            "audio_tokens": told(Unit.AUDIO_INPUT_TOKEN, Unit.CACHED_AUDIO_TOKEN),
        },
        "completion_tokens_details": {
            "reasoning_tokens": told(Unit.REASONING_TOKEN),
            "audio_tokens": told(Unit.AUDIO_OUTPUT_TOKEN),
        },
    }


def tool_call(name: str, arguments: Any, call_id: str) -> dict[str, Any]:
    function = {"name": name, "arguments": orjson.dumps(arguments).decode()}
    return {"id": call_id, "type": "function", "function": function}


def completion(answer_id: str, model: str, choices: list[dict[str, Any]], usage: Usage | None) -> Reply:
    """A whole answer. ``choices``: each a message and its ``finish_reason``."""
    fields = {"id": answer_id, "object": "chat.completion", "created": CREATED, "model": model, "choices": choices}
    if usage is not None:
        return Reply(orjson.dumps({**fields, "usage": usage_fields(usage)}), usage, 0)
    return Reply(orjson.dumps(fields), None, len(orjson.dumps([choice["message"] for choice in choices])))


@dataclass(slots=True)
class Chunks:
    """Writes the events of one streamed answer."""

    id: str = ""
    model: str = ""

    def delta(self, delta: dict[str, Any], *, index: int = 0, finish: str | None = None) -> StreamEvent:
        choice = {"index": index, "delta": delta, "finish_reason": finish}
        return StreamEvent(event_of(orjson.dumps({**self._head(), "choices": [choice]})))

    def usage(self, usage: Usage) -> StreamEvent:
        fields = {**self._head(), "choices": [], "usage": usage_fields(usage)}
        return StreamEvent(event_of(orjson.dumps(fields)), usage, only_usage=True)

    def done(self) -> StreamEvent:
        return StreamEvent(event_of(DONE), last=True)

    def _head(self) -> dict[str, Any]:
        return {"id": self.id, "object": "chat.completion.chunk", "created": CREATED, "model": self.model}
