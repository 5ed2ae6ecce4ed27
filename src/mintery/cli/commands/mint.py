"""``mintery mint``: lock reserve, get credits."""

from typing import Annotated

import typer

from mintery.cli.money import assets_text, credits_text
from mintery.cli.options import DeploymentFile, Json, Key, RpcUrl, Token
from mintery.cli.output import pairs, progress, show
from mintery.units import parse_credits


def mint(
    amount: Annotated[str, typer.Argument(metavar="CREDITS", help="How many, like 1000 or 12.5.")],
    *,
    key: Key,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ADDRESS", help="Who receives them. Default: whoever pays.")
    ] = None,
    token: Token = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Lock reserve and mint credits against it, at the project's par."""
    from mintery.cli.keys import read_key
    from mintery.cli.session import address_of, find_token, open_chain, tx_facts
    from mintery.usecases.mint_credits import mint_credits

    wanted = parse_credits(amount)
    with progress("Minting"):
        chain = open_chain(rpc, deployment)
        payer = chain.sender(read_key(key, local=chain.rpc.is_local))
        project, symbol = find_token(chain, token)
        receiver = payer.address if to is None else address_of(to, local=chain.rpc.is_local)
        minted = mint_credits(chain, payer, project, wanted, to=receiver)
    facts = {
        "token": project,
        "symbol": symbol,
        "credits": str(minted.credits),
        "assets": str(minted.assets),
        "payer": payer.address,
        "to": receiver,
        **tx_facts(minted.tx),
    }
    rows = [
        ("minted", credits_text(minted.credits, symbol)),
        ("reserve locked", assets_text(minted.assets)),
        ("to", receiver),
        ("transaction", minted.tx.hash),
    ]
    show(facts, pairs("Credits minted", rows), as_json=as_json)
