"""A client's body, checked and turned into the body that goes upstream, with the most units it can use.

The bound on input tokens: every token of a byte-level tokenizer stands for at least one byte, so a prompt has no more
tokens than the upstream body has UTF-8 bytes, tools and names included; pictures and sound count by their number. What a
provider's chat template adds of its own is covered by an allowance for each message and one for the request. No prompt
exceeds the model's context.

The bound on output tokens is the cap, times the number of answers; the cap is always sent in the field that the
upstream reads. A field that could cost more, or that nobody here knows, is refused: only known fields pass.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from mintery.domain.model import Endpoint, Model
from mintery.errors import MalformedRequest, UnknownModel, Unsupported
from mintery.providers.calls import Terms
from mintery.usecases.shape_chat import shape_chat
from mintery.usecases.shape_embeddings import shape_embeddings, shape_moderation
from mintery.usecases.shape_images import shape_images
from mintery.usecases.shape_long_jobs import shape_jobs, shape_videos
from mintery.usecases.shape_responses import shape_responses
from mintery.usecases.shape_speech import shape_speech
from mintery.usecases.shape_transcription import shape_transcription
from mintery.usecases.shaped import ShapedRequest

MOST_BRACKETS = 100_000
"""Opening brackets and braces in a body, texts included. Reading millions of empty lists stops all other requests for
seconds, and needs no credits. Escaped ones count: a text that a wire reads as JSON once more, the arguments of a tool's call,
has them then."""
_BRACKETS = (b"[", b"{", rb"\u005b", rb"\u005B", rb"\u007b", rb"\u007B")


def read_fields(raw: bytes) -> dict[str, Any]:
    """Raises MalformedRequest unless ``raw`` is a JSON object of a bearable number of parts."""
    if (brackets := sum([raw.count(each) for each in _BRACKETS])) > MOST_BRACKETS:
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
    if endpoint not in {None, model.endpoint, *model.also}:
        raise Unsupported(f"{name} is a model for {model.endpoint}, not for {endpoint}", field="model")
    return model


def shape_request(
    model: Model, terms: Terms, fields: Mapping[str, Any], *, choices: int, endpoint: Endpoint | None = None
) -> ShapedRequest:
    """Build the upstream body. ``choices`` is the most answers that one request may ask for. ``endpoint`` None is the one
    that the body is written for.

    Raises:
        MalformedRequest, Unsupported: each with the field.
    """
    return _SHAPES[endpoint or _written_for(model, fields)](model, terms, fields, choices)


def _written_for(model: Model, fields: Mapping[str, Any]) -> Endpoint:
    """A model may answer chats and Responses alike: only the latter have an input."""
    if Endpoint.RESPONSES in model.also and "input" in fields:
        return Endpoint.RESPONSES
    return model.endpoint


_SHAPES: Mapping[Endpoint, Callable[[Model, Terms, Mapping[str, Any], int], ShapedRequest]] = {
    Endpoint.CHAT: shape_chat,
    Endpoint.RESPONSES: shape_responses,
    Endpoint.EMBEDDINGS: shape_embeddings,
    Endpoint.MODERATION: shape_moderation,
    Endpoint.IMAGES: shape_images,
    Endpoint.SPEECH: shape_speech,
    Endpoint.TRANSCRIPTION: shape_transcription,
    Endpoint.VIDEOS: shape_videos,
    Endpoint.JOBS: shape_jobs,
}
