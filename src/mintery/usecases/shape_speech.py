"""A text to be spoken, checked and bounded. It is sold by its characters or by the request: the answer is sound alone, and
says nothing of what it used.
"""

from collections.abc import Mapping
from typing import Any

from mintery.domain.model import Endpoint, Model, Unit, nearest
from mintery.errors import Unsupported
from mintery.providers.calls import Terms
from mintery.usecases.shaped import ShapedRequest, check_fields, check_harmless, text, written

SPEECH_FIELDS = frozenset(
    {"model", "input", "voice", "response_format", "speed", "instructions", "stream_format", "language"}
)
HARMLESS: Mapping[str, tuple[Any, ...]] = {"stream_format": (None, "audio")}
KNOWN_BEFORE = frozenset({Unit.CHARACTER, Unit.REQUEST})


def shape_speech(model: Model, terms: Terms, fields: Mapping[str, Any], _choices: int) -> ShapedRequest:
    """Raises MalformedRequest, Unsupported: each with the field."""
    check_fields(fields, SPEECH_FIELDS, terms.extra_fields)
    check_harmless(fields, HARMLESS)
    if unknown := sorted(unit for unit in model.units if nearest(unit, KNOWN_BEFORE) is None):
        raise Unsupported(f"{model.id} is sold by {unknown[0]}, which no answer of sound reports", field="model")
    known: dict[str, int] = {Unit.CHARACTER: len(text(fields, "input")), Unit.REQUEST: 1}
    body = written({**fields, "model": model.upstream})
    return ShapedRequest(Endpoint.SPEECH, model, body, False, False, known, known=known)
