"""A text to be spoken, checked and bounded.

Sold by its characters or by the request, all is known before. Sold by tokens, the sound is asked for as events, for only the
last of those tells what was used; the client gets the sound alone.
"""

from collections.abc import Mapping
from typing import Any

from mintery.domain.model import Endpoint, Model, Unit, nearest
from mintery.errors import Unsupported
from mintery.providers.calls import Terms
from mintery.usecases.shape_chat import TOKENS_PER_REQUEST
from mintery.usecases.shaped import ShapedRequest, check_fields, check_harmless, text, written

SPEECH_FIELDS = frozenset(
    {"model", "input", "voice", "response_format", "speed", "instructions", "stream_format", "language"}
)
HARMLESS: Mapping[str, tuple[Any, ...]] = {"stream_format": (None, "audio")}
KNOWN_BEFORE = frozenset({Unit.CHARACTER, Unit.REQUEST})
TOLD = frozenset({Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN})


def shape_speech(model: Model, terms: Terms, fields: Mapping[str, Any], _choices: int) -> ShapedRequest:
    """Raises MalformedRequest, Unsupported: each with the field."""
    check_fields(fields, SPEECH_FIELDS, terms.extra_fields)
    check_harmless(fields, HARMLESS)
    known: dict[str, int] = {Unit.CHARACTER: len(text(fields, "input")), Unit.REQUEST: 1}
    counted = {unit for unit in model.units if nearest(unit, KNOWN_BEFORE) is None}
    if unknown := sorted(unit for unit in counted if nearest(unit, TOLD) is None):
        raise Unsupported(f"{model.id} is sold by {unknown[0]}, which no answer of sound reports", field="model")
    if not counted:
        body = written({**fields, "model": model.upstream})
        return ShapedRequest(Endpoint.SPEECH, model, body, False, False, known, known=known)
    body = written({**fields, "model": model.upstream, "stream_format": "sse"})
    most = {
        **known,
        Unit.INPUT_TOKEN: min(len(body) + TOKENS_PER_REQUEST, model.context_tokens),
        Unit.OUTPUT_TOKEN: model.max_output_tokens,
    }
    return ShapedRequest(Endpoint.SPEECH, model, body, False, False, most, known=known)
