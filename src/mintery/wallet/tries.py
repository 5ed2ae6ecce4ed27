"""How often one client may try what is worth guessing at."""

import threading
from datetime import datetime

from starlette.requests import Request

from mintery.errors import TooManyTries
from mintery.gateway.entry import till_of

MOST_CLIENTS = 10_000


class Tries:
    """At most ``most`` in each minute, of one client's address and ``in_all``. Counted by each process for itself."""

    def __init__(self, most: int, *, in_all: int) -> None:
        self._most = most
        self._in_all = in_all
        self._minute = 0
        self._by_client: dict[str, int] = {}
        self._counting = threading.Lock()

    def count(self, request: Request) -> None:
        """Raises TooManyTries."""
        client = "" if request.client is None else request.client.host
        self.count_one(client, till_of(request).parts.clock())

    def count_one(self, client: str, now: datetime) -> None:
        """Raises TooManyTries."""
        seconds = int(now.timestamp())
        with self._counting:
            if seconds // 60 != self._minute:
                self._minute = seconds // 60
                self._by_client.clear()
            used = self._by_client.get(client, 0)
            full = len(self._by_client) >= MOST_CLIENTS and not used
            if full or used >= self._most or sum(self._by_client.values()) >= self._in_all:
                raise TooManyTries(60 - seconds % 60)
            self._by_client[client] = used + 1
