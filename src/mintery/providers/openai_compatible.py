"""One adapter for every upstream: towards the gateway it speaks OpenAI's format, whatever the wire beyond it."""

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import NoReturn, Self

import aiohttp

from mintery.domain.model import Endpoint
from mintery.errors import (
    AnswerTooLong,
    NotInItsFormat,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnreachable,
    Unsupported,
)
from mintery.providers.anthropic_wire import AnthropicWire
from mintery.providers.calls import OPENING_TRIES, Provider, ProviderKey, Reply, StreamEvent, Terms
from mintery.providers.config import ProviderConfig
from mintery.providers.exchanges import Answer, Exchanges, UnsayableHeader
from mintery.providers.google_wire import GoogleWire
from mintery.providers.openai_wire import OpenAIWire
from mintery.providers.sse import EventSplitter, EventTooLong
from mintery.providers.wires import EventReader, Sent, Wire

WIRES: Mapping[str, Callable[[], Wire]] = {"openai": OpenAIWire, "anthropic": AnthropicWire, "google": GoogleWire}
MAX_REFUSAL_BYTES = 64 * 1024
_UNSAYABLE = (TypeError, ValueError, LookupError, AttributeError, RecursionError)
"""What a translation stumbles over, for example what nests more deeply than we write: once credits are held, it must end
as the provider's failure, for only that returns them at once.
"""
_SHORTEST_LOOK = 0.01
"""Seconds: a reader that works past the deadline is not looked at all the time."""


class OpenAICompatible:
    """The ``Provider`` port over HTTP. Connections are kept; nothing of the client's own headers goes upstream."""

    def __init__(self, config: ProviderConfig) -> None:
        self._config = config
        self._wire = WIRES[config.wire]()
        longest = math.ceil(config.connect_seconds + config.first_byte_seconds) + config.total_seconds
        opening = OPENING_TRIES * math.ceil(config.first_byte_seconds)
        self._terms = Terms(
            longest, config.cap_field, config.extra_fields, self._wire.check, config.jobs, opening=opening
        )
        self._exchanges: Exchanges | None = None

    @property
    def name(self) -> str:
        return self._config.name

    @property
    def config(self) -> ProviderConfig:
        return self._config

    @property
    def terms(self) -> Terms:
        return self._terms

    async def ask(self, endpoint: Endpoint, body: bytes, key: ProviderKey | None = None) -> Reply:
        """See the port."""
        async with _Call(self, self._head(endpoint, body, key)) as answer:
            whole = await answer.whole()
        try:
            return self._wire.read(self.name, endpoint, whole, answer.content_type)
        except _UNSAYABLE as error:
            raise self._unreadable(error) from error

    async def models(self) -> Sequence[str]:
        """See the port."""
        async with _Call(self, self._listing()) as answer:
            whole = await answer.whole()
        return self._wire.offered(self.name, whole)

    async def stream(
        self, endpoint: Endpoint, body: bytes, key: ProviderKey | None = None
    ) -> AsyncGenerator[StreamEvent]:
        """See the port."""
        reader = self._wire.events(self.name, endpoint)
        splitter = EventSplitter(reader.limit)
        async with _Call(self, self._head(endpoint, body, key)) as answer:
            if answer.content_type != "text/event-stream":
                raise ProviderNonsense(self.name, f"a stream was asked for and {answer.content_type} came")
            while piece := await answer.next_piece():
                if plain := reader.plain_bytes(piece) if splitter.empty else 0:
                    yield StreamEvent(piece[:plain])
                for raw in self._split(splitter, piece[plain:]):
                    for event in self._read(reader, raw):
                        yield event
                        if event.last:
                            return
            for event in self._read(reader):
                yield event

    def _read(self, reader: EventReader, raw: bytes | None = None) -> Sequence[StreamEvent]:
        """What one event says, or without one what is left at the end."""
        try:
            return reader.finish() if raw is None else reader.read(raw)
        except _UNSAYABLE as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> ProviderNonsense:
        return ProviderNonsense(self.name, f"it cannot be read ({type(error).__name__})")

    def _sent(self, endpoint: Endpoint, body: bytes) -> Sent:
        try:
            return self._wire.sent(endpoint, body)
        except (Unsupported, *_UNSAYABLE) as error:
            raise NotInItsFormat(self.name, type(error).__name__) from error

    def _split(self, splitter: EventSplitter, piece: bytes) -> list[bytes]:
        try:
            return splitter.feed(piece)
        except EventTooLong as error:
            raise AnswerTooLong(self.name, error.limit) from None

    async def close(self) -> None:
        if self._exchanges is not None:
            await self._exchanges.close()

    async def _head(self, endpoint: Endpoint, body: bytes, key: ProviderKey | None) -> Answer:
        """An answer whose body is still to be read. A caller's ``key`` stands where ours would, in this request alone.

        Raises:
            NotInItsFormat, ProviderUnreachable, ProviderTimedOut, ClientError
        """
        sent = self._sent(endpoint, body)
        headers = sent.headers
        if key is not None:
            headers = {**self._wire.headers(key.text), **(headers or {})}
        return await self._first_byte(self._opened().begin("POST", sent.path, sent.body, headers))

    async def _listing(self) -> Answer:
        return await self._first_byte(self._opened().begin("GET", self._wire.models_path))

    async def _first_byte(self, request: Awaitable[Answer]) -> Answer:
        seconds = self._config.first_byte_seconds
        try:
            async with asyncio.timeout(seconds):
                return await request
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise ProviderUnreachable(self.name) from None
        except TimeoutError:
            raise ProviderTimedOut(self.name, math.ceil(seconds)) from None
        except UnsayableHeader as error:
            raise NotInItsFormat(self.name, type(error).__name__) from None

    def _opened(self) -> Exchanges:
        if self._exchanges is None:
            config = self._config
            headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
            headers |= self._wire.headers(config.api_key)
            self._exchanges = Exchanges(config.base_url, headers, connect_seconds=config.connect_seconds)
        return self._exchanges


