"""Google's own format, for its OpenAI form leaves out which tokens were sound or pictures, and streams usage by guess."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from mintery.domain.model import Endpoint, Unit
from mintery.errors import ProviderNonsense
from mintery.providers.calls import Reply, StreamEvent, Usage
from mintery.providers.completions import Chunks, completion, tool_call
from mintery.providers.google_request import FIELDS, SIGNATURE, to_contents
from mintery.providers.openai_wire import MAX_RESPONSE_BYTES
from mintery.providers.reading import json_object
from mintery.providers.sse import event_payload
from mintery.providers.wires import EventReader, Sent, check_carried, names_in, translated

_STOPPED = frozenset({"STOP", "FINISH_REASON_UNSPECIFIED", ""})
_PICTURES = frozenset({"IMAGE", "DOCUMENT"})


class GoogleWire:
    """Chats alone, at ``/models/NAME:generateContent``. Its list of models: https://ai.google.dev/api/models."""

    models_path = "/models?pageSize=1000"

    def offered(self, provider: str, body: bytes) -> Sequence[str]:
        return tuple(name.removeprefix("models/") for name in names_in(provider, body, "models", "name"))

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        return {} if api_key is None else {"x-goog-api-key": api_key}

    def check(self, fields: Mapping[str, Any]) -> None:
        check_carried(fields, FIELDS)
        translated(to_contents, fields)

    def sent(self, _endpoint: Endpoint, body: bytes) -> Sent:
        fields = orjson.loads(body)
        method = "streamGenerateContent?alt=sse" if fields.get("stream") else "generateContent"
        return Sent(f"/models/{quote(fields['model'], safe='')}:{method}", translated(to_contents, fields))

    def read(self, provider: str, _endpoint: Endpoint, body: bytes, _content_type: str) -> Reply:
        answer = json_object(provider, body)
        candidate = _candidate(provider, answer)
        said = _Said().take(candidate)
        message: dict[str, Any] = {"role": "assistant", "content": said.text or None, "refusal": None}
        if said.thought:
            message["reasoning_content"] = said.thought
        if said.calls:
            message["tool_calls"] = said.calls
        if said.images:
            message["images"] = said.images
        choices = [{"index": 0, "message": message, "finish_reason": _finish(answer, candidate, said)}]
        named = str(answer.get("responseId")), str(answer.get("modelVersion"))
        return completion(*named, choices, read_usage(answer.get("usageMetadata")))

    def events(self, provider: str, _endpoint: Endpoint) -> EventReader:
        return _Events(provider)


@dataclass(slots=True)
class _Said:
    """What the parts of an answer say."""

    text: str = ""
    thought: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    before: int = 0
    """Calls that were told earlier in this stream."""

    def take(self, candidate: Mapping[str, Any]) -> "_Said":
        for part in _list(_mapping(candidate, "content"), "parts"):
            call, picture = _mapping(part, "functionCall"), _mapping(part, "inlineData")
            if call:
                self.calls.append(self._call(call, part.get("thoughtSignature")))
            elif picture:
                url = f"data:{picture.get('mimeType')};base64,{picture.get('data')}"
                self.images.append({"type": "image_url", "image_url": {"url": url}})
            elif part.get("thought") is True:
                self.thought += str(part.get("text", ""))
            else:
                self.text += str(part.get("text", ""))
        return self

    def _call(self, call: Mapping[str, Any], signature: Any) -> dict[str, Any]:
        place = self.before + len(self.calls)
        told = tool_call(str(call.get("name")), call.get("args") or {}, str(call.get("id") or f"call_{place}"))
        return {**told, "extra_content": {"google": {SIGNATURE: signature}}} if signature else told


