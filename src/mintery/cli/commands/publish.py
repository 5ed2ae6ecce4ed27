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
    *,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the list there.")] = None,
    sign: Annotated[
        str | None,
        typer.Option("--sign", metavar="KEY", help="Sign the list with this key, into FILE.sig.json beside --out."),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            "--check", metavar="FILE", help="Make none: check that FILE is as its FILE.sig.json was signed for."
        ),
    ] = None,
    signer: Annotated[
        str | None, typer.Option("--signer", metavar="ADDRESS", help="Who must have signed it, for --check.")
    ] = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """List the projects' tokens in the format that wallets read (token lists).

    Anyone may open a project under any name: before you publish a list, name the issuers that you know.
    """
    from mintery.cli.keys import read_key
    from mintery.cli.session import address_of, open_chain
    from mintery.crypto.token_lists import sign_token_list
    from mintery.usecases.list_tokens import list_tokens

    if check is not None:
        _check_list(check, signer, as_json=as_json)
        return
    if sign is not None and out is None:
        raise typer.BadParameter("--sign needs --out, to stand beside the list")
    with progress("Reading the projects"):
        chain = open_chain(rpc, deployment)
        issuers = [address_of(text, local=chain.rpc.is_local) for text in issuer or ()]
        listed = list_tokens(chain, chain.rpc.block(), issuers=issuers)
    if out is not None:
        import orjson

        out.write_bytes(orjson.dumps(listed.content, option=orjson.OPT_INDENT_2) + b"\n")
        if sign is not None:
            signed = sign_token_list(listed.content, read_key(sign, local=chain.rpc.is_local))
            _beside(out).write_bytes(orjson.dumps(signed, option=orjson.OPT_INDENT_2) + b"\n")
    if as_json:
        write_json(listed.content)
        return
    rows = [(token["symbol"], token["address"]) for token in listed.content["tokens"]]
    pairs("Tokens" if out is None else f"Written to {out}", rows)(console())
    for token in listed.left_out:
        console(stderr=True).print(f"Left out: {token}, whose name or symbol no token list may carry")
    for token, known in listed.fakes:
        console(stderr=True).print(f"Left out: {token}, which looks like {known} of another issuer")


def _check_list(file: Path, signer: str | None, *, as_json: bool) -> None:
    """Raises FileMissing, MalformedFile, MalformedInput, TokenListRefused."""
    import orjson

    from mintery.crypto.hashing import parse_address
    from mintery.crypto.token_lists import token_list_signer
    from mintery.errors import FileMissing, MalformedFile, TokenListRefused

    found = []
    for path in (file, _beside(file)):
        try:
            found.append(orjson.loads(path.read_bytes()))
        except FileNotFoundError:
            raise FileMissing(str(path)) from None
        except orjson.JSONDecodeError as error:
            raise MalformedFile(str(path), str(error)) from None
        if not isinstance(found[-1], dict):
            raise MalformedFile(str(path), "it is no JSON object")
    by = token_list_signer(*found)
    if signer is not None and by != parse_address(signer):
        raise TokenListRefused(f"{by} signed it, not {signer}")
    show({"file": str(file), "signer": by}, pairs("The list is as it was signed", [("by", by)]), as_json=as_json)


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.sig.json")
