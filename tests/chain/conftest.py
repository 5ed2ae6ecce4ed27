"""Chains to test on: the dev chain in this process, and anvil where a mempool matters."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mintery.chain.bundle import verification_input
from mintery.chain.compiler import Compiler, compile_contracts, compile_standard_json, find_compiler
from mintery.chain.contracts import Contracts, contracts_of
from mintery.chain.deploy import deploy
from mintery.chain.devchain.chain import DevChain
from mintery.chain.roles import DeployConfig, NewProvider, appoint_settlers
from mintery.chain.rpc import Rpc, TxReceipt, connect
from mintery.chain.sender import Sender
from mintery.crypto.keys import PrivateKey, dev_key
from mintery.domain.voucher import Kind
from mintery.errors import TransactionReverted
from mintery.units import UsdWad

CONTRACTS = Path(__file__).parents[2] / "contracts"
EPOCHS_TRIED = 20
ANVIL = CONTRACTS / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"


@pytest.fixture(scope="session")
def contracts_dir() -> Path:
    return CONTRACTS


@pytest.fixture(scope="session")
def compiler() -> Iterator[Compiler]:
    with find_compiler(CONTRACTS, download=False) as found:
        yield found


@pytest.fixture(scope="module")
def devchain() -> Iterator[DevChain]:
    with DevChain() as chain:
        yield chain


@pytest.fixture(scope="module")
def rpc(devchain: DevChain) -> Rpc:
    return connect(devchain.provider())


class Anvil:
    """A running anvil; ``url`` is its endpoint."""

    def __init__(self, *options: str) -> None:
        self._program = subprocess.Popen(
            [str(ANVIL), "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.url = self._find_url()

    def _find_url(self) -> str:
        assert self._program.stdout is not None
        seen = []
        for line in self._program.stdout:
            seen.append(line)
            if (found := re.search(r"Listening on (\S+)", line)) is not None:
                return f"http://{found[1]}"
        raise AssertionError("".join(seen))

    def close(self) -> None:
        self._program.terminate()
        self._program.communicate(timeout=10)


@pytest.fixture
def anvil(request: pytest.FixtureRequest) -> Iterator[str]:
    """An anvil's URL. Options by ``@pytest.mark.parametrize("anvil", [("--block-time", "1")], indirect=True)``."""
    running = Anvil(*getattr(request, "param", ()))
    yield running.url
    running.close()


@pytest.fixture(scope="session")
def bundle_input() -> dict[str, Any]:
    """The standard JSON input that every verification bundle carries."""
    return verification_input(CONTRACTS)


@pytest.fixture(scope="session")
def built_from_bundle(compiler: Compiler, bundle_input: dict[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """What the compiler makes of it, by unit and contract. Takes half a minute, once."""
    return compile_standard_json(bundle_input, compiler)


@pytest.fixture(scope="session")
def typed_hashes(compiler: Compiler) -> Mapping[str, Any]:
    """The mock that hashes every signed struct in Solidity: solc's output."""
    return compile_contracts(CONTRACTS, compiler, {"TypedHashes": "mocks/TypedHashes.sol"})["TypedHashes"]


PRICE = UsdWad(2 * 10**15)
SKU = "acme/sdxl:image"
FAST = {"queue_delay": 2, "epoch_length": 1}


@dataclass(frozen=True)
class World:
    """A deployment on a dev chain with one SKU at 0.002 USD, one provider, one gateway with one settler, and a clock."""

    rpc: Rpc
    path: Path
    contracts: Contracts
    config: DeployConfig
    admin: Sender
    gateway: Sender
    settler: Sender
    issuer: Sender
    holder: PrivateKey
    provider: Sender
    reporters: tuple[PrivateKey, ...]

    def advance(self, seconds: int) -> None:
        self.rpc.request("evm_increaseTime", hex(seconds))
        self.rpc.request("evm_mine")

    def report(self, prices: Mapping[int, UsdWad]) -> TxReceipt:
        """All five reporters see ``prices`` in an epoch of their own: a later one where this machine was too slow."""
        oracle = self.contracts.oracle
        for tries in range(EPOCHS_TRIED):
            self.advance(1)
            vector = oracle.vector_of(prices, self.rpc.block())
            signed = [oracle.sign_report(reporter, vector) for reporter in self.reporters]
            try:
                return oracle.report(self.admin, signed)
            except TransactionReverted as refusal:
                if refusal.error != "WrongEpoch" or tries + 1 == EPOCHS_TRIED:
                    raise
        raise AssertionError

    def put_in_force(self, prices: Mapping[int, UsdWad]) -> None:
        self.report(prices)
        self.advance(2)
        self.report(prices)


def a_config() -> DeployConfig:
    return DeployConfig(
        reporters=tuple(dev_key(index).address for index in range(5, 10)),
        skus=(SKU,),
        providers=(NewProvider("acme", dev_key(4).address, Kind.ROUTED, resale_allowed=True),),
        **FAST,
    )


@pytest.fixture
def config() -> DeployConfig:
    return a_config()


@pytest.fixture
def world(rpc: Rpc, tmp_path: Path) -> World:
    config = a_config()
    path = tmp_path / "deployment.json"
    deployment = deploy(rpc, dev_key(0), config, path).deployment
    contracts = contracts_of(rpc, deployment)
    gateway, settler = Sender(rpc, dev_key(1)), Sender(rpc, dev_key(2))
    appoint_settlers(contracts.escrow, gateway, [settler.address])
    made = World(
        rpc=rpc,
        path=path,
        contracts=contracts,
        config=config,
        admin=Sender(rpc, dev_key(0)),
        gateway=gateway,
        settler=settler,
        issuer=Sender(rpc, dev_key(3)),
        holder=PrivateKey.generate(),
        provider=Sender(rpc, dev_key(4)),
        reporters=tuple(dev_key(index) for index in range(5, 10)),
    )
    made.put_in_force({contracts.oracle.sku_of(SKU): PRICE})
    return made
