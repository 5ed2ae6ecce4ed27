"""``mintery reserve``: what backs the credits, read from the chain by anyone."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.money import assets_text, credits_text, time_text
from mintery.cli.options import DEFAULT_URL, DeploymentFile, GatewayUrl, Json, RpcUrl, Token
from mintery.cli.output import pairs, progress, show, table
from mintery.units import UnixSeconds, assets_up

if TYPE_CHECKING:
    from mintery.chain.rpc import BlockRef
    from mintery.domain.voucher import Address
    from mintery.usecases.onchain import OnChain

app = typer.Typer(help="See what backs the credits.", no_args_is_help=True)


@app.command("show")
def show_(token: Token = None, rpc: RpcUrl = None, deployment: DeploymentFile = None, as_json: Json = False) -> None:
    """Show a project's supply, its backing and what the vault owes, all at one block.

    Ends with code 1 if the reserve is below what the supply needs.
    """
    from mintery.cli.session import find_token, open_chain

    with progress("Reading the reserve"):
        chain = open_chain(rpc, deployment)
        project, symbol = find_token(chain, token)
        facts = read_reserve(chain, project, chain.rpc.block())
    rows = [
        ("project", f"{symbol} {project}"),
        ("supply", credits_text(facts["supply"], symbol)),
        ("of it in escrow", credits_text(facts["escrow"], symbol)),
        ("backing of one credit", assets_text(facts["par"])),
        ("backing needed", assets_text(facts["backing_needed"])),
        ("reserve", assets_text(facts["reserve"])),
        ("margin of the issuer", assets_text(facts["margin"])),
        ("vault holds", assets_text(facts["vault_assets"])),
        ("claims on the vault", assets_text(facts["vault_claims"])),
        ("at block", f"{facts['block']}"),
    ]
    plain = {name: str(value) if name in _AMOUNTS else value for name, value in facts.items()}
    show({"token": project, "symbol": symbol, **plain}, pairs("Reserve", rows), as_json=as_json)
    if facts["reserve"] < facts["backing_needed"] or facts["vault_assets"] < facts["vault_claims"]:
        raise typer.Exit(1)


@app.command("history")
def history(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="The project's token: its address.")],
    *,
    last: Annotated[int, typer.Option("--last", min=1, max=1_000, help="So many notes at most, the newest.")] = 100,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Show what a project's reserve has been, as a gateway noted it at final blocks, beside what its supply needed."""
    from mintery.client.calls import call

    with progress("Reading the notes"):
        told = call("GET", f"{url}/reserve/{token}/history?limit={last}", None)
    rows = [
        (
            time_text(UnixSeconds(seen["block_time"])),
            str(seen["block"]),
            seen["supply_credits"],
            seen["reserve_usd"],
            seen["needed_usd"],
        )
        for seen in told["observations"]
    ]
    columns = ("at", "block ", "supply ", "reserve, USD ", "needed, USD ")
    show(told, table("Reserve over time", columns, rows), as_json=as_json)


_AMOUNTS = frozenset({"supply", "escrow", "backing_needed", "reserve", "margin", "vault_assets", "vault_claims"})


def read_reserve(chain: "OnChain", token: "Address", at: "BlockRef") -> dict[str, Any]:
    """Integers in base units, read at one block."""
    project = chain.vault.project_of(token, at=at)
    supply = chain.token(token).total_supply(at=at)
    return {
        "block": at.number,
        "par": project.par,
        "supply": supply,
        "escrow": chain.escrow.total_balance(token, at=at),
        "backing_needed": assets_up(supply, project.par),
        "reserve": project.reserve,
        "margin": project.margin,
        "vault_assets": chain.asset.balance_of(chain.vault.address, at=at),
        "vault_claims": chain.vault.total_claims(at=at),
    }
