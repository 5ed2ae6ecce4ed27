"""HTTP requests over connections of aiohttp's own pool, without its session.

A session looks for cookies, redirects, proxies and traces, and makes a task and a dozen objects for each request: that costs
as much as all that the gateway does itself. Its connector and its parser are used as they are: names, TLS, connections that
are kept or have died, and every failure are theirs.
"""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
from aiohttp.connector import Connection
from aiohttp.http import SERVER_SOFTWARE, HttpProcessingError
from yarl import URL

_FIRST_FINAL, _SWITCHED = 200, 101
_NOT_IN_A_HEADER = ("\r", "\n", "\0")
_CONNECTIONS_TRIED = 100
"""More than are kept of a peer that once spoke unasked, so that what fails here is new."""
_OCTETS = "application/octet-stream"


class UnsayableHeader(ValueError):
    """A header's value would end the header."""


class _Target(NamedTuple):
    """``request`` says where to connect to, and no more; ``line`` is the first of the head, ``said`` the ``headers`` that
    every request there has.
    """

    request: aiohttp.ClientRequest
    line: str
    headers: Mapping[str, str]
    said: str


class Answer:
    """One answer whose head is there. ``release`` it in the end."""

    def __init__(
        self, connection: Connection, status: int, headers: Mapping[str, str], content: aiohttp.StreamReader
    ) -> None:
        self._connection = connection
        self.status = status
        self.headers = headers
        self.content = content

    @property
    def content_type(self) -> str:
        """In lower case, without its parameters."""
        return self.headers.get("Content-Type", _OCTETS).partition(";")[0].strip().lower()

    def release(self) -> None:
        """The connection is kept if all was read of it and all was sent, and closed if not."""
        transport = self._connection.transport
        if transport is None or transport.get_write_buffer_size():
            self._connection.close()
        else:
            self._connection.release()


class Exchanges:
    """With one upstream. ``headers`` are those of all requests. Belongs to the loop that it is made in."""

    def __init__(self, base_url: str, headers: Mapping[str, str], *, connect_seconds: float) -> None:
        self.base_url = base_url
        self._headers = {"accept": "*/*", "user-agent": SERVER_SOFTWARE} | _lowered(headers)
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_seconds)
        self._connector = aiohttp.TCPConnector(limit=0)
        self._targets: dict[tuple[str, str], _Target] = {}

    async def begin(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request and wait for the head of its answer. ``headers`` stand in place of those of all requests.

        Raises:
            UnsayableHeader: nothing was sent.
            aiohttp.ClientError: of which ClientConnectorError and ConnectionTimeoutError say the same.
        """
        target = self._targets.get((method, path)) or self._find(method, path)
        said = target.said if headers is None else _written({**target.headers, **_lowered(headers)})
        head = f"{target.line}{said}content-length: {len(body)}\r\n\r\n".encode()
        connection = await self._connect(target.request)
        try:
            return await _exchange(connection, head + body)
        except BaseException:
            connection.close()
            raise

    async def _connect(self, request: aiohttp.ClientRequest) -> Connection:
        """Nothing waits to be read of it: what came unasked over a kept connection would be taken for the next answer."""
        try:
            for _ in range(_CONNECTIONS_TRIED):
                connection = await self._connector.connect(request, [], self._timeout)
                if connection.protocol is None or not connection.protocol.should_close:
                    return connection
                connection.close()
        except TimeoutError:
            raise aiohttp.ConnectionTimeoutError(f"no connection to {request.url.host}") from None
        raise aiohttp.ServerDisconnectedError("it speaks before it is asked")

    async def close(self) -> None:
        await self._connector.close()

    def _find(self, method: str, path: str) -> _Target:
        url = URL(self.base_url + path)
        request = aiohttp.ClientRequest(method, url, loop=asyncio.get_running_loop())
        # The library's own: where we are, and who, if the address says so.
        its_own = {name: request.headers[name] for name in ("Host", "Authorization") if name in request.headers}
        headers = _lowered(its_own) | self._headers
        target = _Target(request, f"{method} {url.raw_path_qs} HTTP/1.1\r\n", headers, _written(headers))
        return self._targets.setdefault((method, path), target)


async def _exchange(connection: Connection, sent: bytes) -> Answer:
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or transport is None:
        raise aiohttp.ServerDisconnectedError
    protocol.set_response_params(read_until_eof=True, auto_decompress=False)
    transport.write(sent)
    try:
        message, content = await protocol.read()
        while message.code < _FIRST_FINAL and message.code != _SWITCHED:
            message, content = await protocol.read()
    except HttpProcessingError as error:
        raise aiohttp.ClientPayloadError(f"no answer can be read of it ({type(error).__name__})") from None
    return Answer(connection, message.code, message.headers, content)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _written(headers: Mapping[str, str]) -> str:
    """Raises UnsayableHeader, which does not repeat it."""
    for name, value in headers.items():
        if any(each in value for each in _NOT_IN_A_HEADER):
            raise UnsayableHeader(name)
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
