"""OpenAI's samples as OpenAI's own client reads them: no field of their usage is one that it does not know."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from openai.types import CreateEmbeddingResponse, ImagesResponse, ModerationCreateResponse
from openai.types.audio import Transcription, TranscriptionVerbose
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

SAMPLES = Path(__file__).parent / "samples"
TYPES: dict[str, Any] = {
    "openai-chat-stream.sse": ChatCompletionChunk,
    "openai-chat-tools.sse": ChatCompletionChunk,
    "openai-chat": ChatCompletion,
    "openai-embeddings": CreateEmbeddingResponse,
    "openai-images": ImagesResponse,
    "openai-moderation": ModerationCreateResponse,
    "openai-responses-stream.sse": ResponseStreamEvent,
    "openai-responses-incomplete.sse": ResponseStreamEvent,
    "openai-responses": Response,
    "openai-transcription-verbose": TranscriptionVerbose,
    "openai-transcription": Transcription,
}
"""By what a file's name begins with; the first that fits."""
OTHERS = {"openai-speech-tokens.sse", "openai-embeddings-base64.json"}
"""The client returns sound as bytes, and turns base64 into numbers itself: it has types for neither."""
FILES = sorted(path.name for path in SAMPLES.glob("openai-*") if path.name not in OTHERS)


def events(text: bytes) -> Iterator[Any]:
    for line in text.splitlines():
        if line.startswith(b"data: ") and line != b"data: [DONE]":
            yield orjson.loads(line.removeprefix(b"data: "))


def unknown(value: Any) -> Iterator[str]:
    """Names of fields that the client's types do not have."""
    if isinstance(value, BaseModel):
        yield from value.model_extra or ()
        for name in type(value).model_fields:
            yield from unknown(getattr(value, name))
    elif isinstance(value, list):
        for each in value:
            yield from unknown(each)


@pytest.mark.parametrize("name", FILES)
def test_a_sample_is_of_the_official_clients_type(name: str):
    kind = next(each for start, each in TYPES.items() if name.startswith(start))
    text = (SAMPLES / name).read_bytes()
    read = [
        TypeAdapter(kind).validate_python(each)
        for each in (events(text) if name.endswith(".sse") else [orjson.loads(text)])
    ]

    assert read
    for each in read:
        holder = getattr(each, "response", each)
        assert list(unknown(getattr(holder, "usage", None))) == []
