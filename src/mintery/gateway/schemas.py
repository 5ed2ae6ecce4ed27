"""JSON Schemas of the bodies that cost: what ``shape_request`` takes, no more and no less.

They are for the OpenAPI document and for those who generate clients or requests from it; the checks themselves are in
``shape_request``, whose refusals name the field.
"""

from typing import Any

from mintery.usecases.shape_chat import CHAT_FIELDS, HARMLESS, MESSAGE_FIELDS, MODALITIES
from mintery.usecases.shape_embeddings import EMBEDDING_FIELDS, MODERATION_FIELDS
from mintery.usecases.shape_images import IMAGE_FIELDS
from mintery.usecases.shape_long_jobs import JOB_FIELDS, VIDEO_FIELDS
from mintery.usecases.shape_parts import DETAILS, SOUNDS
from mintery.usecases.shape_responses import RESPONSES_FIELDS
from mintery.usecases.shape_speech import SPEECH_FIELDS
from mintery.usecases.shape_transcription import ANSWERS, TRANSCRIPTION_FIELDS

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
_DETAIL: Schema = {"enum": list(DETAILS)}
_PART: Schema = {
    "anyOf": [
        _object(frozenset({"type", "text", "refusal"}), {"type": {"enum": ["text", "refusal"]}}, ["type"]),
        _object(
            frozenset({"type", "image_url"}),
            {
                "type": {"enum": ["image_url"]},
                "image_url": _object(frozenset({"url", "detail"}), {"url": _TEXT, "detail": _DETAIL}, ["url"]),
            },
            ["type", "image_url"],
        ),
        _object(
            frozenset({"type", "input_audio"}),
            {
                "type": {"enum": ["input_audio"]},
                "input_audio": _object(
                    frozenset({"data", "format"}), {"data": _TEXT, "format": {"enum": list(SOUNDS)}}, ["data", "format"]
                ),
            },
            ["type", "input_audio"],
        ),
    ]
}
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
    "modalities": _optional({"type": "array", "items": {"enum": list(MODALITIES)}}),
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
RESPONSES = _object(
    RESPONSES_FIELDS,
    {
        "model": _MODEL,
        "input": {"anyOf": [_TEXT | {"minLength": 1}, {"type": "array", "items": _OBJECT, "minItems": 1}]},
        "stream": _optional({"type": "boolean"}),
        "max_output_tokens": _whole("The most output tokens; the model's own limit where none is given."),
        "tools": _optional({"type": "array", "items": _OBJECT}),
    },
    ["model", "input"],
)
MODERATION = _object(
    MODERATION_FIELDS,
    {
        "model": _MODEL,
        "input": {"anyOf": [_TEXT | {"minLength": 1}, {"type": "array", "items": _TEXT, "minItems": 1}]},
    },
    ["model", "input"],
)
IMAGES = _object(
    IMAGE_FIELDS,
    {
        "model": _MODEL,
        "prompt": _TEXT | {"minLength": 1},
        "n": _whole("Pictures wanted; each is charged."),
        "size": _optional(_TEXT),
        "quality": _optional(_TEXT),
        "stream": {"enum": [None, False]},
    },
    ["model", "prompt"],
)
SPEECH = _object(
    SPEECH_FIELDS,
    {"model": _MODEL, "input": _TEXT | {"minLength": 1}, "stream_format": {"enum": [None, "audio"]}},
    ["model", "input"],
)
TRANSCRIPTION = _object(
    TRANSCRIPTION_FIELDS,
    {
        "model": _MODEL,
        "file": _TEXT | {"format": "binary", "minLength": 1},
        "response_format": {"enum": list(ANSWERS)},
        "stream": {"enum": ["false"]},
        "timestamp_granularities[]": {"type": "array", "items": _TEXT},
        "include[]": {"type": "array", "items": _TEXT},
    }
    | dict.fromkeys(("language", "prompt", "temperature"), _TEXT),
    ["model", "file"],
)
VIDEOS = _object(
    VIDEO_FIELDS,
    {
        "model": _MODEL,
        "prompt": _TEXT | {"minLength": 1},
        "seconds": _optional({"anyOf": [{"type": "integer", "minimum": 1}, _TEXT | {"pattern": "^[1-9][0-9]{0,5}$"}]}),
        "size": _optional(_TEXT),
    },
    ["model", "prompt"],
)
JOBS = _object(JOB_FIELDS, {"model": _MODEL, "input": _OBJECT}, ["model", "input"])
PRICED: Schema = {"anyOf": [CHAT, EMBEDDINGS, RESPONSES, MODERATION, IMAGES, SPEECH, VIDEOS, JOBS]}
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
