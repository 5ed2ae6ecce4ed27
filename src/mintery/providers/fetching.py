"""Reads public pages that may be anyone's: bounded in bytes and in time, never elsewhere than where they were asked for."""

import asyncio
from collections.abc import Sequence

import aiohttp
from yarl import URL

from mintery.errors import FetchFailed
from mintery.providers.name_lookups import PatientResolver

OK = 200
_PIECE = 64 * 1024


def fetch(url: str, *, most_bytes: int, seconds: float) -> bytes:
    """The page's body, to be called from a thread without a running loop.

    Raises:
        FetchFailed
    """
    [body] = fetch_all([url], most_bytes=most_bytes, seconds=seconds)
    if isinstance(body, FetchFailed):
        raise body
    return body


def fetch_all(urls: Sequence[str], *, most_bytes: int, seconds: float) -> list[bytes | FetchFailed]:
    """All at once, each with its own end; the slowest takes ``seconds``, name, head and body together."""
    return asyncio.run(_fetch_all(urls, most_bytes, seconds)) if urls else []


async def _fetch_all(urls: Sequence[str], most_bytes: int, seconds: float) -> list[bytes | FetchFailed]:
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=PatientResolver()),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=seconds),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    ) as session:
        return await asyncio.gather(*(_outcome(session, url, most_bytes) for url in urls))


async def _outcome(session: aiohttp.ClientSession, url: str, most_bytes: int) -> bytes | FetchFailed:
    host = URL(url).authority.rpartition("@")[2]
    try:
        return await _read(session, url, host, most_bytes)
    except FetchFailed as error:
        return error
    except TimeoutError:
        return FetchFailed(host, "it took too long")
    except (aiohttp.ClientError, ValueError, OSError) as error:
        return FetchFailed(host, type(error).__name__)


async def _read(session: aiohttp.ClientSession, url: str, host: str, most_bytes: int) -> bytes:
    async with session.get(url, allow_redirects=False) as answer:
        if answer.status != OK:
            raise FetchFailed(host, f"it answered {answer.status}")
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise FetchFailed(host, "it answered compressed, which was not asked for")
        whole = bytearray()
        async for piece in answer.content.iter_chunked(_PIECE):
            whole += piece
            if len(whole) > most_bytes:
                answer.close()
                raise FetchFailed(host, f"its answer has more than {most_bytes} bytes")
        return bytes(whole)
