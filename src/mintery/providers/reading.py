"""What an OpenAI-shaped answer says: its usage, and how much it produced."""

from typing import Any

import orjson

from mintery.domain.model import Endpoint, Unit
from mintery.errors import ProviderNonsense
from mintery.providers.calls import Reply, StreamEvent, Usage
from mintery.providers.sse import DONE, EventSplitter, event_payload

_TEXTS = frozenset({"content", "reasoning_content", "reasoning", "refusal"})


def read_usage(fields: Any) -> Usage | None:
    """Usage in the shapes that providers send; None where it is missing or is not whole numbers."""
    if not isinstance(fields, dict):
        return None
    prompt, completion = fields.get("prompt_tokens"), fields.get("completion_tokens", 0)
    details = fields.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else fields.get("prompt_cache_hit_tokens")
    completion, cached = completion or 0, cached or 0
    if type(prompt) is int and type(completion) is int and type(cached) is int:
        usage: dict[str, int] = {Unit.INPUT_TOKEN: prompt - cached, Unit.OUTPUT_TOKEN: completion}
        if cached:
            usage[Unit.CACHED_INPUT_TOKEN] = cached
        return usage
    return None


def read_reply(provider: str, endpoint: Endpoint, body: bytes) -> Reply:
    """Raises ProviderNonsense when the body is not what the endpoint answers with."""
    answer = _object(provider, body)
    parts = answer.get("choices" if endpoint is Endpoint.CHAT else "data")
    if not isinstance(parts, list):
        raise ProviderNonsense(provider, "choices or data are missing")
    usage = read_usage(answer.get("usage"))
    counted = usage is None and endpoint is Endpoint.CHAT
    return Reply(body, usage, sum(_produced(part, "message") for part in parts) if counted else 0)


def is_plain(arrived: bytes) -> bool:
    """Whether these bytes are whole chunks, each on one line, that say nothing of usage, errors or the end.

    They are not parsed: a name in quotes stands in JSON only as a key or as a whole text, for quotes inside a text are
    escaped, and only a key is followed by a colon. So what is called plain is plain, and a text that happens to be ``error``
    is merely read the long way.
    """
    events = arrived.count(b"\n\n")
    return (
        arrived.startswith(b"data: {")
        and arrived.endswith(b"}\n\n")
        and arrived.count(b"}\n\ndata: {") == events - 1
        and arrived.count(b"\n") == 2 * events
        and arrived.count(b'"choices":') == events
        and arrived.count(b'"usage"') == arrived.count(b'"usage":null')
        and b'"error"' not in arrived
        and b"\r" not in arrived
    )


def produced_by(raw: bytes) -> int:
    """UTF-8 bytes of generated text and tool arguments in whole events; what is no chunk has none."""
    produced = 0
    splitter = EventSplitter(len(raw))
    for event in splitter.feed(raw):
        payload = event_payload(event)
        try:
            chunk = orjson.loads(payload or b"null")
        except orjson.JSONDecodeError:
            continue  # the end of the stream, or what no client can read either
        choices = chunk.get("choices") if isinstance(chunk, dict) else None
        produced += sum(_produced(choice, "delta") for choice in choices) if isinstance(choices, list) else 0
    return produced


def read_event(provider: str, raw: bytes) -> StreamEvent:
    """Raises ProviderNonsense for an event that is an error or no chunk of a chat completion."""
    payload = event_payload(raw)
    if payload is None:
        return StreamEvent(raw)
    if payload.strip() == DONE:
        return StreamEvent(raw, last=True)
    chunk = _object(provider, payload)
    if chunk.get("error"):
        raise ProviderNonsense(provider, "it sent an error in mid-stream")
    choices = chunk.get("choices")
    if not isinstance(choices, list):
        raise ProviderNonsense(provider, "a chunk has no choices")
    usage = read_usage(chunk.get("usage"))
    return StreamEvent(raw, usage, only_usage=usage is not None and not choices)


def _object(provider: str, body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ProviderNonsense(provider, "no JSON") from None
    if not isinstance(answer, dict):
        raise ProviderNonsense(provider, "no JSON object")
    return answer


def _produced(choice: Any, part: str) -> int:
    message = choice.get(part) if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        return 0
    produced = 0
    for name, value in message.items():
        if name in _TEXTS:
            produced += _size(value)
        elif name == "tool_calls" and isinstance(value, list):
            produced += sum(_called(call) for call in value)
    return produced


def _called(call: Any) -> int:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return 0
    return _size(function.get("name")) + _size(function.get("arguments"))


def _size(text: Any) -> int:
    if not isinstance(text, str):
        return 0
    return len(text) if text.isascii() else len(text.encode(errors="replace"))
