"""One deployment on one chain: what every use case of the chain begins with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mintery.chain.contracts import Contracts, contracts_of
from mintery.chain.credit_token import CreditToken
from mintery.chain.deployment import Deployment
from mintery.chain.price_oracle import PriceOracle
from mintery.chain.provider_registry import ProviderRegistry
from mintery.chain.reserve_vault import ReserveVault
from mintery.chain.rpc import BlockRef, Rpc
from mintery.chain.sender import Sender
from mintery.chain.spend_escrow import SpendEscrow
from mintery.chain.test_dollar import Asset
from mintery.crypto.keys import PrivateKey
from mintery.domain.voucher import Address, EscrowDomain
from mintery.units import UnixSeconds

Clock = Callable[[], datetime]
"""Aware UTC: the wall clock of this process. Rules of the chain read the block's timestamp instead."""


@dataclass(frozen=True, slots=True)
class OnChain:
    """``confirmations`` blocks stand on top of one that is believed; with ``by_finalized`` the chain must call it finalized
    as well. ``finality`` blocks stand on top of one that never goes away; None: the chain's own ``finalized`` block says so.
    """

    rpc: Rpc
    deployment: Deployment
    contracts: Contracts
    confirmations: int
    by_finalized: bool = False
    finality: int | None = None

    @classmethod
    def of(
        cls,
        rpc: Rpc,
        deployment: Deployment,
        *,
        confirmations: int,
        by_finalized: bool = False,
        finality: int | None = None,
    ) -> "OnChain":
        return cls(rpc, deployment, contracts_of(rpc, deployment), confirmations, by_finalized, finality)

    @property
    def escrow(self) -> SpendEscrow:
        return self.contracts.escrow

    @property
    def vault(self) -> ReserveVault:
        return self.contracts.vault

    @property
    def oracle(self) -> PriceOracle:
        return self.contracts.oracle

    @property
    def registry(self) -> ProviderRegistry:
        return self.contracts.registry

    @property
    def asset(self) -> Asset:
        return self.contracts.asset

    @property
    def domain(self) -> EscrowDomain:
        return self.escrow.domain

    def token(self, address: Address) -> CreditToken:
        return self.contracts.token(address)

    def sender(self, key: PrivateKey) -> Sender:
        return Sender(self.rpc, key)

    def next_time(self) -> UnixSeconds:
        """What the next block's timestamp would be; a chain that stands still has an old last block."""
        return self.rpc.block("pending").timestamp

    def confirmed_block(self) -> BlockRef:
        """The newest block that is believed; block 0 while the chain is shorter than that."""
        head = self.rpc.block()
        deep = self.rpc.block(max(0, head.number - self.confirmations)) if self.confirmations else head
        if not self.by_finalized:
            return deep
        return min(deep, self.rpc.block("finalized"), key=lambda block: block.number)

    def finalized_block(self) -> BlockRef:
        """The newest block that no reorganisation can reach; never above the newest that is believed."""
        confirmed = self.confirmed_block()
        if self.finality is None:
            return min(confirmed, self.rpc.block("finalized"), key=lambda block: block.number)
        if self.finality <= self.confirmations:
            return confirmed
        return self.rpc.block(max(0, confirmed.number - (self.finality - self.confirmations)))
