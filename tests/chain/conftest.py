"""Chains to test on: the dev chain in this process, and anvil where a mempool matters."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mintery.chain.compiler import Compiler, find_compiler
from mintery.chain.devchain.chain import DevChain
from mintery.chain.rpc import Rpc, connect

CONTRACTS = Path(__file__).parents[2] / "contracts"
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
def typed_hashes(compiler: Compiler) -> Mapping[str, Any]:
    """The mock that hashes every signed struct in Solidity: solc's output."""
    from mintery.chain.compiler import compile_contracts  # noqa: PLC0415 -- beside its one use

    return compile_contracts(CONTRACTS, compiler, {"TypedHashes": "mocks/TypedHashes.sol"})["TypedHashes"]
