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
SHARES = 10
"""Of what a peer may, one of so many shares is its own, whatever all the others do."""


def peer_of(request: Request) -> Peer:
    """Whom the call came from: the other end of the connection, or whom a trusted proxy there had it from."""
    proxies = till_of(request).parts.proxies
    connected = "" if request.client is None else request.client.host
    return proxies.peer(connected, request.headers.getlist(proxies.header))


class Tries:
    """At most ``most`` in each minute of one peer, and ``SITE_TIMES`` as many of its site. Counted by each process for itself.

    Once there were ``in_all``, a peer has its own share of that alone: what all cost together grows only with how many they are,
    and no few of them shut anybody out.
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
        own = max(1, self._most // SHARES)
        site = () if peer.wide is None else ((peer.wide, SITE_TIMES * self._most, SITE_TIMES * own),)
        self._count(((peer.near, self._most, own), *site), now)

    def count_one(self, name: str, now: datetime) -> None:
        """By a name that no caller can choose, like who is signed in, and with no share of its own. Raises TooManyTries."""
        self._count(((name, self._most, 0),), now)

    def _count(self, bounds: Sequence[tuple[str, int, int]], now: datetime) -> None:
        """``bounds``: a name, what it may, and what of that once there were ``in_all``.

        Raises:
            TooManyTries: of all ``bounds``, or nothing is counted.
        """
        seconds = int(now.timestamp())
        with self._counting:
            if seconds // 60 != self._minute:
                self._minute, self._total = seconds // 60, 0
                self._by_name.clear()
            if len(self._by_name) + sum(name not in self._by_name for name, _, _ in bounds) > MOST_NAMES:
                self._by_name.clear()  # whoever calls by that many names wins little by it, and refusing would shut all others out
            full = self._total >= self._in_all
            if any(self._by_name[name] >= (own if full else most) for name, most, own in bounds):
                raise TooManyTries(60 - seconds % 60)
            self._total += 1
            self._by_name.update(name for name, _, _ in bounds)
