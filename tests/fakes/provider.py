"""A model provider's port in memory: it says what it is told to, and tells what it was asked."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

import orjson

from mintery.domain.model import Endpoint, Unit
from mintery.errors import ProviderFailed
from mintery.providers.calls import ProviderKey, Reply, StreamEvent, Terms, Usage


def tokens(prompt: int, completion: int, cached: int = 0) -> Usage:
    """What a provider reports of a chat; ``cached`` is part of ``prompt``."""
    usage = {Unit.INPUT_TOKEN.value: prompt - cached, Unit.OUTPUT_TOKEN.value: completion}
    return usage | ({Unit.CACHED_INPUT_TOKEN.value: cached} if cached else {})


@dataclass
class ScriptedProvider:
    """``reply`` answers JSON requests, ``events`` streams; ``before`` runs as each call arrives, ``before_event`` before each
    event; ``breaks_with`` ends a stream after its events, or refuses a JSON request.
    """

    reply: Reply = field(default_factory=lambda: Reply(b'{"choices":[]}', tokens(10, 5), 20))
    events: list[StreamEvent] = field(default_factory=list)
    breaks_with: ProviderFailed | None = None
    before: Callable[[], None] = lambda: None
    before_event: Callable[[], None] = lambda: None
    longest: int = 600
    asked: list[dict[str, object]] = field(default_factory=list)
    name: str = "test"
    keys: list[str | None] = field(default_factory=list)
    offered: Sequence[str] = ()

    @property
    def terms(self) -> Terms:
        return Terms(self.longest)

    async def ask(self, _endpoint: Endpoint, body: bytes, key: ProviderKey | None = None) -> Reply:
        self._note(body, key)
        if self.breaks_with is not None:
            raise self.breaks_with
        return self.reply

    async def stream(
        self, _endpoint: Endpoint, body: bytes, key: ProviderKey | None = None
    ) -> AsyncGenerator[StreamEvent]:
        self._note(body, key)
        for event in self.events:
            self.before_event()
            yield event
        if self.breaks_with is not None:
            raise self.breaks_with

    async def close(self) -> None:
        self.asked.clear()

    async def models(self) -> Sequence[str]:
        if self.breaks_with is not None:
            raise self.breaks_with
        return self.offered

    def _note(self, body: bytes, key: ProviderKey | None) -> None:
        self.before()
        self.keys.append(None if key is None else key.text)
        self.asked.append(orjson.loads(body))
