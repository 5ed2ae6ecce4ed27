"""What an OpenAI-shaped answer says: its usage, and how much it produced."""

from typing import Any

import orjson

from mintery.domain.model import Endpoint
from mintery.errors import ProviderNonsense
from mintery.providers.calls import Reply, StreamEvent, Usage
from mintery.providers.sse import DONE, event_payload

_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")


def read_usage(fields: Any) -> Usage | None:
    """Usage in the shapes that providers send; None where it is missing or is not whole numbers."""
    if not isinstance(fields, dict):
        return None
    prompt, completion = fields.get("prompt_tokens"), fields.get("completion_tokens", 0)
    details = fields.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else fields.get("prompt_cache_hit_tokens")
    completion, cached = completion or 0, cached or 0
    if type(prompt) is int and type(completion) is int and type(cached) is int:
        return Usage(prompt, completion, cached)
    return None


def read_reply(provider: str, endpoint: Endpoint, body: bytes) -> Reply:
    """Raises ProviderNonsense when the body is not what the endpoint answers with."""
    answer = _object(provider, body)
    parts = answer.get("choices" if endpoint is Endpoint.CHAT else "data")
    if not isinstance(parts, list):
        raise ProviderNonsense(provider, "choices or data are missing")
    produced = sum(_produced(part, "message") for part in parts) if endpoint is Endpoint.CHAT else 0
    return Reply(body, read_usage(answer.get("usage")), produced)


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
    produced = sum(_produced(choice, "delta") for choice in choices)
    return StreamEvent(raw, usage, produced, only_usage=usage is not None and not choices)


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
    texts = [message.get(name) for name in _TEXTS]
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            texts += [function.get("name"), function.get("arguments")]
    return sum(len(text.encode(errors="replace")) for text in texts if isinstance(text, str))
