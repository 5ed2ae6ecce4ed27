"""Keep one consistent reading of projects and prices at hand."""

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime

from mintery.chain.market import read_market
from mintery.domain.market import Market
from mintery.domain.voucher import Address
from mintery.errors import Draining, LedgerBehind, MarketUnread
from mintery.usecases.find_projects import find_projects
from mintery.usecases.onchain import OnChain

_MOST_UNREACHED = 10_000
"""Readings that are kept until the ledger reaches them; hours of them."""


class MarketBoard:
    """The newest reading, and the tokens it is of. Safe to share between threads.

    ``tokens`` None: every project that the vault opened, found as they open. ``longest_age``: seconds after which a
    reading is good for nothing; a depeg, a pause or a retirement may have happened since. ``longest_behind``: seconds
    after which a ledger that has not reached a reading is good for nothing either: an exit may have begun since, and paid.
    """

    def __init__(
        self,
        chain: OnChain,
        gateway: Address,
        tokens: Iterable[Address] | None = None,
        *,
        clock: Callable[[], datetime],
        longest_age: float,
        longest_behind: float = math.inf,
    ) -> None:
        self._chain = chain
        self._gateway = gateway
        self._discovers = tokens is None
        self._tokens = list(tokens or ())
        self._searched = chain.deployment.first_block
        self._clock = clock
        self._longest_age = longest_age
        self._longest_behind = longest_behind
        self._unreached: deque[tuple[int, datetime]] = deque(maxlen=_MOST_UNREACHED)
        self._behind_since: datetime | None = None
        self._newest: tuple[Market, datetime] | None = None
        self._lock = threading.Lock()

    def last(self) -> tuple[Market, datetime]:
        """The newest reading, however old, and when it was read. Raises Draining before the first one."""
        if self._newest is None:
            raise Draining("the chain has not been read yet")
        return self._newest

    def newest(self) -> Market:
        """Raises Draining before the first reading, MarketUnread when the last one is too old, LedgerBehind when the ledger
        is.
        """
        market, read_at = self.last()
        now = self._clock()
        age = (now - read_at).total_seconds()
        if age > self._longest_age:
            raise MarketUnread(int(age), int(self._longest_age))
        since = self._behind_since
        behind = 0.0 if since is None else (now - since).total_seconds()
        if behind > self._longest_behind:
            raise LedgerBehind(int(behind), int(self._longest_behind))
        return market

    def followed(self, number: int) -> None:
        """The ledger has recorded the chain up to that block."""
        with self._lock:
            while self._unreached and self._unreached[0][0] <= number:
                self._unreached.popleft()
            self._behind_since = self._unreached[0][1] if self._unreached else None

    def refresh(self) -> Market:
        """Read everything again at the newest confirmed block; the same block is not read twice.

        Raises:
            RpcUnavailable, RpcRefused: the last reading stays, and ages.
        """
        with self._lock:
            block = self._chain.confirmed_block()
            read_at = self._clock()
            if self._newest is not None and self._newest[0].block_hash == block.hash:
                market = self._newest[0]
            else:
                if self._discovers:
                    self._find(block.number)
                market = read_market(self._chain.contracts, self._gateway, self._tokens, block)
                self._unreached.append((block.number, read_at))
                self._behind_since = self._unreached[0][1]
            self._newest = (market, read_at)
            return market

    def _find(self, last: int) -> None:
        for opened in find_projects(self._chain, first=self._searched, last=last):
            if opened.token not in self._tokens:
                self._tokens.append(opened.token)
        self._searched = max(self._searched, last + 1)
