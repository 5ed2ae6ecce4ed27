"""The deployment file: what stands where, on which chain. Everything else reads it."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mintery.chain.rpc import Rpc
from mintery.crypto.hashing import keccak
from mintery.domain.voucher import Address
from mintery.errors import DeploymentMissing, DeploymentOfAnotherChain, MalformedFile

FORMAT = "mintery-deployment-1"
GENESIS_PREFIX = 16


@dataclass(frozen=True, slots=True)
class DeployedContract:
    """One contract.

    Attributes:
        arguments: of its constructor, as JSON values.
        block: where it was deployed.
        code_hash: keccak256 of its code on the chain.
        source_hash: of the artifact that it was deployed from; None for what others deployed (a real asset).
    """

    address: Address
    arguments: tuple[Any, ...]
    block: int
    code_hash: str
    source_hash: str | None


@dataclass(frozen=True)
class Deployment:
    """Mintery on one chain. ``contracts`` is by Solidity name; the asset is under ``Asset``.

    Attributes:
        first_block: events of these contracts begin here.
        compiler: of the artifacts.
        version: of the package that deployed.
    """

    chain_id: int
    genesis_hash: str
    first_block: int
    contracts: Mapping[str, DeployedContract]
    compiler: str
    version: str

    def _address(self, name: str) -> Address:
        return self.contracts[name].address

    @cached_property
    def asset(self) -> Address:
        return self._address("Asset")

    @cached_property
    def access(self) -> Address:
        return self._address("AccessManager")

    @cached_property
    def factory(self) -> Address:
        return self._address("MinteryFactory")

    @cached_property
    def registry(self) -> Address:
        return self._address("ProviderRegistry")

    @cached_property
    def oracle(self) -> Address:
        return self._address("PriceOracle")

    @cached_property
    def vault(self) -> Address:
        return self._address("ReserveVault")

    @cached_property
    def escrow(self) -> Address:
        return self._address("SpendEscrow")

    @property
    def has_test_asset(self) -> bool:
        return self.contracts["Asset"].source_hash is not None


def deployment_path(home: Path, genesis_hash: str) -> Path:
    """One directory for each chain, so that a chain begun anew never meets the files of the last one."""
    return home / genesis_hash[2 : 2 + GENESIS_PREFIX] / "deployment.json"


def save_deployment(deployment: Deployment, path: Path) -> None:
    """See ``write_whole``."""
    fields = {
        "format": FORMAT,
        "chain_id": deployment.chain_id,
        "genesis_hash": deployment.genesis_hash,
        "first_block": deployment.first_block,
        "compiler": deployment.compiler,
        "version": deployment.version,
        "contracts": {
            name: {
                "address": contract.address,
                "arguments": list(contract.arguments),
                "block": contract.block,
                "code_hash": contract.code_hash,
                "source_hash": contract.source_hash,
            }
            for name, contract in deployment.contracts.items()
        },
    }
    write_whole(path, (json.dumps(fields, indent=2) + "\n").encode())


def write_whole(path: Path, content: bytes) -> None:
    """Atomic: a reader sees the old file or the whole new one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.stem}-", delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def load_deployment(path: Path) -> Deployment:
    """Raises DeploymentMissing, MalformedFile."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DeploymentMissing(str(path)) from None
    except UnicodeDecodeError:
        raise MalformedFile(str(path), "it is no deployment file") from None
    try:
        fields = json.loads(text)
        if fields["format"] != FORMAT:
            raise MalformedFile(str(path), f"its format is {fields['format']!r}, not {FORMAT!r}")
        return _parse(fields)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedFile(str(path), f"it is no deployment file ({type(error).__name__}: {error})") from None


def _parse(fields: Mapping[str, Any]) -> Deployment:
    contracts = {
        name: DeployedContract(
            address=Address(entry["address"]),
            arguments=tuple(entry["arguments"]),
            block=entry["block"],
            code_hash=entry["code_hash"],
            source_hash=entry["source_hash"],
        )
        for name, entry in fields["contracts"].items()
    }
    return Deployment(
        chain_id=fields["chain_id"],
        genesis_hash=fields["genesis_hash"],
        first_block=fields["first_block"],
        contracts=contracts,
        compiler=fields["compiler"],
        version=fields["version"],
    )


def check_chain(deployment: Deployment, rpc: Rpc, path: Path) -> None:
    """Raises DeploymentOfAnotherChain unless chain id and genesis are the deployment's."""
    deployed = (deployment.chain_id, deployment.genesis_hash)
    connected = (rpc.chain_id, rpc.genesis_hash)
    if deployed != connected:
        raise DeploymentOfAnotherChain(
            str(path),
            deployed="{} with genesis {}".format(*deployed),
            connected="{} with genesis {}".format(*connected),
        )


def moved_contracts(deployment: Deployment, rpc: Rpc) -> tuple[str, ...]:
    """Names of the contracts whose code on the chain is not what was deployed (or is gone)."""
    return tuple(
        name
        for name, contract in deployment.contracts.items()
        if code_hash(rpc, contract.address) != contract.code_hash
    )


def code_hash(rpc: Rpc, address: Address) -> str:
    return "0x" + keccak(rpc.code(address)).hex()
