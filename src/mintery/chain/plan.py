"""What a deployment would do and cost, without a transaction on its chain."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from mintery.chain.access import AccessManager
from mintery.chain.artifact import load_artifact
from mintery.chain.contracts import Contracts
from mintery.chain.deploy import (
    FACTORY,
    deploy,
    deployed_parts,
    factory_creation,
    find_factory,
    proxied_factory,
    salt_of,
)
from mintery.chain.devchain.chain import DevChain
from mintery.chain.factory import create2_address, created_address
from mintery.chain.price_oracle import PriceOracle
from mintery.chain.provider_registry import ProviderRegistry
from mintery.chain.reserve_vault import ReserveVault
from mintery.chain.roles import DeployConfig, check_limits, missing_setup
from mintery.chain.rpc import Rpc, connect
from mintery.chain.spend_escrow import SpendEscrow
from mintery.chain.test_dollar import Asset
from mintery.crypto.keys import dev_key
from mintery.domain.voucher import Address
from mintery.units import Wei

_ASSET_STEP = "deploy TestDollar"
_SET_UP = "set up"


@dataclass(frozen=True, slots=True)
class PlannedContract:
    """``stands``: it is there already and costs nothing."""

    name: str
    address: Address
    stands: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What ``deploy`` would do. The fee of a rollup for its data on another chain is not in it.

    Attributes:
        gas: of all transactions, as a rehearsal with the same constructors and settings used it.
        gas_price: base fee and tip at present, wei.
        balance: of the deployer, wei.
    """

    deployer: Address
    contracts: tuple[PlannedContract, ...]
    transactions: int
    gas: int
    gas_price: Wei
    balance: Wei

    @property
    def cost(self) -> Wei:
        """At the present price."""
        return Wei(self.gas * self.gas_price)

    @property
    def is_affordable(self) -> bool:
        """With room for the base fee to double, as senders ask for it."""
        return self.balance >= 2 * self.cost


def plan_deployment(rpc: Rpc, deployer: Address, config: DeployConfig) -> Plan:
    """Addresses by CREATE2; gas by a rehearsal of the same deployment on a chain in this process.

    Raises:
        SettingTooLow, SettingMissing
        RpcUnavailable, RpcRefused
    """
    check_limits(config, local=rpc.is_local)
    contracts = tuple(_planned(rpc, deployer, config))
    is_set_up = all(contract.stands for contract in contracts) and not _left_to_set_up(rpc, deployer, config, contracts)
    standing = {f"deploy {contract.name}" for contract in contracts if contract.stands}
    steps = [
        (step, gas)
        for step, gas in _rehearse(config)
        if step not in standing
        and not (step == _ASSET_STEP and _has_asset(config, contracts))
        and not (is_set_up and step.startswith(_SET_UP))
    ]
    return Plan(
        deployer=deployer,
        contracts=contracts,
        transactions=len(steps),
        gas=sum(gas for _, gas in steps),
        gas_price=Wei(rpc.block().base_fee + rpc.priority_fee()),
        balance=rpc.balance(deployer),
    )


def _has_asset(config: DeployConfig, contracts: tuple[PlannedContract, ...]) -> bool:
    return config.asset is not None or any(c.name == "Asset" and c.stands for c in contracts)


def _left_to_set_up(rpc: Rpc, deployer: Address, config: DeployConfig, contracts: tuple[PlannedContract, ...]) -> bool:
    at = {contract.name: contract.address for contract in contracts}
    standing = Contracts(
        rpc=rpc,
        access=AccessManager(rpc, at["AccessManager"]),
        asset=Asset(rpc, at["Asset"]),
        registry=ProviderRegistry(rpc, at["ProviderRegistry"]),
        oracle=PriceOracle(rpc, at["PriceOracle"]),
        vault=ReserveVault(rpc, at["ReserveVault"]),
        escrow=SpendEscrow(rpc, at["SpendEscrow"]),
    )
    return bool(missing_setup(standing, config, deployer))


def _planned(rpc: Rpc, deployer: Address, config: DeployConfig) -> list[PlannedContract]:
    factory = find_factory(rpc, deployer)
    stands = factory is not None
    if factory is None:
        by_proxy = factory_creation(rpc).to is not None
        factory = proxied_factory() if by_proxy else created_address(deployer, rpc.nonce(deployer))
    found = [PlannedContract(FACTORY, factory, stands)]
    addresses = {FACTORY: factory}
    if config.asset is not None:
        found.append(PlannedContract("Asset", config.asset, stands=True))
        addresses["Asset"] = config.asset
    for part in deployed_parts(config, deployer, addresses):
        init_code = load_artifact(part.artifact).init_code(*part.arguments)
        address = addresses[part.name] = create2_address(factory, salt_of(part.artifact), init_code)
        found.append(PlannedContract(part.name, address, bool(rpc.code(address))))
    return found


def _rehearse(config: DeployConfig) -> list[tuple[str, int]]:
    """Each step's name and gas. A TestDollar stands in for the asset."""
    steps: list[str] = []
    with DevChain() as chain, tempfile.TemporaryDirectory(prefix="mintery-rehearsal-") as directory:
        deployed = deploy(
            connect(chain.provider()),
            dev_key(0),
            replace(config, asset=None),
            Path(directory) / "deployment.json",
            on_step=steps.append,
        )
    return [(step, receipt.gas_used) for step, receipt in zip(steps, deployed.receipts, strict=True)]
