"""``mintery project``: open a project with its own credits, and see which there are."""

from typing import Annotated

import typer

from mintery.cli.money import assets_text, credits_text
from mintery.cli.options import DeploymentFile, Json, Key, RpcUrl
from mintery.cli.output import pairs, progress, show, table
from mintery.domain.voucher import Kind
from mintery.units import BasisPoints, Par, parse_assets, parse_credits

app = typer.Typer(help="Open a project with its own credits; list those there are.", no_args_is_help=True)


@app.command("open")
def open_(
    name: Annotated[str, typer.Argument(help="The token's name, like PROJECTX_AI_CREDITS.")],
    symbol: Annotated[str, typer.Argument(help="Its symbol, like PXAI.")],
    *,
    key: Key,
    par: Annotated[str, typer.Option(help="What one credit is backed by, in the reserve's dollars.")] = "1",
    markup: Annotated[
        int, typer.Option(min=0, max=65_535, help="Over the providers' cost, in 1/100 %. Official projects: 0.")
    ] = 0,
    kind: Annotated[
        Kind, typer.Option(help="Official credits never pay for routed models, nor the reverse.")
    ] = Kind.ROUTED,
    providers: Annotated[
        list[str] | None,
        typer.Option(
            "--provider", help="A provider that may be paid, by name. Repeat. Default: all of its kind it may sell."
        ),
    ] = None,
    fee_recipient: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Who may take the margin. Default: you.")
    ] = None,
    public_mint: Annotated[bool, typer.Option(help="Anyone may mint at par, not only you.")] = True,
    allowlist: Annotated[bool, typer.Option(help="Limit transfers to listed accounts.")] = False,
    mint_cap: Annotated[str, typer.Option(help="Credits that the supply may grow in a UTC day.")] = "1000000",
    payout_cap: Annotated[
        str, typer.Option(help="Dollars that one gateway's settlements may take in a UTC day.")
    ] = "100000",
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Open a project: its token, backing, markup and caps. What may change later only ever tightens at once.

    A name or symbol that looks like another issuer's is refused.
    """
    from mintery.chain.terms import Terms
    from mintery.cli.keys import read_key
    from mintery.cli.session import address_of, open_chain, tx_facts
    from mintery.usecases.check_project_name import check_project_name
    from mintery.usecases.open_project import open_project

    with progress("Opening the project"):
        chain = open_chain(rpc, deployment)
        issuer = chain.sender(read_key(key, local=chain.rpc.is_local))
        check_project_name(chain, issuer.address, name=name, symbol=symbol)
        registered = chain.registry.providers()
        chosen = [p.name for p in registered if p.kind is kind and p.takes_holds] if providers is None else providers
        terms = Terms(
            name=name,
            symbol=symbol,
            par=Par(parse_assets(par)),
            markup=BasisPoints(markup),
            fee_recipient=issuer.address
            if fee_recipient is None
            else address_of(fee_recipient, local=chain.rpc.is_local),
            public_mint=public_mint,
            kind=kind,
            providers=tuple(chain.registry.id_of(provider) for provider in chosen),
            allowlist=allowlist,
            mint_cap=parse_credits(mint_cap),
            payout_cap=parse_assets(payout_cap),
        )
        opened = open_project(chain, issuer, terms)
    facts = {
        "token": opened.token,
        "name": name,
        "symbol": symbol,
        "issuer": opened.issuer,
        "par": terms.par,
        "markup_bps": terms.markup,
        "kind": terms.kind.value,
        "providers": list(terms.providers),
        **tx_facts(opened.tx),
    }
    rows = [
        ("token", opened.token),
        ("name", f"{name} ({symbol}), {kind.value}"),
        ("backing of one credit", assets_text(parse_assets(par))),
        ("transaction", opened.tx.hash),
    ]
    show(facts, pairs("Project opened", rows), as_json=as_json)


@app.command("list")
def list_(rpc: RpcUrl = None, deployment: DeploymentFile = None, as_json: Json = False) -> None:
    """List the projects that were opened here, with their supply and backing."""
    from mintery.cli.session import open_chain
    from mintery.usecases.find_projects import find_projects

    with progress("Reading the projects"):
        chain = open_chain(rpc, deployment)
        found = [
            (project, chain.token(project.token).total_supply(), chain.vault.project_of(project.token).reserve)
            for project in find_projects(chain)
        ]
    facts = {
        "projects": [
            {
                "token": project.token,
                "name": project.terms.name,
                "symbol": project.terms.symbol,
                "kind": project.terms.kind.value,
                "par": project.terms.par,
                "supply": str(supply),
                "reserve": str(reserve),
            }
            for project, supply, reserve in found
        ]
    }
    rows = [
        (project.terms.symbol, project.terms.kind.value, credits_text(supply, ""), assets_text(reserve), project.token)
        for project, supply, reserve in found
    ]
    show(facts, table("Projects", ("symbol", "kind", "supply ", "reserve ", "token"), rows), as_json=as_json)
