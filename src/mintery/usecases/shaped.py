"""What shaping a request comes to, and the checks that all shapes share."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from mintery.domain.model import Endpoint, Model, Quantities, Unit
from mintery.errors import MalformedRequest, Unsupported

NONE: Mapping[str, Any] = MappingProxyType({})
CACHE_MARK = "cache_control"
CACHED_LONGER = f"{Unit.CACHE_WRITE_TOKEN}.1h"
"""Sold by those whose caches keep a prompt for an hour at a price of its own."""


class ShapedRequest(NamedTuple):
    """What goes upstream, and the most it can use.

    Attributes:
        show_usage: the client asked for the usage chunk of a stream.
        most: upper bounds, over all answers. One covers all that is part of its unit and has no bound of its own.
        known: what is used however the provider answers, exactly, by the rules it is sold by.
        variants: units that the answer counts, by the variant that was asked for.
        media_bytes: bytes of pictures and sound in the body: they are no text.
        media_tokens: the most tokens that they count as.
        shown: what of it a long job's answers repeat.
    """

    endpoint: Endpoint
    model: Model
    body: bytes
    stream: bool
    show_usage: bool
    most: Quantities
    known: Quantities = NONE
    variants: Mapping[str, str] = NONE
    media_bytes: int = 0
    media_tokens: int = 0
    shown: Mapping[str, str] = NONE


def written(shaped: Mapping[str, Any]) -> bytes:
    """What was read is written again, unless it is nested more deeply than we write."""
    try:
        return orjson.dumps(shaped)
    except orjson.JSONEncodeError:
        raise MalformedRequest("the body is nested too deeply") from None


def check_fields(fields: Iterable[str], known: frozenset[str], vouched: frozenset[str] = frozenset()) -> None:
    """Raises Unsupported for the first field that is neither ``known`` nor ``vouched`` for by the operator."""
    if known.issuperset(fields):
        return
    for name in fields:
        if name not in known and name not in vouched:
            raise Unsupported(f"{name[:80]} is not supported: it may change what the request costs", field=name[:80])


def check_harmless(fields: Mapping[str, Any], harmless: Mapping[str, tuple[Any, ...]]) -> None:
    """Raises Unsupported for a field with another value than those that cost nothing more."""
    for name, values in harmless.items():
        if name in fields and fields[name] not in values:
            raise Unsupported(f"{name} is supported only as {values[-1]}: others cost more", field=name)


def check_known(given: Mapping[str, Any], known: frozenset[str], field: str, model: Model) -> None:
    """Raises Unsupported for what may cost more: marks that some providers price apart pass only where they are sold."""
    if known.issuperset(given):
        return
    for name, value in given.items():
        if name in known or value is None or (name == CACHE_MARK and _is_sold_mark(value, model)):
            continue
        raise Unsupported(f"{name[:80]} in {field} is not supported: it may cost more", field=field)


def _is_sold_mark(mark: Any, model: Model) -> bool:
    """Whether writing to the provider's cache like this has a price."""
    if mark in ({"type": "ephemeral"}, {"type": "ephemeral", "ttl": "5m"}):
        return Unit.CACHE_WRITE_TOKEN in model.units
    return mark == {"type": "ephemeral", "ttl": "1h"} and CACHED_LONGER in model.units


def whole(fields: Mapping[str, Any], name: str, absent: int, most: int) -> int:
    """A whole number from 1 to ``most``; ``absent`` where there is none. Raises MalformedRequest."""
    value = fields.get(name)
    if value is None:
        return absent
    if type(value) is not int or not 1 <= value <= most:
        raise MalformedRequest(f"{name} must be a whole number from 1 to {most}", field=name)
    return value


def text(fields: Mapping[str, Any], name: str) -> str:
    """A text that is not empty. Raises MalformedRequest."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedRequest(f"{name} must be a text that is not empty", field=name)
    return value


def flag(fields: Mapping[str, Any], name: str) -> bool:
    """True or false; false where it is left out. Raises MalformedRequest."""
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise MalformedRequest(f"{name} must be true or false", field=name)
    return bool(value)


def mapping(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object; an empty one where it is left out. Raises MalformedRequest."""
    value = fields.get(name)
    if value is not None and not isinstance(value, dict):
        raise MalformedRequest(f"{name} must be an object", field=name)
    return value or {}
