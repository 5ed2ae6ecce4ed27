"""A client's body, checked and turned into the body that goes upstream, with the most tokens it can use.

The bound on input tokens: every token of a byte-level tokenizer stands for at least one byte, so a prompt has no more
tokens than the upstream body has UTF-8 bytes, tools and names included. What a provider's chat template adds of its
own is covered by an allowance for each message and one for the request. No prompt exceeds the model's context.

The bound on output tokens is the cap, times the number of answers; the cap is always sent in the field that the
upstream reads. A field that could cost more, or that nobody here knows, is refused: only known fields pass.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from mintery.domain.model import Endpoint, Model, Quantities, Unit
from mintery.errors import MalformedRequest, UnknownModel, Unsupported
from mintery.providers.calls import Terms

TOKENS_PER_MESSAGE = 16
TOKENS_PER_REQUEST = 256
MOST_BRACKETS = 100_000
"""Opening brackets and braces in a body, texts included. Reading millions of empty lists stops all other requests for
seconds, and needs no credits."""

CHAT_FIELDS = frozenset(
    {
        "model", "messages", "stream", "stream_options", "n", "max_tokens", "max_completion_tokens",
        "temperature", "top_p", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs",
        "seed", "stop", "response_format", "tools", "tool_choice", "parallel_tool_calls", "functions",
        "function_call", "reasoning_effort", "verbosity", "user", "metadata", "safety_identifier",
        "prompt_cache_key", "store", "service_tier", "modalities",
        "top_k", "min_p", "top_a", "repetition_penalty", "repeat_penalty", "min_tokens", "ignore_eos",
    }
)  # fmt: skip
EMBEDDING_FIELDS = frozenset({"model", "input", "dimensions", "encoding_format", "user"})
MESSAGE_FIELDS = frozenset(
    {
        "role", "content", "name", "refusal", "tool_calls", "tool_call_id", "function_call", "reasoning_content",
    }
)  # fmt: skip
PART_FIELDS = frozenset({"type", "text", "refusal"})
TOOL_FIELDS = frozenset({"type", "function", "custom"})
HARMLESS: Mapping[str, tuple[Any, ...]] = {
    "service_tier": (None, "auto", "default"),
    "modalities": (None, ["text"]),
}
"""Fields that pass only with these values: others cost more."""


class ShapedRequest(NamedTuple):
    """What goes upstream, and the most it can use.

    Attributes:
        show_usage: the client asked for the usage chunk of a stream.
        most: upper bounds, over all answers. One covers all that is part of its unit and has no bound of its own.
    """

    endpoint: Endpoint
    model: Model
    body: bytes
    stream: bool
    show_usage: bool
    most: Quantities


def read_fields(raw: bytes) -> dict[str, Any]:
    """Raises MalformedRequest unless ``raw`` is a JSON object of a bearable number of parts."""
    if (brackets := raw.count(b"[") + raw.count(b"{")) > MOST_BRACKETS:
        raise MalformedRequest(f"the body has {brackets} brackets and braces; the limit is {MOST_BRACKETS}")
    try:
        fields = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedRequest(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    if not isinstance(fields, dict):
        raise MalformedRequest("the body is not a JSON object")
    return fields


def find_model(models: Mapping[str, Model], fields: Mapping[str, Any], endpoint: Endpoint | None) -> Model:
    """The model that the body names; ``endpoint`` None takes any.

    Raises:
        MalformedRequest, UnknownModel, Unsupported
    """
    name = fields.get("model")
    if not isinstance(name, str):
        raise MalformedRequest("model must be a string", field="model")
    if (model := models.get(name)) is None:
        raise UnknownModel(name)
    if endpoint not in {None, model.endpoint}:
        raise Unsupported(f"{name} is a model for {model.endpoint}, not for {endpoint}", field="model")
    return model


def shape_request(model: Model, terms: Terms, fields: Mapping[str, Any], *, choices: int) -> ShapedRequest:
    """Build the upstream body. ``choices`` is the most answers that one request may ask for.

    Raises:
        MalformedRequest, Unsupported: each with the field.
    """
    known = CHAT_FIELDS if model.endpoint is Endpoint.CHAT else EMBEDDING_FIELDS
    for name in fields:
        if name not in known and name not in terms.extra_fields:
            raise Unsupported(f"{name[:80]} is not supported: it may change what the request costs", field=name[:80])
    for name, harmless in HARMLESS.items():
        if name in fields and fields[name] not in harmless:
            raise Unsupported(f"{name} is supported only as {harmless[-1]}: others cost more", field=name)
    if model.endpoint is Endpoint.EMBEDDINGS:
        return _shape_embeddings(model, fields)
    return _shape_chat(model, terms, fields, choices)


def _shape_embeddings(model: Model, fields: Mapping[str, Any]) -> ShapedRequest:
    texts = fields.get("input")
    if not texts or not isinstance(texts, str | list):
        raise MalformedRequest("input must be a text or a list that is not empty", field="input")
    inputs = _inputs(texts)
    body = _written({**fields, "model": model.upstream})
    most_input = min(len(body) + TOKENS_PER_MESSAGE * inputs, model.context_tokens * inputs)
    return ShapedRequest(model.endpoint, model, body, False, False, {Unit.INPUT_TOKEN: most_input, Unit.REQUEST: 1})


def _inputs(texts: str | list[Any]) -> int:
    """How many vectors: a text or a list of tokens is one. Anything else is not metered by its bytes."""
    if isinstance(texts, str) or _are_tokens(texts):
        return 1
    if all(isinstance(each, str) for each in texts) or all(isinstance(e, list) and _are_tokens(e) for e in texts):
        return len(texts)
    raise MalformedRequest("input must be texts alone, or tokens alone", field="input")


def _are_tokens(given: list[Any]) -> bool:
    return all(type(each) is int for each in given)


def _written(shaped: Mapping[str, Any]) -> bytes:
    """What was read is written again, unless it is nested more deeply than we write."""
    try:
        return orjson.dumps(shaped)
    except orjson.JSONEncodeError:
        raise MalformedRequest("the body is nested too deeply") from None


def _shape_chat(model: Model, terms: Terms, fields: Mapping[str, Any], choices: int) -> ShapedRequest:
    messages = _messages(fields)
    _check_tools(fields)
    stream = fields.get("stream") or False
    if not isinstance(stream, bool):
        raise MalformedRequest("stream must be true or false", field="stream")
    count = _count(fields, "n", 1, choices)
    cap = _cap(model, fields)

    shaped = {name: value for name, value in fields.items() if name not in {"max_tokens", "max_completion_tokens"}}
    shaped |= {"model": model.upstream, terms.cap_field: cap}
    options = fields.get("stream_options") or {}
    if not isinstance(options, dict):
        raise MalformedRequest("stream_options must be an object", field="stream_options")
    if stream:
        shaped["stream_options"] = {**options, "include_usage": True}
    body = _written(shaped)
    most_input = len(body) + TOKENS_PER_MESSAGE * len(messages) + TOKENS_PER_REQUEST
    show_usage = bool(options.get("include_usage"))
    most: Quantities = {
        Unit.INPUT_TOKEN: min(most_input, model.context_tokens),
        Unit.OUTPUT_TOKEN: cap * count,
        Unit.REQUEST: 1,
    }
    return ShapedRequest(model.endpoint, model, body, stream, show_usage, most)


def _messages(fields: Mapping[str, Any]) -> list[Any]:
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise MalformedRequest("messages must be a list that is not empty", field="messages")
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise MalformedRequest("each message is an object with a role", field="messages")
        _check_known(message, MESSAGE_FIELDS, "messages")
        content = message.get("content")
        if isinstance(content, list):
            for part in content:
                _check_part(part)
        elif content is not None and not isinstance(content, str):
            raise MalformedRequest("a message's content is a text or a list of parts", field="messages")
    return messages


def _check_part(part: Any) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in ("text", "refusal"):
        raise Unsupported("only text parts are supported: others are not metered by their bytes", field="messages")
    _check_known(part, PART_FIELDS, "messages")


def _check_known(given: Mapping[str, Any], known: frozenset[str], field: str) -> None:
    """Cache marks and the like are priced apart by some providers."""
    if known.issuperset(given):
        return
    if unknown := [name for name, value in given.items() if name not in known and value is not None]:
        raise Unsupported(f"{unknown[0][:80]} in {field} is not supported: it may cost more", field=field)


def _check_tools(fields: Mapping[str, Any]) -> None:
    tools = fields.get("tools")
    if tools is None:
        return
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise MalformedRequest("tools must be a list of objects", field="tools")
    if any(tool.get("type") not in ("function", "custom") for tool in tools):
        raise Unsupported("only function and custom tools are supported: hosted tools cost extra", field="tools")
    for tool in tools:
        _check_known(tool, TOOL_FIELDS, "tools")


def _cap(model: Model, fields: Mapping[str, Any]) -> int:
    given = [
        _count(fields, name, 1, model.max_output_tokens)
        for name in ("max_completion_tokens", "max_tokens")
        if fields.get(name) is not None
    ]
    return max(given, default=model.max_output_tokens)


def _count(fields: Mapping[str, Any], name: str, absent: int, most: int) -> int:
    value = fields.get(name)
    if value is None:
        return absent
    if type(value) is not int or not 1 <= value <= most:
        raise MalformedRequest(f"{name} must be a whole number from 1 to {most}", field=name)
    return value
