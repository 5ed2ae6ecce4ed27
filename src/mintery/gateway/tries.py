"""How often one peer or holder may try what is worth guessing at, or costs more than it brings."""

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from starlette.requests import Request

from mintery.domain.peer import Peer
from mintery.errors import TooManyTries
from mintery.gateway.entry import till_of

MOST_NAMES = 100_000
SITE_TIMES = 8
"""So many times what one subscriber may, all of one site's subscribers may."""


def peer_of(request: Request) -> Peer:
    """Whom the call came from: the other end of the connection, or whom a trusted proxy there had it from."""
    proxies = till_of(request).parts.proxies
    connected = "" if request.client is None else request.client.host
    return proxies.peer(connected, request.headers.getlist(proxies.header))


class Tries:
    """At most ``most`` in each minute of one peer, ``SITE_TIMES`` as many of its site, and ``in_all``. Counted by each process for
    itself.
    """

    def __init__(self, most: int, *, in_all: int) -> None:
        self._most = most
        self._in_all = in_all
        self._minute = 0
        self._total = 0
        self._by_name: Counter[str] = Counter()
        self._counting = threading.Lock()

    def count(self, request: Request) -> None:
        """By the call's peer. Raises TooManyTries."""
        peer, now = peer_of(request), till_of(request).parts.clock()
        site = () if peer.wide is None else ((peer.wide, SITE_TIMES * self._most),)
        self._count(((peer.near, self._most), *site), now)

    def count_one(self, name: str, now: datetime) -> None:
        """By a name that no caller can choose, like who is signed in. Raises TooManyTries."""
        self._count(((name, self._most),), now)

    def _count(self, bounds: Sequence[tuple[str, int]], now: datetime) -> None:
        """Raises TooManyTries: of all ``bounds``, or nothing is counted."""
        seconds = int(now.timestamp())
        with self._counting:
            if seconds // 60 != self._minute:
                self._minute, self._total = seconds // 60, 0
                self._by_name.clear()
            new = sum(name not in self._by_name for name, _ in bounds)
            full = len(self._by_name) + new > MOST_NAMES or self._total >= self._in_all
            if full or any(self._by_name[name] >= most for name, most in bounds):
                raise TooManyTries(60 - seconds % 60)
            self._total += 1
            self._by_name.update(name for name, _ in bounds)
