"""Puts the contracts on a chain and sets them up. May be interrupted anywhere and run again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mintery import __version__
from mintery.chain.artifact import load_artifact
from mintery.chain.contracts import Contracts, contracts_of
from mintery.chain.deployment import (
    DeployedContract,
    Deployment,
    check_chain,
    code_hash,
    load_deployment,
    moved_contracts,
    save_deployment,
)
from mintery.chain.factory import PROXY, Factory, create2_address, created_address
from mintery.chain.packing import ascending
from mintery.chain.roles import DeployConfig, check_limits, missing_setup
from mintery.chain.rpc import Call, Rpc, TxReceipt
from mintery.chain.sender import Sender
from mintery.crypto.hashing import keccak
from mintery.crypto.keys import PrivateKey
from mintery.domain.voucher import Address
from mintery.errors import RpcRefused

FACTORY = "MinteryFactory"
_FACTORY_SEARCH = 256
_CALLS_IN_ONE = 100

OnStep = Callable[[str], None]
"""Called with a line for people before each transaction."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What ``deploy`` did.

    Attributes:
        reused: the contracts stood already; nothing was deployed.
        outdated: contracts that stand in another build than this release ships.
        receipts: of the transactions that were sent.
    """

    deployment: Deployment
    reused: bool
    outdated: tuple[str, ...]
    receipts: tuple[TxReceipt, ...]


def deploy(
    rpc: Rpc, deployer: PrivateKey, config: DeployConfig, path: Path, *, on_step: OnStep | None = None
) -> Deployed:
    """Deploy, or reuse what ``path`` names; then set up whatever of ``config`` is missing.

    Raises:
        DeploymentOfAnotherChain: ``path`` is a file of another chain; it stays as it is.
        SettingTooLow: a delay below what this chain allows.
        SettingMissing: no asset is named, and the chain is not a local one.
    """
    known = None
    if path.exists():
        known = load_deployment(path)
        check_chain(known, rpc, path)
    check_limits(config, local=rpc.is_local)

    work = _Work(rpc, Sender(rpc, deployer), on_step or (lambda _: None))
    # Code that is gone was rolled back with its chain; CREATE2 puts it where it was.
    if known is not None and not moved_contracts(known, rpc):
        deployment = known
    else:
        deployment = work.place_all(config)
        save_deployment(deployment, path)
    reused = not work.receipts
    work.set_up(contracts_of(rpc, deployment), config)
    return Deployed(deployment, reused, _outdated(deployment), tuple(work.receipts))


def _outdated(deployment: Deployment) -> tuple[str, ...]:
    return tuple(
        name
        for name, contract in deployment.contracts.items()
        if contract.source_hash is not None and contract.source_hash != _source_hash(name)
    )


def _source_hash(name: str) -> str:
    return load_artifact("TestDollar" if name == "Asset" else name).source_hash


@dataclass(frozen=True, slots=True)
class Part:
    """A contract to place: under which name, from which artifact, with which arguments of its constructor."""

    name: str
    artifact: str
    arguments: tuple[Any, ...]


def deployed_parts(config: DeployConfig, deployer: Address, placed: Mapping[str, Address]) -> Iterator[Part]:
    """Every contract in order; each is made of addresses that ``placed`` has by then."""
    yield Part("AccessManager", "AccessManager", (deployer,))
    if config.asset is None:
        yield Part("Asset", "TestDollar", ())
    access, asset = placed["AccessManager"], placed["Asset"]
    yield Part("ProviderRegistry", "ProviderRegistry", (access,))
    times = (config.epoch_length, config.queue_delay)
    yield Part("PriceOracle", "PriceOracle", (ascending(config.reporters), config.quorum, *times, access))
    oracle, registry = placed["PriceOracle"], placed["ProviderRegistry"]
    yield Part("ReserveVault", "ReserveVault", (asset, oracle, registry, config.exit_delay, access))
    yield Part("SpendEscrow", "SpendEscrow", (placed["ReserveVault"], config.exit_delay, access))


def salt_of(artifact: str) -> bytes:
    return keccak(artifact.encode())


def proxied_factory() -> Address:
    """Where the factory stands on every chain that has the proxy."""
    return create2_address(PROXY, salt_of(FACTORY), load_artifact(FACTORY).creation_code)


def factory_creation(rpc: Rpc) -> Call:
    """By the proxy where it stands, else as a plain creation."""
    code, action = load_artifact(FACTORY).creation_code, f"deploy {FACTORY}"
    return Call(action, PROXY, salt_of(FACTORY) + code) if rpc.code(PROXY) else Call(action, None, code)


def find_factory(rpc: Rpc, deployer: Address) -> Address | None:
    """The proxy's, or one that an earlier, interrupted run of the same deployer left behind."""
    if rpc.code(PROXY) and rpc.code(proxied_factory()):
        return proxied_factory()
    code = rpc.call(Call("", None, load_artifact(FACTORY).creation_code), sender=deployer)
    sent = rpc.nonce(deployer)
    for nonce in range(sent - 1, max(-1, sent - 1 - _FACTORY_SEARCH), -1):
        address = created_address(deployer, nonce)
        if rpc.code(address) == code:
            return address
    return None


