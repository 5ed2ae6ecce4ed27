"""Request bodies, never more than allowed in memory."""

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from mintery.errors import BodyTooLarge, BodyTooSlow, MalformedRequest
from mintery.usecases.parts import GatewayLimits


async def read_body(request: Request, limits: GatewayLimits) -> bytes:
    """As ``receive_body``."""
    return await receive_body(request.receive, request.headers.get("content-length"), limits)


async def receive_body(receive: Receive, declared: str | None, limits: GatewayLimits) -> bytes:
    """The whole body, refused as soon as it is known to be too large, or to take too long. ``declared``: its
    Content-Length.

    Raises:
        BodyTooLarge, BodyTooSlow, MalformedRequest
        ClientDisconnect: nobody waits for an answer any more.
    """
    limit = limits.body_bytes
    if declared is not None:
        if not declared.isdecimal():
            raise MalformedRequest("Content-Length is no number")
        if int(declared) > limit:
            raise BodyTooLarge(int(declared), limit)
    first = arrived(receive)
    if first is not None and not first.get("more_body") and first["type"] == "http.request":
        body: bytes = first.get("body", b"")
        _check_size(len(body), limit)
        return body
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _gather(receive, first, limit)
    except TimeoutError:
        raise BodyTooSlow(limits.body_seconds) from None


def arrived(receive: Receive) -> Message | None:
    """The next message if it is there already; None, without waiting, if it is not.

    A coroutine that is not done after its first step waits for something, and is given up: nothing has been taken yet.
    """
    step = receive().__await__()
    try:
        next(step)
    except StopIteration as there:
        message: Message = there.value
        return message
    step.close()
    return None


async def _gather(receive: Receive, first: Message | None, limit: int) -> bytes:
    whole = bytearray()
    message = first or await receive()
    while message["type"] == "http.request":
        whole += message.get("body", b"")
        _check_size(len(whole), limit)
        if not message.get("more_body", False):
            return bytes(whole)
        message = await receive()
    raise ClientDisconnect


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise BodyTooLarge(size, limit)
