"""An attempt's answer on its way to one client."""

from starlette.types import Message, Receive, Send

from mintery.gateway.bodies import arrived
from mintery.gateway.errors import Problems
from mintery.gateway.rates import rate_headers
from mintery.providers.sse import event_of
from mintery.usecases.attempts import EVENTS, Attempt, Head

_EVENTS = b"text/event-stream; charset=utf-8"


async def relay(attempt: Attempt, head: Head, problems: Problems, receive: Receive, send: Send) -> bool:
    """Send what the attempt has and will have; whether the client took it to its end.

    A broken stream ends in an error event and an abort, never cleanly. The client's going away stops nothing but this.
    """
    if head.content_type == EVENTS:
        return await _relay_stream(attempt, head, problems, receive, send)
    body = await attempt.whole()
    left = _left(receive)
    await send(_start(attempt, head, (b"content-length", b"%d" % len(body))))
    await send({"type": "http.response.body", "body": body})
    return not left


async def _relay_stream(attempt: Attempt, head: Head, problems: Problems, receive: Receive, send: Send) -> bool:
    await send(_start(attempt, head))
    async for piece in attempt.pieces():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if (error := attempt.error) is not None:
        await send({"type": "http.response.body", "body": event_of(problems.of(error).body), "more_body": True})
        return False  # the body is left without its end, and the server drops the connection
    left = _left(receive)
    await send({"type": "http.response.body", "body": b""})
    return not left


def _left(receive: Receive) -> bool:
    while (message := arrived(receive)) is not None:
        if message["type"] == "http.disconnect":
            return True
    return False


def _start(attempt: Attempt, head: Head, *more: tuple[bytes, bytes]) -> Message:
    # x-request-id as well: the stock client keeps that one with its answer, so an app finds the receipt by it.
    request = attempt.request.encode()
    headers = [
        (b"content-type", _EVENTS if head.content_type == EVENTS else head.content_type.encode()),
        (b"x-mintery-receipt", request),
        (b"x-request-id", request),
        (b"cache-control", b"no-store"),
        *more,
    ]
    if head.held is not None:
        headers.append((b"x-mintery-quote-nanocredits", b"%d" % head.held))
    if head.cost is not None:
        headers.append((b"x-mintery-cost-nanocredits", b"%d" % head.cost))
    if head.route is not None:
        headers.append((b"x-mintery-route", head.route.encode()))
    if head.backup:
        headers.append((b"x-mintery-backup", b"true"))
    if head.left is not None:
        headers += [(name.encode(), value.encode()) for name, value in rate_headers(head.left)]
    if head.replayed:
        headers.append((b"x-mintery-replayed", b"true"))
    return {"type": "http.response.start", "status": head.status, "headers": headers}
