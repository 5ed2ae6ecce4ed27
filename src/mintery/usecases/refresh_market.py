"""Keep one consistent reading of projects and prices at hand."""

import threading
from collections.abc import Iterable

from mintery.chain.market import read_market
from mintery.domain.market import Market
from mintery.domain.voucher import Address
from mintery.errors import Draining
from mintery.usecases.find_projects import find_projects
from mintery.usecases.onchain import OnChain


class MarketBoard:
    """The newest reading, and the tokens it is of. Safe to share between threads.

    ``tokens`` None: every project that the vault opened, found as they open.
    """

    def __init__(self, chain: OnChain, gateway: Address, tokens: Iterable[Address] | None = None) -> None:
        self._chain = chain
        self._gateway = gateway
        self._discovers = tokens is None
        self._tokens = list(tokens or ())
        self._searched = chain.deployment.first_block
        self._newest: Market | None = None
        self._lock = threading.Lock()

    def newest(self) -> Market:
        """Raises Draining before the first reading."""
        if self._newest is None:
            raise Draining("the chain has not been read yet")
        return self._newest

    def refresh(self) -> Market:
        """Read everything again at the newest confirmed block; the same block is not read twice.

        Raises:
            RpcUnavailable, RpcRefused: the last reading stays, and ages.
        """
        with self._lock:
            block = self._chain.confirmed_block()
            if self._newest is not None and self._newest.block_hash == block.hash:
                return self._newest
            if self._discovers:
                self._find(block.number)
            self._newest = read_market(self._chain.contracts, self._gateway, self._tokens, block)
            return self._newest

    def _find(self, last: int) -> None:
        for opened in find_projects(self._chain, first=self._searched, last=last):
            if opened.token not in self._tokens:
                self._tokens.append(opened.token)
        self._searched = max(self._searched, last + 1)
