"""What everyone may see of the chain, read only so often however many ask."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from mintery.domain.market import Market
from mintery.domain.voucher import Address
from mintery.usecases.onchain import OnChain
from mintery.usecases.read_price_history import PriceHistory, read_price_history
from mintery.usecases.show_reserve import ReserveShown, show_reserve

RESERVE_SECONDS = 2
HISTORY_SECONDS = 10
MOST_VERSIONS = 500


class PublicChain:
    """Safe to share between threads."""

    def __init__(self, chain: OnChain, market: Callable[[], tuple[Market, datetime]]) -> None:
        """``market``: the newest reading, however old, and when it was read."""
        self._chain = chain
        self._market = market
        self._reserves: tuple[datetime, tuple[ReserveShown, ...]] | None = None
        self._histories: dict[str, tuple[datetime, PriceHistory]] = {}
        self._lock = threading.Lock()

    @property
    def is_test(self) -> bool:
        """Whether the asset is a test dollar or the chain a local one, whose keys everyone knows: play money."""
        return self._chain.deployment.has_test_asset or self._chain.rpc.is_local

    @property
    def chain_id(self) -> int:
        return self._chain.rpc.chain_id

    @property
    def asset(self) -> Address:
        return self._chain.asset.address

    @property
    def contracts(self) -> Mapping[str, Address]:
        """Where each contract stands, by its Solidity name."""
        return {name: contract.address for name, contract in self._chain.deployment.contracts.items()}

    def market(self) -> tuple[Market, datetime]:
        """Raises NotAvailable before the first reading."""
        return self._market()

    def reserves(self, now: datetime) -> tuple[ReserveShown, ...]:
        """Of every project, all at one believed block; at most ``RESERVE_SECONDS`` old.

        Raises:
            NotAvailable: the chain has not been read yet.
            RpcUnavailable, RpcRefused
        """
        market, _ = self._market()
        with self._lock:
            if self._reserves is None or (now - self._reserves[0]).total_seconds() > RESERVE_SECONDS:
                at = self._chain.rpc.block(market.block_number)
                shown = tuple(show_reserve(self._chain, token, at=at) for token in market.projects)
                self._reserves = (now, shown)
            return self._reserves[1]

    def price_history(self, sku: str, now: datetime) -> PriceHistory:
        """The newest ``MOST_VERSIONS``; at most ``HISTORY_SECONDS`` old.

        Raises:
            UnknownSku, RpcUnavailable, RpcRefused
        """
        with self._lock:
            kept = self._histories.get(sku)
            if kept is None or (now - kept[0]).total_seconds() > HISTORY_SECONDS:
                # Only names that the oracle knows are kept: what strangers make up costs no memory.
                kept = self._histories[sku] = (now, read_price_history(self._chain, sku, limit=MOST_VERSIONS))
            return kept[1]
