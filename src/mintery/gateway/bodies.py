"""Request bodies, never more than allowed in memory."""

import asyncio

from starlette.requests import Request

from mintery.errors import BodyTooLarge, BodyTooSlow, MalformedRequest
from mintery.usecases.parts import GatewayLimits


async def read_body(request: Request, limits: GatewayLimits) -> bytes:
    """The whole body, refused as soon as it is known to be too large, or to take too long.

    Raises:
        BodyTooLarge, BodyTooSlow, MalformedRequest
    """
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _read(request, limits.body_bytes)
    except TimeoutError:
        raise BodyTooSlow(limits.body_seconds) from None


async def _read(request: Request, limit: int) -> bytes:
    if (declared := request.headers.get("content-length")) is not None:
        if not declared.isdecimal():
            raise MalformedRequest("Content-Length is no number")
        if int(declared) > limit:
            raise BodyTooLarge(int(declared), limit)
    whole = bytearray()
    async for piece in request.stream():
        whole += piece
        if len(whole) > limit:
            raise BodyTooLarge(len(whole), limit)
    return bytes(whole)