def read_usage(fields: Any) -> Usage | None:
    """Thoughts stand beside what was said, cached tokens within the prompt; None where they are not whole numbers."""
    if not isinstance(fields, dict):
        return None
    names = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")
    counts = [fields.get(name) or 0 for name in (*names, "cachedContentTokenCount")]
    kinds = [
        _by_kind(fields, name) for name in ("promptTokensDetails", "cacheTokensDetails", "candidatesTokensDetails")
    ]
    if "promptTokenCount" not in fields or any(type(each) is not int for each in (*counts, *_values(kinds))):
        return None
    prompt, said, thought, tools, cached = counts
    of_prompt, of_cached, of_said = kinds
    parts = {
        Unit.CACHED_AUDIO_TOKEN: of_cached["audio"],
        Unit.CACHED_IMAGE_TOKEN: of_cached["image"],
        Unit.CACHED_INPUT_TOKEN: cached - of_cached["audio"] - of_cached["image"],
        Unit.AUDIO_INPUT_TOKEN: of_prompt["audio"] - of_cached["audio"],
        Unit.IMAGE_INPUT_TOKEN: of_prompt["image"] - of_cached["image"],
        Unit.REASONING_TOKEN: thought,
        Unit.AUDIO_OUTPUT_TOKEN: of_said["audio"],
        Unit.IMAGE_OUTPUT_TOKEN: of_said["image"],
    }
    usage: dict[str, int] = {
        Unit.INPUT_TOKEN: prompt + tools - cached - parts[Unit.AUDIO_INPUT_TOKEN] - parts[Unit.IMAGE_INPUT_TOKEN],
        Unit.OUTPUT_TOKEN: said - of_said["audio"] - of_said["image"],
    }
    told_twice = -usage[Unit.INPUT_TOKEN]
    if (
        0
        < told_twice
        <= min(parts[Unit.CACHED_INPUT_TOKEN], parts[Unit.AUDIO_INPUT_TOKEN] + parts[Unit.IMAGE_INPUT_TOKEN])
    ):
        # Cached sound and pictures whose kinds the provider left out: they count as cached.
        for unit in (Unit.IMAGE_INPUT_TOKEN, Unit.AUDIO_INPUT_TOKEN):
            less = min(max(-usage[Unit.INPUT_TOKEN], 0), parts[unit])
            parts[unit] -= less
            usage[Unit.INPUT_TOKEN] += less
    return usage | {str(unit): each for unit, each in parts.items() if each}


def _by_kind(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Tokens of sound and of pictures; text is what is left."""
    found: dict[str, Any] = {"audio": 0, "image": 0}
    for entry in _list(fields, name):
        kind, count = entry.get("modality"), entry.get("tokenCount") or 0
        place = "audio" if kind == "AUDIO" else "image" if kind in _PICTURES else None
        if place is not None:
            found[place] = found[place] + count if type(count) is int and type(found[place]) is int else count
    return found


def _values(kinds: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [value for kind in kinds for value in kind.values()]


@dataclass(slots=True)
class _Events:
    """Each event repeats the usage so far; the stream ends when the connection does, after a reason to finish."""

    provider: str
    limit: int = MAX_RESPONSE_BYTES
    _chunks: Chunks = field(default_factory=Chunks)
    _usage: Any = None
    _calls: int = 0
    _finish: str | None = None

    def plain_bytes(self, _arrived: bytes) -> int:
        return 0

    def read(self, raw: bytes) -> Sequence[StreamEvent]:
        payload = event_payload(raw)
        if payload is None:
            return ()
        answer = json_object(self.provider, payload)
        if answer.get("error"):
            raise ProviderNonsense(self.provider, "it sent an error in mid-stream")
        self._usage = answer.get("usageMetadata") or self._usage
        self._chunks.id, self._chunks.model = str(answer.get("responseId")), str(answer.get("modelVersion"))
        candidate = _candidate(self.provider, answer)
        said = _Said(before=self._calls).take(candidate)
        if candidate.get("finishReason") or _mapping(answer, "promptFeedback").get("blockReason"):
            self._finish = _finish(answer, candidate, said, called=self._calls > 0)
        told: dict[str, Any] = {"content": said.text} if said.text else {}
        if said.thought:
            told["reasoning_content"] = said.thought
        if said.calls:
            told["tool_calls"] = [{"index": self._calls + place, **call} for place, call in enumerate(said.calls)]
            self._calls += len(said.calls)
        if said.images:
            told["images"] = said.images
        return (self._chunks.delta({"role": "assistant", **told}),)

    def finish(self) -> Sequence[StreamEvent]:
        if self._finish is None:
            raise ProviderNonsense(self.provider, "the stream ended without its last event")
        usage = read_usage(self._usage)
        counted = () if usage is None else (self._chunks.usage(usage),)
        return (self._chunks.delta({}, finish=self._finish), *counted, self._chunks.done())


def _candidate(provider: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one answer that was asked for; an empty one where the prompt was blocked."""
    candidates = _list(answer, "candidates")
    if candidates:
        return candidates[0]
    if _mapping(answer, "promptFeedback") or _mapping(answer, "usageMetadata"):
        return {}
    raise ProviderNonsense(provider, "candidates are missing")


def _finish(answer: Mapping[str, Any], candidate: Mapping[str, Any], said: _Said, *, called: bool = False) -> str:
    reason = str(candidate.get("finishReason") or "")
    if _mapping(answer, "promptFeedback").get("blockReason"):
        return "content_filter"
    if reason == "MAX_TOKENS":
        return "length"
    if reason not in _STOPPED:
        return "content_filter"
    return "tool_calls" if said.calls or called else "stop"


def _mapping(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = fields.get(name)
    return found if isinstance(found, dict) else {}


def _list(fields: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = fields.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
