"""A chat in Anthropic's Messages format (docs.anthropic.com, Messages API and prompt caching)."""

from collections.abc import Mapping
from typing import Any

import orjson

from mintery.providers.wires import refusal

FIELDS = frozenset(
    {
        "model", "messages", "stream", "stream_options", "n", "max_tokens", "max_completion_tokens", "temperature",
        "top_p", "top_k", "stop", "tools", "tool_choice", "parallel_tool_calls", "user", "thinking",
    }
)  # fmt: skip
"""What this format can say of a chat."""
_SAME = ("model", "temperature", "top_p", "top_k", "stream", "thinking")
_SYSTEM = frozenset({"system", "developer"})
_CHOICES = {"auto": "auto", "required": "any", "none": "none"}
Block = dict[str, Any]


def to_messages(provider: str, fields: Mapping[str, Any]) -> Block:
    """Raises ProviderRefused for what the format cannot say."""
    sent: Block = {name: fields[name] for name in _SAME if fields.get(name) is not None}
    sent["max_tokens"] = fields.get("max_tokens") or fields.get("max_completion_tokens")
    system = [block for each in fields["messages"] if each["role"] in _SYSTEM for block in _blocks(provider, each)]
    if system:
        sent["system"] = system
    sent["messages"] = _turns(provider, fields["messages"])
    if stop := fields.get("stop"):
        sent["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if fields.get("user") is not None:
        sent["metadata"] = {"user_id": fields["user"]}
    if tools := fields.get("tools"):
        sent["tools"] = [_tool(provider, tool) for tool in tools]
        sent["tool_choice"] = _choice(provider, fields)
    return sent


def _turns(provider: str, messages: list[Block]) -> list[Block]:
    """Neighbours of one role are one turn: the results of calls that were made together must stand together."""
    turns: list[Block] = []
    for message in messages:
        if message["role"] in _SYSTEM:
            continue
        role, blocks = _turn(provider, message)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return turns


def _turn(provider: str, message: Block) -> tuple[str, list[Block]]:
    match message["role"]:
        case "user":
            return "user", _blocks(provider, message)
        case "assistant":
            calls = [_call(provider, call) for call in message.get("tool_calls") or ()]
            return "assistant", [*_blocks(provider, message), *calls]
        case "tool":
            blocks = _blocks(provider, message)
            return "user", [{"type": "tool_result", "tool_use_id": message.get("tool_call_id"), "content": blocks}]
        case role:
            raise refusal(provider, f"this model takes no messages of {str(role)[:40]}")


def _blocks(provider: str, message: Block) -> list[Block]:
    content = message.get("content")
    if content is None or isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [_block(provider, part) for part in content]


def _block(provider: str, part: Block) -> Block:
    mark = {name: part[name] for name in ("cache_control",) if part.get(name) is not None}
    match part["type"]:
        case "text" | "refusal":
            return {"type": "text", "text": part.get("text") or part.get("refusal") or "", **mark}
        case "image_url":
            return {"type": "image", "source": _source(provider, part["image_url"]), **mark}
        case kind:
            raise refusal(provider, f"this model takes no parts of {str(kind)[:40]}")


def _source(provider: str, image: Any) -> Block:
    url: str = image["url"] if isinstance(image, dict) else image
    if not url.startswith("data:"):
        return {"type": "url", "url": url}
    media_type, comma, coded = url.removeprefix("data:").partition(";base64,")
    if not comma:
        raise refusal(provider, "a picture's bytes are written as data:image/…;base64,…")
    return {"type": "base64", "media_type": media_type, "data": coded}


def _call(provider: str, call: Any) -> Block:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        raise refusal(provider, "this model takes no calls but of functions")
    try:
        arguments = orjson.loads(function.get("arguments") or "{}")
    except (orjson.JSONDecodeError, TypeError):
        raise refusal(provider, "a call's arguments are no JSON") from None
    return {"type": "tool_use", "id": call.get("id"), "name": function.get("name"), "input": arguments}


def _tool(provider: str, tool: Block) -> Block:
    function = tool.get("function")
    if tool["type"] != "function" or not isinstance(function, dict):
        raise refusal(provider, "this model takes no tools but functions")
    told = {name: function[name] for name in ("name", "description") if function.get(name) is not None}
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    mark = {name: tool[name] for name in ("cache_control",) if tool.get(name) is not None}
    return {**told, "input_schema": schema, **mark}


def _choice(provider: str, fields: Mapping[str, Any]) -> Block:
    given = fields.get("tool_choice") or "auto"
    if isinstance(given, dict):
        function = given.get("function")
        choice: Block = {"type": "tool", "name": function.get("name") if isinstance(function, dict) else None}
    elif (kind := _CHOICES.get(given)) is not None:
        choice = {"type": kind}
    else:
        raise refusal(provider, "tool_choice must be auto, required, none or a function")
    if fields.get("parallel_tool_calls") is False and choice["type"] != "none":
        choice["disable_parallel_tool_use"] = True
    return choice
