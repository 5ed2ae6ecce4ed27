"""Long jobs of an upstream over HTTP: opened, looked at, fetched.

Apart from ``OpenAICompatible``, for whoever follows jobs does so in another thread, with connections of its own.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol
from urllib.parse import quote

import aiohttp

from mintery.errors import MinteryError, ProviderNonsense, ProviderRefused, ProviderTimedOut, ProviderUnreachable
from mintery.providers.calls import JSON
from mintery.providers.config import ProviderConfig
from mintery.providers.job_forms import JobForm, JobReport, read_report

_DONE = frozenset({200, 201, 202})
_LOOK_SECONDS = 10
_MOST_REPORT = 1024 * 1024
_MOST_REFUSAL = 64 * 1024
_PIECE = 64 * 1024
_GONE = frozenset({204, 404, 409, 410})
_BOUNDARY_LINE = b"\r\n"


class Made(NamedTuple):
    """What a job made, piece by piece. ``length`` in bytes, where it was told. ``pieces`` are to be read to their end, or
    closed.
    """

    content_type: str
    length: int | None
    pieces: AsyncGenerator[bytes]


class JobProvider(Protocol):
    """An upstream's long jobs, as use cases see them."""

    @property
    def name(self) -> str: ...

    @property
    def form(self) -> JobForm: ...

    async def open(self, model: str, body: bytes, key: str) -> JobReport:
        """Ask for a job of ``model``. ``key`` is the same whenever the same job is asked for.

        Raises:
            ProviderUnreachable, ProviderTimedOut, ProviderRefused, ProviderNonsense
        """

    async def look(self, upstream: str) -> JobReport:
        """Raises as ``open``."""

    async def cancel(self, upstream: str) -> bool:
        """Whether it will do no more, as far as the upstream says. Raises as ``open``."""

    async def fetch(self, upstream: str, variant: str | None) -> Made:
        """Raises as ``open``; so do the pieces."""

    async def close(self) -> None: ...


class HttpLongJobs:
    """The ``JobProvider`` port. To be used from one event loop."""

    def __init__(self, config: ProviderConfig) -> None:
        self._config = config
        self._session: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        return self._config.name

    @property
    def form(self) -> JobForm:
        return self._config.jobs

    async def open(self, model: str, body: bytes, key: str) -> JobReport:
        """See the port."""
        form = self.form
        headers = {"Content-Type": _content_type(body) if form.multipart else JSON}
        if form.key_header:
            headers[form.key_header] = key
        path = form.create.replace("{model}", quote(model, safe="/"))
        async with self._timed(self._config.first_byte_seconds):
            answer = await self._ask("POST", path, body, headers, self._config.first_byte_seconds)
        return read_report(self.name, form, answer)

    async def look(self, upstream: str) -> JobReport:
        """See the port."""
        answer = await self._ask("GET", _of(self.form.look, upstream), None, {}, _LOOK_SECONDS)
        report = read_report(self.name, self.form, answer)
        if report.upstream != upstream:
            raise ProviderNonsense(self.name, "it was asked for one job and told of another")
        return report

    async def cancel(self, upstream: str) -> bool:
        """See the port. One that is over or unknown will do no more."""
        if not self.form.cancel:
            return False
        try:
            await self._ask("POST", _of(self.form.cancel, upstream), None, {}, _LOOK_SECONDS)
        except ProviderRefused as error:
            if error.status not in _GONE:
                raise
        return True

    async def fetch(self, upstream: str, variant: str | None) -> Made:
        """See the port."""
        path = _of(self.form.fetch, upstream)
        if variant is not None:
            path += f"?variant={quote(variant, safe='')}"
        pieces = self._pieces(path)
        head = await anext(pieces)
        assert isinstance(head, aiohttp.ClientResponse)  # noqa: S101 -- it comes first
        return Made(head.content_type, head.content_length, _bytes(pieces))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> bytes:
        async with self._called(method, path, body, headers, seconds) as answer, self._timed(seconds):
            whole = bytearray()
            async for piece in answer.content.iter_chunked(_PIECE):
                whole += piece
                if len(whole) > _MOST_REPORT:
                    raise ProviderNonsense(self.name, f"what it says of a job has more than {_MOST_REPORT} bytes")
            return bytes(whole)

    async def _pieces(self, path: str) -> AsyncGenerator[aiohttp.ClientResponse | bytes]:
        """First the answer's head, then what follows it."""
        async with self._called("GET", path, None, {}, self._config.first_byte_seconds) as answer:
            yield answer
            while True:
                async with self._timed(self._config.idle_seconds):
                    piece = await answer.content.readany()
                if not piece:
                    return
                yield piece

    @asynccontextmanager
    async def _called(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer whose status says that it was done. Failures of the transport leave as ProviderFailed, in here too."""
        url = self._config.base_url + path
        try:
            async with self._timed(seconds):
                answer = await self._opened().request(method, url, data=body, headers=headers, allow_redirects=False)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise ProviderUnreachable(self.name) from None
        except aiohttp.ClientError as error:
            raise self._broken(error) from None
        try:
            if answer.status not in _DONE:
                await self._refuse(answer)
            yield answer
        except aiohttp.ClientError as error:
            raise self._broken(error) from None
        finally:
            answer.release()
            await answer.wait_for_close()

    async def _refuse(self, answer: aiohttp.ClientResponse) -> None:
        """Raises ProviderRefused."""
        wait = answer.headers.get("Retry-After", "")
        seconds = wait if wait.isascii() and wait.isdecimal() else None
        async with self._timed(_LOOK_SECONDS):
            said = await answer.content.read(_MOST_REFUSAL)
        raise ProviderRefused(self.name, answer.status, said, seconds)

    @asynccontextmanager
    async def _timed(self, seconds: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise ProviderTimedOut(self.name, math.ceil(seconds)) from None

    def _broken(self, error: aiohttp.ClientError) -> MinteryError:
        return ProviderNonsense(self.name, f"the connection broke ({type(error).__name__})")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            key = self._config.api_key
            headers = {"Accept-Encoding": "identity"}
            self._session = aiohttp.ClientSession(
                headers=headers if key is None else {**headers, "Authorization": f"Bearer {key}"},
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._config.connect_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


def open_long_jobs(configs: Iterable[ProviderConfig]) -> dict[str, JobProvider]:
    """One for each upstream, by name. They connect when they are first asked; close each at the end."""
    return {config.name: HttpLongJobs(config) for config in configs}


async def _bytes(pieces: AsyncGenerator[aiohttp.ClientResponse | bytes]) -> AsyncGenerator[bytes]:
    try:
        async for piece in pieces:
            assert isinstance(piece, bytes)  # noqa: S101 -- the head came before
            yield piece
    finally:
        await pieces.aclose()


def _of(path: str, upstream: str) -> str:
    return path.replace("{id}", quote(upstream, safe=""))


def _content_type(form: bytes) -> str:
    """A form begins with its boundary."""
    boundary = form[2 : form.index(_BOUNDARY_LINE)].decode()
    return f"multipart/form-data; boundary={boundary}"
