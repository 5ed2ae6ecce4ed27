"""What a block explorer needs to verify our contracts: sources and settings as one standard JSON input, and for each contract
its name in there, the compiler and the encoded arguments of its constructor.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mintery.chain.artifact import load_artifact
from mintery.chain.compiler_input import UNIT_OF, source_hash, standard_json
from mintery.chain.deployment import Deployment
from mintery.domain.voucher import Address
from mintery.errors import SourcesDiffer

INPUT_FILE, CONTRACTS_FILE = "standard-input.json", "contracts.json"
_OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"]
_TOKEN_DEPLOYER = "CreditTokenDeployer"  # noqa: S105 -- a contract's name
_ARTIFACT_OF = {"Asset": "TestDollar"}


@dataclass(frozen=True, slots=True)
class VerifiedContract:
    """One entry of the bundle.

    Attributes:
        contract: as explorers ask for it, ``source.sol:Name``.
        compiler: as explorers list it, ``v0.8.37+commit.…``.
        arguments: of the constructor, ABI-encoded.
    """

    name: str
    address: Address
    contract: str
    compiler: str
    arguments: bytes


@dataclass(frozen=True, slots=True)
class OpenedToken:
    """A credit token and what the vault deployed it with."""

    address: Address
    name: str
    symbol: str
    allowlist: bool


def bundle_contracts(
    contracts_dir: Path, deployment: Deployment, token_deployer: Address, tokens: Iterable[OpenedToken]
) -> list[VerifiedContract]:
    """Everything of ours on the chain: what the deployment lists, what the vault deployed, and the projects' tokens.

    Raises:
        SourcesDiffer: ``contracts_dir`` is not what they were built from.
        MalformedFile: a source is missing.
    """
    entries = []
    for name, deployed in deployment.contracts.items():
        artifact = _ARTIFACT_OF.get(name, name)
        if deployed.source_hash is None:
            continue  # An asset of others is theirs to verify.
        if deployed.source_hash != source_hash(contracts_dir, artifact):
            raise SourcesDiffer(name, str(contracts_dir))
        entries.append(_entry(artifact, deployed.address, deployed.arguments, label=name))
    vault = deployment.vault
    compiler = entries[0].compiler
    deployer = f"{_TOKEN_DEPLOYER}.sol:{_TOKEN_DEPLOYER}"
    entries.append(VerifiedContract(_TOKEN_DEPLOYER, token_deployer, deployer, compiler, b""))
    entries += [
        _entry("CreditToken", token.address, (vault, token.name, token.symbol, token.allowlist), label=token.symbol)
        for token in tokens
    ]
    return entries


def _entry(artifact: str, address: Address, arguments: Sequence[Any], *, label: str) -> VerifiedContract:
    built = load_artifact(artifact)
    return VerifiedContract(
        name=label,
        address=address,
        contract=f"{UNIT_OF[artifact]}:{artifact}",
        compiler=f"v{built.compiler}",
        arguments=built.abi.constructor.encode(arguments),
    )


def verification_input(contracts_dir: Path) -> dict[str, Any]:
    """What the artifacts were built from, asked for everything that a comparison with a chain's code needs."""
    request = standard_json(contracts_dir)
    request["settings"] |= {"outputSelection": {"*": {"*": _OUTPUTS}}}
    return request


def write_bundle(directory: Path, contracts_dir: Path, deployment: Deployment, entries: list[VerifiedContract]) -> None:
    """``standard-input.json``, the same for every contract, and ``contracts.json``, a list with one entry for each."""
    request = verification_input(contracts_dir)
    listed = [
        {
            "name": entry.name,
            "address": entry.address,
            "chain_id": deployment.chain_id,
            "contract": entry.contract,
            "compiler": entry.compiler,
            "constructor_arguments": entry.arguments.hex(),
        }
        for entry in entries
    ]
    directory.mkdir(parents=True, exist_ok=True)
    (directory / INPUT_FILE).write_text(json.dumps(request, indent=1) + "\n", encoding="utf-8")
    (directory / CONTRACTS_FILE).write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