class _Call:
    """One request, from its head to the end of its body. Every failure of the transport leaves as a ProviderFailed.

    The clock of the body runs only while we wait for the provider, never while the reader works. It is one timer for the
    whole body, which looks how long the wait has been: pieces come by the thousand, and mostly in time.
    """

    def __init__(self, provider: OpenAICompatible, head: Awaitable[Answer]) -> None:
        self._provider = provider
        self._head = head
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting_since: float | None = None
        self._size = 0

    @property
    def content_type(self) -> str:
        return self._response.content_type

    async def __aenter__(self) -> Self:
        try:
            self._response = await self._head
        except aiohttp.ClientError as error:
            raise self._broken(error) from None
        self._deadline = self._loop.time() + self._provider.config.total_seconds
        if self._response.status != 200:
            try:
                await self._refuse()
            except aiohttp.ClientError as error:
                raise self._broken(error) from None
            finally:
                self._let_go()
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._let_go()
        if isinstance(error, aiohttp.ClientError):
            raise self._broken(error) from None

    def _let_go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._response.release()

    async def next_piece(self) -> bytes:
        """What has arrived, or the next that does; empty at the end. Raises AnswerTooLong."""
        piece = await self._arrived()
        self._size += len(piece)
        if self._size > (most := self._provider.config.max_answer_bytes):
            raise AnswerTooLong(self._provider.name, most)
        return piece

    async def _arrived(self) -> bytes:
        content = self._response.content
        piece = content.read_nowait()
        if not piece and not content.at_eof():
            piece = await self._wait(content)
        return piece

    async def whole(self) -> bytes:
        """Everything there is."""
        whole = await self.next_piece()
        while piece := await self.next_piece():
            whole += piece
        return whole

    async def _wait(self, content: aiohttp.StreamReader) -> bytes:
        self._waiting_since = self._loop.time()
        if self._timer is None:
            self._look()
        try:
            return await content.readany()
        finally:
            self._waiting_since = None

    def _look(self) -> None:
        """End a wait that is too long; else look again when this one would be."""
        config, now = self._provider.config, self._loop.time()
        idle_until = (now if self._waiting_since is None else self._waiting_since) + config.idle_seconds
        until = min(idle_until, self._deadline)
        if self._waiting_since is None or now < until:
            self._timer = self._loop.call_at(max(until, now + _SHORTEST_LOOK), self._look)
            return
        seconds = config.idle_seconds if idle_until <= self._deadline else config.total_seconds
        self._response.content.set_exception(ProviderTimedOut(self._provider.name, math.ceil(seconds)))

    async def _refuse(self) -> NoReturn:
        wait = self._response.headers.get("Retry-After", "")
        seconds = wait if wait.isascii() and wait.isdecimal() else None
        answer = await self._arrived()
        raise ProviderRefused(self._provider.name, self._response.status, answer[:MAX_REFUSAL_BYTES], seconds)

    def _broken(self, error: aiohttp.ClientError) -> ProviderNonsense:
        return ProviderNonsense(self._provider.name, f"the connection broke ({type(error).__name__})")


def open_providers(configs: Iterable[ProviderConfig]) -> dict[str, Provider]:
    """One adapter for each, by name. They connect when they are first asked; close each at the end."""
    return {config.name: OpenAICompatible(config) for config in configs}
