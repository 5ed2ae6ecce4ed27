"""A chat's body, checked and bounded."""

from collections.abc import Mapping
from typing import Any

from mintery.domain.model import Endpoint, Model, Unit
from mintery.errors import MalformedRequest, Unsupported
from mintery.providers.calls import Terms
from mintery.usecases.shape_parts import Media, read_part
from mintery.usecases.shaped import (
    ShapedRequest,
    check_fields,
    check_harmless,
    check_known,
    flag,
    mapping,
    whole,
    written,
)

TOKENS_PER_MESSAGE = 16
TOKENS_PER_REQUEST = 256
TOKENS_FOR_TOOLS = 1_024
"""What a provider says to a model of its own accord where tools are given: Anthropic's page on tool use tells up to 530."""

CHAT_FIELDS = frozenset(
    {
        "model", "messages", "stream", "stream_options", "n", "max_tokens", "max_completion_tokens",
        "temperature", "top_p", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs",
        "seed", "stop", "response_format", "tools", "tool_choice", "parallel_tool_calls", "functions",
        "function_call", "reasoning_effort", "verbosity", "user", "metadata", "safety_identifier",
        "prompt_cache_key", "store", "service_tier", "modalities", "audio",
        "top_k", "min_p", "top_a", "repetition_penalty", "repeat_penalty", "min_tokens", "ignore_eos",
    }
)  # fmt: skip
MESSAGE_FIELDS = frozenset(
    {
        "role", "content", "name", "refusal", "tool_calls", "tool_call_id", "function_call", "reasoning_content",
    }
)  # fmt: skip
TOOL_FIELDS = frozenset({"type", "function", "custom"})
HARMLESS: Mapping[str, tuple[Any, ...]] = {"service_tier": (None, "auto", "default")}
"""Fields that pass only with these values: others cost more."""
MODALITIES = {"text": None, "audio": Unit.AUDIO_OUTPUT_TOKEN, "image": Unit.IMAGE_OUTPUT_TOKEN}
"""What an answer may be made of, and the unit that must be sold for it."""


def shape_chat(model: Model, terms: Terms, fields: Mapping[str, Any], choices: int) -> ShapedRequest:
    """``choices`` is the most answers that one request may ask for.

    Raises:
        MalformedRequest, Unsupported: each with the field.
    """
    check_fields(fields, CHAT_FIELDS, terms.extra_fields)
    check_harmless(fields, HARMLESS)
    media = Media()
    messages = _messages(model, fields, media)
    check_tools(model, fields.get("tools"))
    speaks = _speaks(model, fields)
    stream = flag(fields, "stream")
    count = whole(fields, "n", 1, choices)
    cap = _cap(model, fields)

    shaped = {name: value for name, value in fields.items() if name not in {"max_tokens", "max_completion_tokens"}}
    shaped |= {"model": model.upstream, terms.cap_field: cap}
    options = mapping(fields, "stream_options")
    if stream:
        shaped["stream_options"] = {**options, "include_usage": True}
    if terms.check is not None:
        terms.check(shaped)
    body = written(shaped)
    media_tokens = media.tokens(model)
    around = TOKENS_PER_MESSAGE * len(messages) + allowance(fields)
    most_input = len(body) - media.bytes + media_tokens + around
    most: dict[str, int] = {
        Unit.INPUT_TOKEN: min(most_input, model.context_tokens),
        Unit.OUTPUT_TOKEN: cap * count,
        Unit.REQUEST: 1,
    }
    if not speaks and Unit.AUDIO_OUTPUT_TOKEN in model.units:
        most[Unit.AUDIO_OUTPUT_TOKEN] = 0
    return ShapedRequest(
        Endpoint.CHAT,
        model,
        body,
        stream,
        bool(options.get("include_usage")),
        media.bound(most, model),
        media_bytes=media.bytes,
        media_tokens=media_tokens,
    )


def allowance(fields: Mapping[str, Any]) -> int:
    """Input tokens that a provider may add to a request of its own accord."""
    return TOKENS_PER_REQUEST + (TOKENS_FOR_TOOLS if fields.get("tools") or fields.get("functions") else 0)


def check_tools(model: Model, tools: Any, known: frozenset[str] = TOOL_FIELDS) -> None:
    """Raises MalformedRequest, Unsupported: a tool that the provider runs itself costs extra."""
    if tools is None:
        return
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise MalformedRequest("tools must be a list of objects", field="tools")
    if any(tool.get("type") not in ("function", "custom") for tool in tools):
        raise Unsupported("only function and custom tools are supported: hosted tools cost extra", field="tools")
    for tool in tools:
        check_known(tool, known, "tools", model)


def _messages(model: Model, fields: Mapping[str, Any], media: Media) -> list[Any]:
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise MalformedRequest("messages must be a list that is not empty", field="messages")
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise MalformedRequest("each message is an object with a role", field="messages")
        check_known(message, MESSAGE_FIELDS, "messages", model)
        content = message.get("content")
        if isinstance(content, list):
            for part in content:
                read_part(model, part, media, "messages")
        elif content is not None and not isinstance(content, str):
            raise MalformedRequest("a message's content is a text or a list of parts", field="messages")
    return messages


def _speaks(model: Model, fields: Mapping[str, Any]) -> bool:
    """Whether the answer may be sound. Raises Unsupported for what the model does not sell."""
    modalities = fields.get("modalities")
    if modalities is None and fields.get("audio") is None:
        return False
    if not isinstance(modalities, list) or not all(isinstance(each, str) for each in modalities):
        raise MalformedRequest("modalities must be a list of texts", field="modalities")
    for each in modalities:
        unit = MODALITIES.get(each, each)
        if unit is not None and unit not in model.units:
            raise Unsupported(f"{model.id} is not sold with answers of {each[:80]}", field="modalities")
    if fields.get("audio") is not None and "audio" not in modalities:
        raise Unsupported("audio is supported only where modalities name it", field="audio")
    return "audio" in modalities


def _cap(model: Model, fields: Mapping[str, Any]) -> int:
    given = [
        whole(fields, name, 1, model.max_output_tokens)
        for name in ("max_completion_tokens", "max_tokens")
        if fields.get(name) is not None
    ]
    return max(given, default=model.max_output_tokens)
