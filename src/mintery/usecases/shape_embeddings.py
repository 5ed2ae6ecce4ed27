"""Texts for vectors and for moderation, checked and bounded: both answer each input, and neither generates anything."""

from collections.abc import Mapping
from typing import Any

from mintery.domain.model import Endpoint, Model, Unit
from mintery.errors import MalformedRequest
from mintery.providers.calls import Terms
from mintery.usecases.shape_chat import TOKENS_PER_MESSAGE
from mintery.usecases.shaped import ShapedRequest, check_fields, written

EMBEDDING_FIELDS = frozenset({"model", "input", "dimensions", "encoding_format", "user"})
MODERATION_FIELDS = frozenset({"model", "input"})


def shape_embeddings(model: Model, terms: Terms, fields: Mapping[str, Any], _choices: int) -> ShapedRequest:
    """Raises MalformedRequest, Unsupported: each with the field."""
    check_fields(fields, EMBEDDING_FIELDS, terms.extra_fields)
    return _shape(Endpoint.EMBEDDINGS, model, fields, _inputs(_given(fields)))


def shape_moderation(model: Model, terms: Terms, fields: Mapping[str, Any], _choices: int) -> ShapedRequest:
    """Raises MalformedRequest, Unsupported: each with the field."""
    check_fields(fields, MODERATION_FIELDS, terms.extra_fields)
    given = _given(fields)
    if not isinstance(given, str) and not all(isinstance(each, str) for each in given):
        raise MalformedRequest("input must be texts", field="input")
    return _shape(Endpoint.MODERATION, model, fields, 1 if isinstance(given, str) else len(given))


def _shape(endpoint: Endpoint, model: Model, fields: Mapping[str, Any], inputs: int) -> ShapedRequest:
    body = written({**fields, "model": model.upstream})
    most_input = min(len(body) + TOKENS_PER_MESSAGE * inputs, model.context_tokens * inputs)
    return ShapedRequest(endpoint, model, body, False, False, {Unit.INPUT_TOKEN: most_input, Unit.REQUEST: 1})


def _given(fields: Mapping[str, Any]) -> str | list[Any]:
    given = fields.get("input")
    if not given or not isinstance(given, str | list):
        raise MalformedRequest("input must be a text or a list that is not empty", field="input")
    return given


def _inputs(texts: str | list[Any]) -> int:
    """How many vectors: a text or a list of tokens is one. Anything else is not metered by its bytes."""
    if isinstance(texts, str) or _are_tokens(texts):
        return 1
    if all(isinstance(each, str) for each in texts) or all(isinstance(e, list) and _are_tokens(e) for e in texts):
        return len(texts)
    raise MalformedRequest("input must be texts alone, or tokens alone", field="input")


def _are_tokens(given: list[Any]) -> bool:
    return all(type(each) is int for each in given)
