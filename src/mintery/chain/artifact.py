"""The built contracts that ship inside the package: ABI and creation code, no syntax trees."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from mintery.chain.abi import Abi, AbiEntry

CONTRACTS = (
    "AccessManager",
    "CreditToken",
    "MinteryFactory",
    "PriceFeed",
    "PriceOracle",
    "ProviderRegistry",
    "ReserveVault",
    "SpendEscrow",
    "TestDollar",
)
"""What ships. The rest of contracts/ serves tests."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One built contract.

    Attributes:
        creation_code: without constructor arguments.
        compiler: version with its commit.
        source_hash: sha256 (hex) over the compiler's settings and every source that it imports.
    """

    name: str
    abi: Abi
    creation_code: bytes
    compiler: str
    source_hash: str

    def init_code(self, *arguments: Any) -> bytes:
        return self.creation_code + self.abi.constructor.encode(arguments)


def artifact_text(
    name: str, *, entries: Sequence[AbiEntry], creation_code: str, compiler: str, source_hash: str
) -> str:
    """The file's exact text: sorted keys, one ABI entry a line."""
    lines = [json.dumps(entry, sort_keys=True, separators=(",", ":")) for entry in entries]
    listed = ",\n  ".join(lines)
    return (
        "{\n"
        f' "name": {json.dumps(name)},\n'
        f' "compiler": {json.dumps(compiler)},\n'
        f' "source_hash": {json.dumps(source_hash)},\n'
        f' "abi": [\n  {listed}\n ],\n'
        f' "creation_code": {json.dumps(creation_code)}\n'
        "}\n"
    )


def parse_artifact(text: str) -> Artifact:
    fields = json.loads(text)
    return Artifact(
        name=fields["name"],
        abi=Abi.of(fields["abi"]),
        creation_code=bytes.fromhex(fields["creation_code"]),
        compiler=fields["compiler"],
        source_hash=fields["source_hash"],
    )


@cache
def load_artifact(name: str) -> Artifact:
    """A shipped contract by its Solidity name, one of ``CONTRACTS``."""
    file = resources.files("mintery.chain").joinpath("artifacts", f"{name}.json")
    return parse_artifact(file.read_text(encoding="utf-8"))
