"""Request bodies, never more than allowed in memory."""

from starlette.requests import Request

from mintery.errors import BodyTooLarge, MalformedRequest


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, refused as soon as it is known to pass ``limit`` bytes.

    Raises:
        BodyTooLarge, MalformedRequest
    """
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
