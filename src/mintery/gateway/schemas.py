"""JSON Schemas of the bodies that cost: what ``shape_request`` takes, no more and no less.

They are for the OpenAPI document and for those who generate clients or requests from it; the checks themselves are in
``shape_request``, whose refusals name the field.
"""

from typing import Any

from mintery.usecases.shape_request import CHAT_FIELDS, EMBEDDING_FIELDS, HARMLESS, MESSAGE_FIELDS, PART_FIELDS

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_OBJECT: Schema = {"type": "object"}
_FREE: Schema = {}
"""Relayed as it is: the provider judges it."""


def _optional(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _whole(description: str) -> Schema:
    return _optional({"type": "integer", "minimum": 1}) | {"description": description}


def _object(known: frozenset[str], described: dict[str, Schema], required: list[str]) -> Schema:
    """An object of the ``known`` fields and no others."""
    properties = {name: described.get(name, _FREE) for name in sorted(known)}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_MODEL: Schema = _TEXT | {"description": "An id of `/v1/models`.", "examples": ["test/echo"]}
_PART = _object(PART_FIELDS, {"type": {"enum": ["text", "refusal"]}}, ["type"])
_MESSAGE = _object(
    MESSAGE_FIELDS,
    {
        "role": _TEXT,
        "content": _optional({"anyOf": [_TEXT, {"type": "array", "items": _PART}]}),
    },
    ["role"],
)
_TOOL = _object(
    frozenset({"type", "function", "custom"}),
    {"type": {"enum": ["function", "custom"]}, "function": _OBJECT, "custom": _OBJECT},
    ["type"],
)
_CHAT_FIELDS: dict[str, Schema] = {
    "model": _MODEL,
    "messages": {"type": "array", "items": _MESSAGE, "minItems": 1},
    "stream": _optional({"type": "boolean"}),
    "stream_options": _optional(_OBJECT),
    "n": _whole("Answers wanted; each is charged."),
    "max_tokens": _whole("The most output tokens of each answer; the model's own limit where none is given."),
    "max_completion_tokens": _whole("As `max_tokens`; the higher of the two holds."),
    "tools": _optional({"type": "array", "items": _TOOL}),
} | {name: {"enum": list(values)} for name, values in HARMLESS.items()}
_TOKENS: Schema = {"type": "array", "items": {"type": "integer"}, "minItems": 1}

CHAT = _object(CHAT_FIELDS, _CHAT_FIELDS, ["model", "messages"])
EMBEDDINGS = _object(
    EMBEDDING_FIELDS,
    {
        "model": _MODEL,
        "input": {
            "anyOf": [
                _TEXT | {"minLength": 1},
                {"type": "array", "items": _TEXT, "minItems": 1},
                _TOKENS,
                {"type": "array", "items": _TOKENS, "minItems": 1},
            ]
        },
    },
    ["model", "input"],
)
PRICED: Schema = {"anyOf": [CHAT, EMBEDDINGS]}
"""What may be quoted."""

ERROR: Schema = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "message": _TEXT,
                "type": _TEXT,
                "code": _TEXT,
                "param": {"type": ["string", "null"]},
            },
            "required": ["message", "type", "code", "param"],
        }
    },
    "required": ["error"],
    "additionalProperties": False,
}
"""OpenAI's shape; members beside the four are the error's own figures."""
