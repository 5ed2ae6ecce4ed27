"""Server-sent events cut at their ends, byte for byte: joined again, the pieces are what came in."""

import re

_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_LINE = re.compile(rb"\r\n|\n|\r")

DONE = b"[DONE]"


class EventTooLong(ValueError):
    """One event has more bytes than ``limit``."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"an event of more than {limit} bytes")
        self.limit = limit


class EventSplitter:
    """Feed bytes as they arrive; take whole events, each with the blank line that ends it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._searched = 0

    def feed(self, arrived: bytes) -> list[bytes]:
        """Events completed by ``arrived``.

        Raises:
            EventTooLong: what waits for its end has more than ``limit`` bytes.
        """
        rest = self._rest
        rest += arrived
        events = []
        start, position = 0, self._searched
        while (end := _BLANK_LINE.search(rest, position)) is not None:
            if end.end() == len(rest) and rest.endswith(b"\r"):
                break  # the line feed that belongs to this carriage return may be on its way
            events.append(bytes(rest[start : end.end()]))
            start = position = end.end()
        del rest[:start]
        self._searched = max(0, len(rest) - 4)
        if len(rest) > self._limit:
            raise EventTooLong(self._limit)
        return events

    @property
    def empty(self) -> bool:
        """Whether what comes next begins an event."""
        return not self._rest

    def rest(self) -> bytes:
        """What came after the last whole event."""
        return bytes(self._rest)


def event_payload(event: bytes) -> bytes | None:
    """The event's ``data`` lines joined by line feeds; None when it has none (a comment, a keep-alive)."""
    lines = [line[5:].removeprefix(b" ") for line in _LINE.split(event) if line.startswith(b"data:")]
    return b"\n".join(lines) if lines else None


def event_of(payload: bytes) -> bytes:
    """One event that carries ``payload``, which has no line breaks."""
    return b"data: " + payload + b"\n\n"
