"""``mintery devchain``: a chain of your own, served to other programs."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mintery.cli.options import Json
from mintery.cli.output import show

if TYPE_CHECKING:
    from rich.console import Console

    from mintery.chain.devchain.running import ServedChain


class EngineName(StrEnum):
    ETH_TESTER = "eth-tester"
    ANVIL = "anvil"


def devchain(
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes any free port.")] = 8545,
    engine: Annotated[
        EngineName, typer.Option(help="anvil needs its program; eth-tester comes along.")
    ] = EngineName.ETH_TESTER,
    anvil: Annotated[Path | None, typer.Option(metavar="FILE", help="The anvil program.")] = None,
    as_json: Json = False,
) -> None:
    """Serve an in-memory Ethereum chain until you stop it. Every start is a new chain.

    For web3.py, cast, viem and `mintery deploy`. Its accounts are public knowledge: play money only.
    """
    from mintery.chain.devchain.running import ChainEngine, run_devchain

    def ready(served: "ServedChain") -> None:
        facts = {
            "rpc_url": served.url,
            "chain_id": served.chain_id,
            "engine": served.engine.value,
            "accounts": [account.address for account in served.accounts],
        }
        show(facts, lambda out: _print(out, served), as_json=as_json)

    run_devchain(host, port, ChainEngine(engine.value), anvil=anvil, roots=_packaged(), on_ready=ready)


def _packaged() -> tuple[Path, ...]:
    """The checkouts in which `npm ci` may have put programs: commands run at its root."""
    return (Path(),)


def _print(out: "Console", served: "ServedChain") -> None:
    out.print(f"[bold]Development chain[/bold] {served.chain_id} at {served.url} ({served.engine.value})")
    out.print("In memory; it ends with this program. Accounts, with 10,000 ether each:\n")
    for number, account in enumerate(served.accounts):
        out.print(f"  dev:{number}  {account.address}")
    out.print("\nNext: [bold]mintery deploy[/bold] in another terminal. Stop with Ctrl-C.")
