"""A chat in the format of Google's generateContent (ai.google.dev, Gemini API reference)."""

from collections.abc import Mapping
from typing import Any

import orjson

from mintery.providers.wires import unsaid

FIELDS = frozenset(
    {
        "model", "messages", "stream", "stream_options", "n", "max_tokens", "max_completion_tokens", "temperature",
        "top_p", "top_k", "stop", "seed", "presence_penalty", "frequency_penalty", "tools", "tool_choice",
        "response_format", "modalities", "user",
    }
)  # fmt: skip
"""What this format can say of a chat; ``user`` is left out, as nothing here depends on it."""
_SYSTEM = frozenset({"system", "developer"})
_SAME = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}
SIGNATURE = "thought_signature"
"""What Gemini wants back with its own calls; apps carry it as they do towards Google's OpenAI form."""
Part = dict[str, Any]


def to_contents(fields: Mapping[str, Any]) -> Part:
    """Raises Unsupported for what the format cannot say."""
    messages = fields["messages"]
    sent: Part = {"contents": _contents(messages), "generationConfig": _config(fields)}
    system = [part for each in messages if each["role"] in _SYSTEM for part in _parts(each)]
    if system:
        sent["systemInstruction"] = {"parts": system}
    if tools := fields.get("tools"):
        sent["tools"] = [{"functionDeclarations": [_tool(tool) for tool in tools]}]
        sent["toolConfig"] = {"functionCallingConfig": _choice(fields.get("tool_choice") or "auto")}
    return sent


def _config(fields: Mapping[str, Any]) -> Part:
    config: Part = {theirs: fields[ours] for ours, theirs in _SAME.items() if fields.get(ours) is not None}
    config["maxOutputTokens"] = fields.get("max_tokens") or fields.get("max_completion_tokens")
    if stop := fields.get("stop"):
        config["stopSequences"] = [stop] if isinstance(stop, str) else stop
    if modalities := fields.get("modalities"):
        config["responseModalities"] = [each.upper() for each in modalities]
    form = fields.get("response_format") or {"type": "text"}
    match form["type"]:
        case "text":
            pass
        case "json_object":
            config["responseMimeType"] = "application/json"
        case "json_schema":
            config |= {"responseMimeType": "application/json", "responseJsonSchema": form["json_schema"]["schema"]}
        case _:
            raise unsaid("response_format must be text, json_object or json_schema")
    return config


def _contents(messages: list[Part]) -> list[Part]:
    """Neighbours of one role are one content: the results of calls that were made together must stand together."""
    names = {call["id"]: call["function"]["name"] for message in messages for call in message.get("tool_calls") or ()}
    contents: list[Part] = []
    for message in messages:
        if message["role"] in _SYSTEM:
            continue
        role, parts = _content(message, names)
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        else:
            contents.append({"role": role, "parts": parts})
    return contents


def _content(message: Part, names: Mapping[str, str]) -> tuple[str, list[Part]]:
    match message["role"]:
        case "user":
            return "user", _parts(message)
        case "assistant":
            return "model", [*_parts(message), *(_call(call) for call in message.get("tool_calls") or ())]
        case "tool":
            said = "".join(part.get("text", "") for part in _parts(message))
            if (name := names.get(message["tool_call_id"])) is None:
                raise unsaid("a tool's result answers no call")
            return "user", [{"functionResponse": {"name": name, "response": _result(said)}}]
        case role:
            raise unsaid(f"this model takes no messages of {str(role)[:40]}")


def _result(said: str) -> Part:
    """An object as it is; all else under a name, for this format takes objects alone."""
    try:
        result = orjson.loads(said)
    except orjson.JSONDecodeError:
        result = said
    return result if isinstance(result, dict) else {"result": result}


def _parts(message: Part) -> list[Part]:
    content = message.get("content")
    if content is None or isinstance(content, str):
        return [{"text": content}] if content else []
    return [_part(part) for part in content]


def _part(part: Part) -> Part:
    match part["type"]:
        case "text" | "refusal":
            return {"text": part.get("text") or part.get("refusal") or ""}
        case "image_url":
            given = part["image_url"]
            url: str = given["url"] if isinstance(given, dict) else given
            media_type, comma, coded = url.removeprefix("data:").partition(";base64,")
            if not comma or not url.startswith("data:"):
                raise unsaid("this model takes a picture's bytes, as data:image/…;base64,…")
            return {"inlineData": {"mimeType": media_type, "data": coded}}
        case "input_audio":
            sound = part["input_audio"]
            return {"inlineData": {"mimeType": f"audio/{sound['format']}", "data": sound["data"]}}
        case kind:
            raise unsaid(f"this model takes no parts of {str(kind)[:40]}")


def _call(call: Part) -> Part:
    function = call["function"]
    part: Part = {"functionCall": {"name": function["name"], "args": orjson.loads(function.get("arguments") or "{}")}}
    signature = call.get("extra_content", {}).get("google", {}).get(SIGNATURE)
    return {**part, "thoughtSignature": signature} if signature else part


def _tool(tool: Part) -> Part:
    if tool["type"] != "function":
        raise unsaid("this model takes no tools but functions")
    function = tool["function"]
    told = {name: function[name] for name in ("name", "description") if function.get(name) is not None}
    schema = function.get("parameters")
    return {**told, "parametersJsonSchema": schema} if schema else told


def _choice(given: Any) -> Part:
    if isinstance(given, dict):
        return {"mode": "ANY", "allowedFunctionNames": [given["function"]["name"]]}
    if (mode := _MODES.get(given)) is None:
        raise unsaid("tool_choice must be auto, required, none or a function")
    return {"mode": mode}
