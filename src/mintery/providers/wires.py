"""The formats that upstreams are spoken to in. Towards the gateway each is OpenAI's: bodies come in it, answers leave in it.

A wire translates; it sends nothing. What it cannot say in the upstream's format it refuses as the upstream would.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import orjson

from mintery.domain.model import Endpoint
from mintery.errors import ProviderRefused
from mintery.providers.calls import Reply, StreamEvent


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

    def is_plain(self, arrived: bytes) -> bool:
        """Whether these bytes are whole events that may pass as they are, and say nothing but text."""
        ...

    def read(self, raw: bytes) -> Sequence[StreamEvent]:
        """What one event says in OpenAI's format. Raises ProviderNonsense."""
        ...

    def finish(self) -> Sequence[StreamEvent]:
        """What is left to say when the upstream says no more. Raises ProviderNonsense where that is no end."""
        ...


class Wire(Protocol):
    def authorize(self, api_key: str) -> Mapping[str, str]:
        """The headers that carry the key."""
        ...

    def sent(self, provider: str, endpoint: Endpoint, body: bytes) -> Sent:
        """Raises ProviderRefused for what this format cannot say."""
        ...

    def read(self, provider: str, endpoint: Endpoint, body: bytes, content_type: str) -> Reply:
        """Raises ProviderNonsense."""
        ...

    def events(self, provider: str, endpoint: Endpoint) -> EventReader: ...


def refusal(provider: str, why: str) -> ProviderRefused:
    """As the upstream would: 400, in OpenAI's form, and nothing charged."""
    error: dict[str, Any] = {"message": why, "type": "invalid_request_error", "code": None, "param": "messages"}
    return ProviderRefused(provider, 400, orjson.dumps({"error": error}))
