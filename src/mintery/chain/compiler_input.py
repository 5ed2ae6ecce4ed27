"""What the compiler is given: settings as forge has them, sources, and in which of those each contract is."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mintery.chain.artifact import CONTRACTS
from mintery.chain.sources import read_sources
from mintery.errors import MalformedFile

OPENZEPPELIN = "node_modules/@openzeppelin/contracts"
_ELSEWHERE = {
    "AccessManager": f"{OPENZEPPELIN}/access/manager/AccessManager.sol",
    "TestDollar": "mocks/TestDollar.sol",
}
UNIT_OF: Mapping[str, str] = {name: _ELSEWHERE.get(name, f"{name}.sol") for name in CONTRACTS}
"""In which source each shipped contract is."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What foundry.toml says about the build, so that forge and we build alike."""

    settings: Mapping[str, Any]
    remappings: Mapping[str, str]

    @classmethod
    def read(cls, contracts_dir: Path) -> "Profile":
        path = contracts_dir / "foundry.toml"
        try:
            profile = tomllib.loads(path.read_text(encoding="utf-8"))["profile"]["default"]
            settings = {
                "evmVersion": profile["evm_version"],
                "viaIR": profile["via_ir"],
                "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
                "metadata": {"appendCBOR": profile["cbor_metadata"], "bytecodeHash": profile["bytecode_hash"]},
            }
            remappings = dict(entry.split("=", 1) for entry in profile["remappings"])
        except (OSError, KeyError, ValueError) as error:
            raise MalformedFile(str(path), f"{type(error).__name__}: {error}") from None
        return cls(settings, remappings)


def standard_json(contracts_dir: Path) -> dict[str, Any]:
    """The input that the shipped artifacts are built from, whole: a compiler that is given less numbers its syntax trees
    otherwise, and may lay out its code otherwise too.
    """
    return input_of(contracts_dir, UNIT_OF)


def input_of(contracts_dir: Path, units: Mapping[str, str]) -> dict[str, Any]:
    """A standard JSON input for the named contracts, by the source that each is in."""
    profile = Profile.read(contracts_dir)
    sources = read_sources(contracts_dir, units.values(), profile.remappings)
    outputs: dict[str, dict[str, list[str]]] = {}
    for name, unit in units.items():
        outputs.setdefault(unit, {})[name] = ["abi", "evm.bytecode.object"]
    return {
        "language": "Solidity",
        "sources": {unit: {"content": text} for unit, text in sources.items()},
        "settings": {
            **profile.settings,
            "remappings": [f"{prefix}={target}" for prefix, target in profile.remappings.items()],
            "outputSelection": outputs,
        },
    }


def source_hash(contracts_dir: Path, name: str) -> str:
    """sha256 (hex) over the settings and every source that a shipped contract imports."""
    request = input_of(contracts_dir, {name: UNIT_OF[name]})
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
