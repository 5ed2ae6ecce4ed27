"""What a project publishes: sources for block explorers, and a token list for wallets."""

from pathlib import Path
from typing import Annotated

import typer

from mintery.cli.options import DeploymentFile, Json, RpcUrl
from mintery.cli.output import console, pairs, progress, show, table, write_json

_SOURCES = Path(__file__).parents[4] / "contracts"


def verify_bundle(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write the bundle.")],
    contracts: Annotated[
        Path, typer.Option("--contracts", metavar="DIR", help="The sources, with their packages (`npm ci`).")
    ] = _SOURCES,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Write what a block explorer verifies the contracts with: standard JSON input, compiler, constructor arguments."""
    from mintery.cli.session import open_chain
    from mintery.usecases.bundle_sources import bundle_sources

    with progress("Bundling the sources"):
        chain = open_chain(rpc, deployment)
        entries = bundle_sources(chain, contracts, directory)
    facts = {
        "directory": str(directory),
        "contracts": [
            {"name": entry.name, "address": entry.address, "contract": entry.contract, "compiler": entry.compiler}
            for entry in entries
        ],
    }
    rows = [(entry.name, entry.address, entry.contract) for entry in entries]
    show(facts, table(f"Written to {directory}", ("name", "address", "contract"), rows), as_json=as_json)


def tokenlist(
    issuer: Annotated[
        list[str] | None,
        typer.Option("--issuer", metavar="ADDRESS", help="Only projects of this issuer; may be given several times."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the list there.")] = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """List the projects' tokens in the format that wallets read (token lists).

    Anyone may open a project under any name: before you publish a list, name the issuers that you know.
    """
    from mintery.cli.session import address_of, open_chain
    from mintery.usecases.list_tokens import list_tokens

    with progress("Reading the projects"):
        chain = open_chain(rpc, deployment)
        issuers = [address_of(text, local=chain.rpc.is_local) for text in issuer or ()]
        listed = list_tokens(chain, chain.rpc.block(), issuers=issuers)
    if out is not None:
        import orjson

        out.write_bytes(orjson.dumps(listed.content, option=orjson.OPT_INDENT_2) + b"\n")
    if as_json:
        write_json(listed.content)
        return
    rows = [(token["symbol"], token["address"]) for token in listed.content["tokens"]]
    pairs("Tokens" if out is None else f"Written to {out}", rows)(console())
    for token in listed.left_out:
        console(stderr=True).print(f"Left out: {token}, whose name or symbol no token list may carry")