class _Work:
    """One run: a sender, and the receipts so far."""

    def __init__(self, rpc: Rpc, sender: Sender, on_step: OnStep) -> None:
        self.rpc = rpc
        self.sender = sender
        self.on_step = on_step
        self.receipts: list[TxReceipt] = []
        self._blocks: dict[Address, int] = {}

    def place_all(self, config: DeployConfig) -> Deployment:
        """Each contract where it belongs; those that stand already cost nothing."""
        placed: dict[str, DeployedContract] = {}
        factory = self._place_factory(placed)
        if config.asset is not None:
            placed["Asset"] = DeployedContract(config.asset, (), 0, code_hash(self.rpc, config.asset), None)
        addresses = {name: contract.address for name, contract in placed.items()}
        for part in deployed_parts(config, self.sender.address, addresses):
            placed[part.name] = contract = self._place(factory, part.artifact, part.arguments)
            addresses[part.name] = contract.address
        return Deployment(
            chain_id=self.rpc.chain_id,
            genesis_hash=self.rpc.genesis_hash,
            first_block=placed["MinteryFactory"].block,
            contracts=placed,
            compiler=load_artifact("ReserveVault").compiler,
            version=__version__,
        )

    def set_up(self, contracts: Contracts, config: DeployConfig) -> None:
        """Whatever of the setup is missing, in as few transactions as possible, delays last."""
        calls = missing_setup(contracts, config, self.sender.address)
        for start in range(0, len(calls), _CALLS_IN_ONE):
            self._send_together(contracts, calls[start : start + _CALLS_IN_ONE])

    def _send_together(self, contracts: Contracts, calls: Sequence[Call]) -> None:
        self.on_step(f"set up: {len(calls)} settings")
        self.receipts.append(contracts.access.multicall(self.sender, calls, action="deploy: set up"))

    def _place_factory(self, placed: dict[str, DeployedContract]) -> Factory:
        artifact = load_artifact(FACTORY)
        creation = factory_creation(self.rpc)
        address = find_factory(self.rpc, self.sender.address)
        if address is not None:
            self._blocks = self._read_blocks(Factory(self.rpc, address))
            block = min(self._blocks.values(), default=0)
        else:
            self.on_step(creation.action)
            receipt = self.sender.send(creation)
            self.receipts.append(receipt)
            # The receipt of a plain creation names what it created.
            address, block = Address(receipt.created or proxied_factory()), receipt.block
        placed[artifact.name] = DeployedContract(address, (), block, code_hash(self.rpc, address), artifact.source_hash)
        return Factory(self.rpc, address)

    def _read_blocks(self, factory: Factory) -> dict[Address, int]:
        """Where an earlier run deployed what; nothing where the rpc does not search that far back (0 is safe, and slow)."""
        try:
            return factory.deployed_blocks()
        except RpcRefused:
            return {}

    def _place(self, factory: Factory, name: str, arguments: Sequence[Any]) -> DeployedContract:
        artifact = load_artifact(name)
        salt, init_code = salt_of(name), artifact.init_code(*arguments)
        address = factory.address_of(salt, init_code)
        block = self._blocks.get(address, 0)
        if not self.rpc.code(address):
            self.on_step(f"deploy {name}")
            receipt = self.sender.send(factory.deploy_call(salt, init_code))
            self.receipts.append(receipt)
            block = receipt.block
        return DeployedContract(address, tuple(arguments), block, code_hash(self.rpc, address), artifact.source_hash)
