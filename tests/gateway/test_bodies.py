"""Bodies as a server hands them over: all at once, in pieces, never to their end."""

import asyncio
from collections.abc import Callable

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from mintery.errors import BodyTooLarge, BodyTooSlow, MalformedRequest
from mintery.gateway.bodies import arrived, receive_body
from mintery.usecases.parts import GatewayLimits

pytestmark = pytest.mark.anyio
LIMITS = GatewayLimits(body_bytes=10)


def piece(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def server(*messages: Message, wait: Callable[[], object] = lambda: asyncio.sleep(0)) -> Receive:
    """Gives the first message at once, the others after a wait, and then nothing."""
    left = list(messages)
    given: list[Message] = []

    async def receive() -> Message:
        if given:
            await wait()  # type: ignore[misc]  # any awaitable
        if not left:
            await asyncio.Event().wait()
        given.append(left.pop(0))
        return given[-1]

    return receive


@pytest.mark.parametrize(
    "messages",
    [
        [piece(b"0123456789", more=False)],
        [piece(b"01234"), piece(b"56789", more=False)],
        [piece(b""), piece(b"0123456789"), piece(b"", more=False)],
        [{"type": "http.request", "body": b"0123456789"}],
    ],
)
async def test_a_body_is_the_same_however_it_comes(messages: list[Message]):
    assert await receive_body(server(*messages), None, LIMITS) == b"0123456789"


@pytest.mark.parametrize("messages", [[piece(b"0" * 11, more=False)], [piece(b"0" * 6), piece(b"0" * 6)]])
async def test_a_body_above_the_limit_is_refused_as_it_passes_it(messages: list[Message]):
    with pytest.raises(BodyTooLarge):
        await receive_body(server(*messages), None, LIMITS)


@pytest.mark.parametrize(
    ("declared", "error"), [("11", BodyTooLarge), ("ten", MalformedRequest), ("-1", MalformedRequest)]
)
async def test_a_declared_length_is_refused_before_anything_is_read(declared: str, error: type[Exception]):
    with pytest.raises(error):
        await receive_body(server(piece(b"0", more=False)), declared, LIMITS)


async def test_a_body_that_never_ends_is_given_up():
    with pytest.raises(BodyTooSlow):
        await receive_body(server(piece(b"0")), None, GatewayLimits(body_seconds=0))


@pytest.mark.parametrize("before", [[], [piece(b"0")]])
async def test_a_client_that_left_has_no_body(before: list[Message]):
    with pytest.raises(ClientDisconnect):
        await receive_body(server(*before, {"type": "http.disconnect"}), None, LIMITS)


async def test_looking_for_a_message_takes_none_that_comes_later():
    receive = server(piece(b"first"), piece(b"second"))

    assert arrived(receive) == piece(b"first")
    assert arrived(receive) is None
    assert await receive() == piece(b"second")
