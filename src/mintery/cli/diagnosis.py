"""What ``mintery doctor`` looks at: one function a thing, each with its remedy."""

import importlib
import importlib.metadata
import importlib.util
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from mintery.errors import CompilerMissing, DeploymentMissing, MinteryError, RpcsDisagree, RpcUnavailable

if TYPE_CHECKING:
    from mintery.usecases.onchain import OnChain

OLDEST_PYTHON = (3, 11)
CONTRACTS = Path("contracts")


class State(StrEnum):
    GOOD = "good"
    ABSENT = "absent"
    """Not there, and only some commands need it."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    state: State
    seen: str
    remedy: str = ""

    @property
    def broken(self) -> bool:
        return self.state is State.BROKEN


def diagnose(*, rpc: str | None, deployment: Path | None, ledger: str | None, url: str) -> tuple[Finding, ...]:
    """Everything, in the order in which one needs the other."""
    return (
        _python(),
        _packages(),
        _compiler(),
        *_chain(rpc, deployment, ledger),
        _gateway(url),
    )


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python", State.BROKEN, version, "install Python 3.11 or newer and set PYTHON to it")
    return Finding("python", State.GOOD, version)


def _packages() -> Finding:
    from packaging.requirements import Requirement

    wrong = []
    wanted = [Requirement(text) for text in importlib.metadata.requires("mintery") or ()]
    asked = [requirement for requirement in wanted if requirement.marker is None or requirement.marker.evaluate()]
    for requirement in asked:
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
        else:
            if not requirement.specifier.contains(version, prereleases=True):
                wrong.append(f"{requirement.name} {version} is not {requirement.specifier}")
    if wrong:
        return Finding("packages", State.BROKEN, "; ".join(wrong), "run scripts/setup")
    return Finding("packages", State.GOOD, f"{len(asked)} of {len(asked)}")


def _compiler() -> Finding:
    """Only changing the contracts needs one: what they compile to comes with the package."""
    from mintery.chain.compiler import find_compiler
    from mintery.cli.session import settings_of

    if not CONTRACTS.is_dir():
        return Finding("compiler", State.ABSENT, "no contracts/ here; the built contracts come with the package")
    try:
        with find_compiler(CONTRACTS, solc=settings_of().solc, download=False) as compiler:
            return Finding("compiler", State.GOOD, f"solc {compiler.version}")
    except CompilerMissing as error:
        return Finding("compiler", State.ABSENT, "only needed to change contracts", error.hint)


def _chain(rpc: str | None, deployment: Path | None, ledger: str | None) -> Iterator[Finding]:
    from mintery.bootstrap import open_rpc
    from mintery.cli.session import open_chain, settings_of

    try:
        connected = open_rpc(settings_of(rpc_url=rpc))
    except RpcsDisagree as error:
        yield Finding("chain", State.BROKEN, str(error), error.hint)
        yield Finding("deployment", State.ABSENT, "no chain to look at")
        yield Finding("ledger", State.ABSENT, "no chain to compare with")
        return
    except RpcUnavailable as error:
        yield Finding("chain", State.ABSENT, str(error), "run `mintery devchain`, or name an rpc with --rpc")
        yield Finding("deployment", State.ABSENT, "no chain to look at")
        yield Finding("ledger", State.ABSENT, "no chain to compare with")
        return
    yield Finding(
        "chain", State.GOOD, f"chain {connected.chain_id} at {connected.url}, block {connected.block().number}"
    )
    try:
        chain = open_chain(rpc, deployment)
    except DeploymentMissing as error:
        yield Finding("deployment", State.ABSENT, str(error), "run `mintery deploy`")
        yield Finding("ledger", State.ABSENT, "no deployment to compare with")
    except MinteryError as error:
        yield Finding("deployment", State.BROKEN, str(error), error.hint or "name the right file with --deployment")
        yield Finding("ledger", State.ABSENT, "no deployment to compare with")
    else:
        yield _deployment(chain)
        yield _ledger(chain, ledger)


def _deployment(chain: "OnChain") -> Finding:
    from mintery.chain.deployment import moved_contracts

    moved = moved_contracts(chain.deployment, chain.rpc)
    if moved:
        gone = f"the code of {', '.join(moved)} is not what was deployed"
        return Finding("deployment", State.BROKEN, gone, "run `mintery deploy` again")
    return Finding(
        "deployment", State.GOOD, f"{len(chain.deployment.contracts)} contracts, escrow {chain.escrow.address}"
    )


def _ledger(chain: "OnChain", named: str | None) -> Finding:
    from mintery.bootstrap import ledger_path, open_gateway_ledger
    from mintery.cli.session import settings_of

    settings = settings_of(ledger=named)
    path = ledger_path(settings, chain.rpc.genesis_hash)
    if path is not None and not path.exists():
        return Finding("ledger", State.ABSENT, f"none at {path}", "`mintery serve` makes one")
    try:
        with open_gateway_ledger(settings, chain) as ledger:
            ledger.check()
            accounts = len(ledger.accounts())
    except MinteryError as error:
        return Finding("ledger", State.BROKEN, str(error), error.hint or "name the right file with --ledger")
    return Finding("ledger", State.GOOD, f"{accounts} accounts, its books balance")


def _gateway(url: str) -> Finding:
    import httpx2

    root = url.removesuffix("/").removesuffix("/v1")
    try:
        answer = httpx2.get(f"{root}/healthz", timeout=5)
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        return Finding("gateway", State.ABSENT, f"none at {url}: {error}", "run `mintery up`, or name one with --url")
    if answer.is_success:
        return Finding("gateway", State.GOOD, f"sells at {url}")
    return Finding("gateway", State.BROKEN, f"{url} sells nothing: {answer.text[:300]}", "see `mintery price show`")
