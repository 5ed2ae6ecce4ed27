"""One deployment on one chain, with a wrapper for each contract: what every use case of the chain begins with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

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

Clock = Callable[[], datetime]
"""Aware UTC. The wall clock of this process; rules of the chain read the block's timestamp instead."""


@dataclass(frozen=True)
class OnChain:
    """``confirmations`` blocks stand on top of one that is believed."""

    rpc: Rpc
    deployment: Deployment
    escrow: SpendEscrow
    vault: ReserveVault
    oracle: PriceOracle
    registry: ProviderRegistry
    asset: Asset
    confirmations: int

    @classmethod
    def of(cls, rpc: Rpc, deployment: Deployment, *, confirmations: int) -> "OnChain":
        return cls(
            rpc=rpc,
            deployment=deployment,
            escrow=SpendEscrow(rpc, deployment.escrow),
            vault=ReserveVault(rpc, deployment.vault),
            oracle=PriceOracle(rpc, deployment.oracle),
            registry=ProviderRegistry(rpc, deployment.registry),
            asset=Asset(rpc, deployment.asset),
            confirmations=confirmations,
        )

    @property
    def domain(self) -> EscrowDomain:
        return self.escrow.domain

    def token(self, address: Address) -> CreditToken:
        return CreditToken(self.rpc, address)

    def sender(self, key: PrivateKey) -> Sender:
        return Sender(self.rpc, key)

    def confirmed_block(self) -> BlockRef:
        """The newest block that is believed; block 0 while the chain is shorter than that."""
        head = self.rpc.block()
        if not self.confirmations:
            return head
        return self.rpc.block(max(0, head.number - self.confirmations))
