"""Connections: when one is used again, and when it must not be."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest

from mintery.providers.exchanges import Exchanges, UnsayableHeader

pytestmark = pytest.mark.anyio
OK = b"HTTP/1.1 200 OK\r\ncontent-type: Application/JSON; charset=utf-8\r\ncontent-length: 2\r\n\r\n{}"
ASIDE = OK[:-2] + b"no"
MEGABYTE = 1_000_000


class Peer:
    """Answers each request's head on each connection with the next of ``answers``, before its body has come."""

    def __init__(self, answers: Sequence[bytes], *, reads_bodies: bool = True) -> None:
        self._answers = [*answers]
        self._reads_bodies = reads_bodies
        self.connections: list[list[bytes]] = []
        """The heads that came on each."""
        self.hang_up = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads: list[bytes] = []
        self.connections.append(heads)
        try:
            while self._answers:
                head = await reader.readuntil(b"\r\n\r\n")
                heads.append(head)
                writer.write(self._answers.pop(0))
                if not self._reads_bodies:
                    break
                await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
            await self.hang_up.wait()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def exchanges_with(peer: Callable[..., object]) -> AsyncIterator[Exchanges]:
    server = await asyncio.start_server(peer, "127.0.0.1", 0)  # type: ignore[arg-type]  # a callable object
    port = server.sockets[0].getsockname()[1]
    exchanges = Exchanges(f"http://127.0.0.1:{port}/v1", {"Authorization": "Bearer ours"}, connect_seconds=5)
    yield exchanges
    await exchanges.close()
    server.close()


async def ask(exchanges: Exchanges, body: bytes = b"{}") -> tuple[int, str, bytes]:
    answer = await exchanges.begin("POST", "/chat", body)
    whole = await answer.content.read()
    answer.release()
    return answer.status, answer.content_type, whole


async def test_a_connection_is_kept_and_each_request_says_all_it_must():
    peer = Peer([OK, OK])
    async with exchanges_with(peer) as exchanges:
        assert [await ask(exchanges) for _ in range(2)] == [(200, "application/json", b"{}")] * 2
        peer.hang_up.set()

    [heads] = peer.connections
    assert len(heads) == 2
    lines = heads[0].decode().split("\r\n")
    assert lines[0] == "POST /v1/chat HTTP/1.1"
    assert {"authorization: Bearer ours", "content-length: 2"} < set(lines)
    assert lines[1].startswith("host: 127.0.0.1:")


async def test_what_is_said_before_the_answer_is_passed_over():
    peer = Peer([b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + OK])
    async with exchanges_with(peer) as exchanges:
        assert await ask(exchanges) == (200, "application/json", b"{}")
        peer.hang_up.set()


async def test_a_header_of_one_request_stands_in_place_of_everybodys_and_cannot_end_itself():
    peer = Peer([OK])
    async with exchanges_with(peer) as exchanges:
        for value in ("a\r\nx: y", "a\nb", "a\0"):
            with pytest.raises(UnsayableHeader):
                await exchanges.begin("POST", "/chat", b"{}", {"authorization": value})
        (await exchanges.begin("POST", "/chat", b"{}", {"AUTHORIZATION": "Bearer theirs"})).release()
        peer.hang_up.set()

    [[head]] = peer.connections
    assert head.count(b"authorization") == 1
    assert b"Bearer theirs" in head


async def test_who_we_are_may_stand_in_the_address():
    peer = Peer([OK])
    async with exchanges_with(peer) as exchanges:
        named = Exchanges(exchanges.base_url.replace("//", "//us:word@"), {}, connect_seconds=5)
        assert (await ask(named))[0] == 200
        peer.hang_up.set()
        await named.close()

    [[head]] = peer.connections
    assert b"authorization: Basic dXM6d29yZA==\r\n" in head


async def test_an_answer_that_would_speak_another_protocol_is_the_answer():
    peer = Peer([b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"])
    async with exchanges_with(peer) as exchanges:
        answer = await exchanges.begin("POST", "/chat", b"{}")
        answer.release()
        peer.hang_up.set()
    assert answer.status == 101


async def test_a_connection_whose_answer_was_not_read_is_not_used_again():
    peer = Peer([OK[:-2].replace(b"content-length: 2", b"content-length: 9") + b"{}", OK])
    async with exchanges_with(peer) as exchanges:
        (await exchanges.begin("POST", "/chat", b"{}")).release()
        assert (await ask(exchanges))[2] == b"{}"
        peer.hang_up.set()
    assert len(peer.connections) == 2


async def test_a_connection_on_which_not_all_was_sent_is_not_used_again():
    peer = Peer([OK, OK], reads_bodies=False)
    async with exchanges_with(peer) as exchanges:
        assert (await ask(exchanges, b"x" * 20 * MEGABYTE))[0] == 200
        assert (await ask(exchanges))[0] == 200
        peer.hang_up.set()
    assert [len(heads) for heads in peer.connections] == [1, 1]


async def test_a_connection_that_died_while_it_was_kept_is_not_used_again():
    peer = Peer([OK])
    async with exchanges_with(peer) as exchanges:
        await ask(exchanges)
        peer.hang_up.set()
        while len(peer.connections) == 1:
            with pytest.raises(aiohttp.ClientError):  # what is asked now finds nobody who answers
                await ask(exchanges)


@pytest.mark.parametrize("unasked", [ASIDE, ASIDE + ASIDE, b"what is this?\r\n\r\n"])
async def test_what_comes_unasked_is_nobodys_answer(unasked: bytes):
    """As a second answer to one request, or one to a request that was given up."""
    came = asyncio.Event()
    answers: list[asyncio.StreamWriter] = []

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.append(writer)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n{}")
                writer.write(OK)
                if not came.is_set():
                    await came.wait()
                    writer.write(unasked)
        except asyncio.IncompleteReadError:
            writer.close()

    async with exchanges_with(peer) as exchanges:
        first = await exchanges.begin("POST", "/chat", b"{}")
        assert await first.content.read() == b"{}"
        kept = first._connection.protocol
        first.release()
        came.set()
        async with asyncio.timeout(30):
            while not (kept is None or kept.should_close):  # noqa: ASYNC110 -- the library has no event for it
                await asyncio.sleep(0)
        assert [(await ask(exchanges))[2] for _ in range(3)] == [b"{}"] * 3
    assert len(answers) == 2


@pytest.mark.parametrize("answer", [b"", b"what?\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"])
async def test_what_is_no_answer_is_an_error_of_the_client(answer: bytes):
    peer = Peer([answer])
    peer.hang_up.set()
    async with exchanges_with(peer) as exchanges:
        with pytest.raises(aiohttp.ClientError):
            await ask(exchanges)
