"""Every contract of one deployment behind one rpc."""

from dataclasses import dataclass

from mintery.chain.access import AccessManager
from mintery.chain.credit_token import CreditToken
from mintery.chain.deployment import Deployment
from mintery.chain.price_oracle import PriceOracle
from mintery.chain.provider_registry import ProviderRegistry
from mintery.chain.reserve_vault import ReserveVault
from mintery.chain.rpc import Rpc
from mintery.chain.spend_escrow import SpendEscrow
from mintery.chain.test_dollar import Asset, TestDollar
from mintery.domain.voucher import Address


@dataclass(frozen=True, slots=True)
class Contracts:
    """``asset`` is a TestDollar where the deployment made one."""

    rpc: Rpc
    access: AccessManager
    asset: Asset
    registry: ProviderRegistry
    oracle: PriceOracle
    vault: ReserveVault
    escrow: SpendEscrow

    def token(self, address: Address) -> CreditToken:
        return CreditToken(self.rpc, address)


def contracts_of(rpc: Rpc, deployment: Deployment) -> Contracts:
    asset = TestDollar if deployment.has_test_asset else Asset
    return Contracts(
        rpc=rpc,
        access=AccessManager(rpc, deployment.access),
        asset=asset(rpc, deployment.asset),
        registry=ProviderRegistry(rpc, deployment.registry),
        oracle=PriceOracle(rpc, deployment.oracle),
        vault=ReserveVault(rpc, deployment.vault),
        escrow=SpendEscrow(rpc, deployment.escrow),
    )
