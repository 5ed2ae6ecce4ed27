"""A body of the Responses API, checked and bounded. Only what is in the body counts: what the provider keeps of earlier
responses has no bound here and may be another customer's. So every item is told whole, none is sent with the name that the
provider knows it by, and the provider is told to keep nothing.
"""

from collections.abc import Mapping
from typing import Any

from mintery.domain.model import Endpoint, Model, Unit
from mintery.errors import MalformedRequest, Unsupported
from mintery.providers.calls import Terms
from mintery.usecases.shape_chat import TOKENS_PER_MESSAGE, allowance, check_tools
from mintery.usecases.shape_parts import Media, read_part
from mintery.usecases.shaped import ShapedRequest, check_fields, check_harmless, check_known, flag, whole, written

RESPONSES_FIELDS = frozenset(
    {
        "model", "input", "instructions", "max_output_tokens", "temperature", "top_p", "top_logprobs", "stream",
        "stream_options", "tools", "tool_choice", "parallel_tool_calls", "max_tool_calls", "reasoning", "text",
        "truncation", "include", "metadata", "user", "safety_identifier", "prompt_cache_key", "store", "service_tier",
        "background",
    }
)  # fmt: skip
HARMLESS: Mapping[str, tuple[Any, ...]] = {
    "service_tier": (None, "auto", "default"),
    "background": (None, False),
    "include": (None, [], ["message.output_text.logprobs"], ["reasoning.encrypted_content"]),
}
CHOSEN = (None, "function", "custom", "allowed_tools")
TOOL_FIELDS = frozenset({"type", "name", "description", "parameters", "strict", "format"})
ITEM_FIELDS: Mapping[str, frozenset[str]] = {
    "message": frozenset({"type", "role", "content", "id", "status", "phase"}),
    "function_call": frozenset({"type", "id", "call_id", "name", "arguments", "status"}),
    "function_call_output": frozenset({"type", "id", "call_id", "output", "status"}),
    "custom_tool_call": frozenset({"type", "id", "call_id", "name", "input"}),
    "custom_tool_call_output": frozenset({"type", "id", "call_id", "output"}),
    "reasoning": frozenset({"type", "id", "summary", "content", "encrypted_content", "status"}),
}


def shape_responses(model: Model, terms: Terms, fields: Mapping[str, Any], _choices: int) -> ShapedRequest:
    """Raises MalformedRequest, Unsupported: each with the field."""
    check_fields(fields, RESPONSES_FIELDS, terms.extra_fields)
    check_harmless(fields, HARMLESS)
    check_tools(model, fields.get("tools"), TOOL_FIELDS)
    if _tool_chosen(fields.get("tool_choice")) not in CHOSEN:
        raise Unsupported("tool_choice names a tool that costs extra", field="tool_choice")
    media = Media()
    items, hidden = _items(model, fields.get("input"), media)
    cap = whole(fields, "max_output_tokens", model.max_output_tokens, model.max_output_tokens)
    stream = flag(fields, "stream")
    flag(fields, "store")
    unnamed = {"input": _without_ids(fields["input"]), "store": False}
    body = written({**fields, **unnamed, "model": model.upstream, "max_output_tokens": cap})
    media_tokens = media.tokens(model)
    most_input = len(body) - media.bytes + media_tokens + TOKENS_PER_MESSAGE * items + allowance(fields)
    most: dict[str, int] = {
        Unit.INPUT_TOKEN: model.context_tokens if hidden else min(most_input, model.context_tokens),
        Unit.OUTPUT_TOKEN: cap,
        Unit.REQUEST: 1,
    }
    return ShapedRequest(
        Endpoint.RESPONSES,
        model,
        body,
        stream,
        True,
        media.bound(most, model),
        media_bytes=media.bytes,
        media_tokens=media_tokens,
    )


def _tool_chosen(choice: Any) -> Any:
    return choice.get("type") if isinstance(choice, dict) else None


def _items(model: Model, given: Any, media: Media) -> tuple[int, bool]:
    """How many there are, and whether any is encrypted: the bytes of that bound nothing."""
    if isinstance(given, str) and given:
        return 1, False
    if not isinstance(given, list) or not given:
        raise MalformedRequest("input must be a text or a list that is not empty", field="input")
    hidden = False
    for item in given:
        if not isinstance(item, dict):
            raise MalformedRequest("each item of input is an object", field="input")
        kind = item.get("type", "message")
        known = ITEM_FIELDS.get(kind) if isinstance(kind, str) else None
        if known is None:
            raise Unsupported("an item of input is of a kind that has no known cost", field="input")
        check_known(item, known, "input", model)
        _check_whole(kind, item)
        _read_content(model, item.get("content") if kind == "message" else item.get("output"), media)
        hidden = hidden or item.get("encrypted_content") is not None
    return len(given), hidden


def _check_whole(kind: str, item: Mapping[str, Any]) -> None:
    """What an item leaves out, the provider would take from what it kept under the item's id. Raises MalformedRequest."""
    if kind == "message" and not (isinstance(item.get("role"), str) and isinstance(item.get("content"), str | list)):
        raise MalformedRequest("a message has a role, and a content that is a text or a list of parts", field="input")
    hidden = item.get("encrypted_content")
    if kind == "reasoning" and not (isinstance(hidden, str) and hidden):
        raise Unsupported("reasoning is taken only with its encrypted_content", field="input")


def _without_ids(given: Any) -> Any:
    if isinstance(given, str):
        return given
    return [{name: value for name, value in item.items() if name != "id"} for item in given]


def _read_content(model: Model, content: Any, media: Media) -> None:
    if isinstance(content, list):
        for part in content:
            read_part(model, part, media, "input")
    elif content is not None and not isinstance(content, str):
        raise MalformedRequest("content is a text or a list of parts", field="input")
