"""A chat in Anthropic's Messages format (docs.anthropic.com, Messages API and prompt caching)."""

from collections.abc import Mapping
from typing import Any

import orjson

from mintery.providers.wires import unsaid

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


def to_messages(fields: Mapping[str, Any]) -> Block:
    """Raises Unsupported for what the format cannot say."""
    sent: Block = {name: fields[name] for name in _SAME if fields.get(name) is not None}
    sent["max_tokens"] = fields.get("max_tokens") or fields.get("max_completion_tokens")
    system = [block for each in fields["messages"] if each["role"] in _SYSTEM for block in _blocks(each)]
    if system:
        sent["system"] = system
    sent["messages"] = _turns(fields["messages"])
    if stop := fields.get("stop"):
        sent["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if fields.get("user") is not None:
        sent["metadata"] = {"user_id": fields["user"]}
    if tools := fields.get("tools"):
        sent["tools"] = [_tool(tool) for tool in tools]
        sent["tool_choice"] = _choice(fields)
    return sent


def _turns(messages: list[Block]) -> list[Block]:
    """Neighbours of one role are one turn: the results of calls that were made together must stand together."""
    turns: list[Block] = []
    for message in messages:
        if message["role"] in _SYSTEM:
            continue
        role, blocks = _turn(message)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return turns


def _turn(message: Block) -> tuple[str, list[Block]]:
    match message["role"]:
        case "user":
            return "user", _blocks(message)
        case "assistant":
            calls = [_call(call) for call in message.get("tool_calls") or ()]
            return "assistant", [*_blocks(message), *calls]
        case "tool":
            blocks = _blocks(message)
            return "user", [{"type": "tool_result", "tool_use_id": message.get("tool_call_id"), "content": blocks}]
        case role:
            raise unsaid(f"this model takes no messages of {str(role)[:40]}")


def _blocks(message: Block) -> list[Block]:
    content = message.get("content")
    if content is None or isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [_block(part) for part in content]


def _block(part: Block) -> Block:
    mark = {name: part[name] for name in ("cache_control",) if part.get(name) is not None}
    match part["type"]:
        case "text" | "refusal":
            return {"type": "text", "text": part.get("text") or part.get("refusal") or "", **mark}
        case "image_url":
            return {"type": "image", "source": _source(part["image_url"]), **mark}
        case kind:
            raise unsaid(f"this model takes no parts of {str(kind)[:40]}")


def _source(image: Any) -> Block:
    url: str = image["url"] if isinstance(image, dict) else image
    if not url.startswith("data:"):
        return {"type": "url", "url": url}
    media_type, comma, coded = url.removeprefix("data:").partition(";base64,")
    if not comma:
        raise unsaid("a picture's bytes are written as data:image/…;base64,…")
    return {"type": "base64", "media_type": media_type, "data": coded}


def _call(call: Any) -> Block:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        raise unsaid("this model takes no calls but of functions")
    try:
        arguments = orjson.loads(function.get("arguments") or "{}")
    except (orjson.JSONDecodeError, TypeError):
        raise unsaid("a call's arguments are no JSON") from None
    return {"type": "tool_use", "id": call.get("id"), "name": function.get("name"), "input": arguments}


def _tool(tool: Block) -> Block:
    function = tool.get("function")
    if tool["type"] != "function" or not isinstance(function, dict):
        raise unsaid("this model takes no tools but functions")
    told = {name: function[name] for name in ("name", "description") if function.get(name) is not None}
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    mark = {name: tool[name] for name in ("cache_control",) if tool.get(name) is not None}
    return {**told, "input_schema": schema, **mark}


def _choice(fields: Mapping[str, Any]) -> Block:
    given = fields.get("tool_choice") or "auto"
    if isinstance(given, dict):
        function = given.get("function")
        choice: Block = {"type": "tool", "name": function.get("name") if isinstance(function, dict) else None}
    elif (kind := _CHOICES.get(given)) is not None:
        choice = {"type": kind}
    else:
        raise unsaid("tool_choice must be auto, required, none or a function")
    if fields.get("parallel_tool_calls") is False and choice["type"] != "none":
        choice["disable_parallel_tool_use"] = True
    return choice
