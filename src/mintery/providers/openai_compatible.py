"""One adapter for every upstream that speaks OpenAI's format."""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager

import aiohttp

from mintery.domain.model import Endpoint
from mintery.errors import ProviderNonsense, ProviderRefused, ProviderTimedOut, ProviderUnreachable
from mintery.providers.calls import Provider, Reply, StreamEvent, Terms
from mintery.providers.config import ProviderConfig
from mintery.providers.reading import read_event, read_reply
from mintery.providers.sse import EventSplitter, EventTooLong

PATHS = {Endpoint.CHAT: "/chat/completions", Endpoint.EMBEDDINGS: "/embeddings"}
MAX_EVENT_BYTES = 1024 * 1024
MAX_REFUSAL_BYTES = 64 * 1024


class OpenAICompatible:
    """The ``Provider`` port over HTTP. Connections are kept; nothing of the client's own headers goes upstream."""

    def __init__(self, config: ProviderConfig) -> None:
        self._config = config
        self._session: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        return self._config.name

    @property
    def terms(self) -> Terms:
        config = self._config
        longest = math.ceil(config.connect_seconds + config.first_byte_seconds) + config.total_seconds
        return Terms(longest, config.cap_field, config.extra_fields)

    async def ask(self, endpoint: Endpoint, body: bytes) -> Reply:
        """See the port."""
        whole = bytearray()
        async with self._call(endpoint, body) as response, aclosing(self._pieces(response)) as pieces:
            async for piece in pieces:
                whole += piece
        return read_reply(self.name, endpoint, bytes(whole))

    async def stream(self, body: bytes) -> AsyncGenerator[StreamEvent]:
        """See the port."""
        splitter = EventSplitter(MAX_EVENT_BYTES)
        async with self._call(Endpoint.CHAT, body) as response, aclosing(self._pieces(response)) as pieces:
            if response.content_type != "text/event-stream":
                raise ProviderNonsense(self.name, f"a stream was asked for and {response.content_type} came")
            async for piece in pieces:
                for raw in self._split(splitter, piece):
                    event = read_event(self.name, raw)
                    yield event
                    if event.last:
                        return
        raise ProviderNonsense(self.name, "the stream ended without [DONE]")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _pieces(self, response: aiohttp.ClientResponse) -> AsyncGenerator[bytes]:
        """The body as it arrives. Its clock runs only while we wait for the provider, never while the reader works."""
        config = self._config
        clock = asyncio.get_running_loop().time
        deadline = clock() + config.total_seconds
        size = 0
        while True:
            idle_until = clock() + config.idle_seconds
            try:
                async with asyncio.timeout_at(min(deadline, idle_until)):
                    piece = await response.content.readany()
            except TimeoutError:
                seconds = config.idle_seconds if idle_until <= deadline else config.total_seconds
                raise ProviderTimedOut(self.name, math.ceil(seconds)) from None
            if not piece:
                return
            size += len(piece)
            if size > config.max_answer_bytes:
                raise ProviderNonsense(self.name, f"the answer has more than {config.max_answer_bytes} bytes")
            yield piece

    def _split(self, splitter: EventSplitter, piece: bytes) -> list[bytes]:
        try:
            return splitter.feed(piece)
        except EventTooLong as error:
            raise ProviderNonsense(self.name, str(error)) from None

    @asynccontextmanager
    async def _call(self, endpoint: Endpoint, body: bytes) -> AsyncIterator[aiohttp.ClientResponse]:
        """A good answer's head; its body is read inside. Every failure of the transport leaves as a ProviderFailed."""
        try:
            response = await self._head(endpoint, body)
            async with response:
                if response.status != 200:
                    await self._refuse(response)
                yield response
        except aiohttp.ClientError as error:
            raise ProviderNonsense(self.name, f"the connection broke ({type(error).__name__})") from None

    async def _head(self, endpoint: Endpoint, body: bytes) -> aiohttp.ClientResponse:
        config = self._config
        url = config.base_url + PATHS[endpoint]
        try:
            async with asyncio.timeout(config.first_byte_seconds):
                return await self._opened().post(url, data=body, allow_redirects=False)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise ProviderUnreachable(self.name) from None
        except TimeoutError:
            raise ProviderTimedOut(self.name, math.ceil(config.first_byte_seconds)) from None

    async def _refuse(self, response: aiohttp.ClientResponse) -> None:
        async with aclosing(self._pieces(response)) as pieces:
            answer = await anext(pieces, b"")
        wait = response.headers.get("Retry-After", "")
        seconds = wait if wait.isascii() and wait.isdecimal() else None
        raise ProviderRefused(self.name, response.status, answer[:MAX_REFUSAL_BYTES], seconds)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            config = self._config
            headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
            if config.api_key is not None:
                headers["Authorization"] = f"Bearer {config.api_key}"
            self._session = aiohttp.ClientSession(
                headers=headers,
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=config.connect_seconds),
                auto_decompress=False,
            )
        return self._session


def open_providers(configs: Iterable[ProviderConfig]) -> dict[str, Provider]:
    """One adapter for each, by name. They connect when they are first asked; close each at the end."""
    return {config.name: OpenAICompatible(config) for config in configs}
