"""The formats that upstreams are spoken to in. Towards the gateway each is OpenAI's: bodies come in it, answers leave in it.

A wire translates; it sends nothing. What it cannot say in the upstream's format is refused before anything is held.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import orjson

from mintery.domain.model import Endpoint
from mintery.errors import ProviderNonsense, Unsupported
from mintery.providers.calls import Reply, StreamEvent
from mintery.providers.reading import json_object


class Sent(NamedTuple):
    """A request as it leaves. ``headers`` are beside those of all requests; None for none."""

    path: str
    body: bytes
    headers: Mapping[str, str] | None = None


class EventReader(Protocol):
    """Reads one stream, event by event."""

    @property
    def limit(self) -> int:
        """The most bytes of one event."""
        ...

    def plain_bytes(self, arrived: bytes) -> int:
        """How many of the first bytes are whole events that may pass as they are, and say nothing but text."""
        ...

    def read(self, raw: bytes) -> Sequence[StreamEvent]:
        """What one event says in OpenAI's format. Raises ProviderNonsense."""
        ...

    def finish(self) -> Sequence[StreamEvent]:
        """What is left to say when the upstream says no more. Raises ProviderNonsense where that is no end."""
        ...


class Wire(Protocol):
    def headers(self, api_key: str | None) -> Mapping[str, str]:
        """What every request says, the key included where there is one."""
        ...

    @property
    def models_path(self) -> str:
        """Where the provider lists its models."""
        ...

    def offered(self, provider: str, body: bytes) -> Sequence[str]:
        """The names in such a list. Raises ProviderNonsense."""
        ...

    def check(self, fields: Mapping[str, Any]) -> None:
        """Raises Unsupported for a chat that this format cannot say."""
        ...

    def sent(self, endpoint: Endpoint, body: bytes) -> Sent: ...

    def read(self, provider: str, endpoint: Endpoint, body: bytes, content_type: str) -> Reply:
        """Raises ProviderNonsense."""
        ...

    def events(self, provider: str, endpoint: Endpoint) -> EventReader: ...


def names_in(provider: str, body: bytes, list_field: str, name_field: str) -> tuple[str, ...]:
    """Of the objects in a list of an answer. Raises ProviderNonsense."""
    entries = json_object(provider, body).get(list_field)
    if not isinstance(entries, list):
        raise ProviderNonsense(provider, f"{list_field} is no list")
    names = [entry.get(name_field) for entry in entries if isinstance(entry, dict)]
    return tuple(name for name in names if isinstance(name, str))


def unsaid(why: str) -> Unsupported:
    """The format cannot say this part of a chat."""
    return Unsupported(why, field="messages")


def translated(translate: Callable[[Mapping[str, Any]], dict[str, Any]], fields: Mapping[str, Any]) -> bytes:
    """The translation, written: texts that become objects in it may nest more deeply than we write. What it stumbles over
    is the chat's own fault. Raises Unsupported.
    """
    try:
        return orjson.dumps(translate(fields))
    except (KeyError, TypeError, AttributeError, RecursionError, orjson.JSONDecodeError) as error:
        raise unsaid(f"the chat is malformed ({type(error).__name__})") from None


def check_carried(fields: Mapping[str, Any], carried: frozenset[str]) -> None:
    """What the format has no field for must not be left out unseen. Raises Unsupported."""
    for name, value in fields.items():
        if name not in carried and value is not None:
            raise Unsupported(f"{name[:80]} is not carried to this model's provider", field=name[:80])
    if fields.get("n") not in (None, 1):
        raise Unsupported("this model gives one answer at a time", field="n")
