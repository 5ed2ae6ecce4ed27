"""What the gateway asks of a model provider, and what it gets: the port that use cases see."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from mintery.domain.model import Endpoint, Quantities
from mintery.providers.job_forms import OPENAI_VIDEOS, JobForm

Usage = Quantities
"""What the provider says was used, unchecked: it may be negative or absurd. No two units count the same thing; a provider's
own total less its parts stands under the wider unit."""


JSON = "application/json"
OPENING_TRIES = 2
"""How often a provider is asked for a job that takes the same request for the same job."""


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A caller's own key of the provider: sent with this one request, and neither shown nor kept."""

    text: str = field(repr=False)


class Reply(NamedTuple):
    """A whole answer, byte for byte.

    Attributes:
        usage: None when the provider left it out, or it is not whole numbers.
        produced: UTF-8 bytes of generated text and tool arguments, for the estimate; 0 where ``usage`` is there.
        content_type: of sound; all else is JSON.
    """

    body: bytes
    usage: Usage | None
    produced: int
    content_type: str = JSON


class StreamEvent(NamedTuple):
    """One event of a streamed answer, byte for byte, or several that came together and carry nothing but text.

    Attributes:
        usage: what this event says was used so far.
        only_usage: it carries nothing for a client that did not ask for usage.
        last: ``[DONE]``, or what ends a Response.
    """

    raw: bytes
    usage: Usage | None = None
    only_usage: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What an upstream wants of a request, and how long one lasts.

    Attributes:
        longest: seconds after which a call has ended one way or the other.
        cap_field: the field that this upstream reads the output cap from.
        extra_fields: fields beyond OpenAI's own that cannot raise what a request costs.
        check: raises Unsupported for a chat that the upstream's own format cannot say; None where it can say all.
        jobs: how it is asked for long jobs; ``opening``: seconds after which asking for one has ended one way or the other.
    """

    longest: int
    cap_field: str = "max_tokens"
    extra_fields: frozenset[str] = frozenset()
    check: Callable[[Mapping[str, Any]], None] | None = None
    jobs: JobForm = OPENAI_VIDEOS
    opening: int = 0


class Provider(Protocol):
    """One upstream."""

    @property
    def name(self) -> str: ...

    @property
    def terms(self) -> Terms: ...

    async def ask(self, endpoint: Endpoint, body: bytes, key: ProviderKey | None = None) -> Reply:
        """Send a request and wait for its whole answer. A form begins with its boundary; any other body is JSON. ``key`` is
        used in place of the gateway's own.

        Raises:
            ProviderUnreachable, ProviderTimedOut, ProviderRefused, ProviderNonsense, NotInItsFormat, AnswerTooLong
        """

    def stream(self, endpoint: Endpoint, body: bytes, key: ProviderKey | None = None) -> AsyncGenerator[StreamEvent]:
        """Send a request with ``stream`` and yield events as they come; the last one yielded has ``last`` set.

        Raises:
            As ``ask``; after the first event they mean that the stream broke.
        """

    async def models(self) -> Sequence[str]:
        """What the provider offers now, by its own names.

        Raises:
            ProviderUnreachable, ProviderTimedOut, ProviderRefused, ProviderNonsense
        """

    async def close(self) -> None: ...
