"""``mintery redeem``: credits back into the reserve's dollars."""

from typing import Annotated

import typer

from mintery.cli.money import assets_text, credits_text
from mintery.cli.options import DeploymentFile, Json, Key, RpcUrl, Token
from mintery.cli.output import pairs, progress, show
from mintery.units import parse_credits


def redeem(
    amount: Annotated[str, typer.Argument(metavar="CREDITS", help="How many, like 100 or 12.5.")],
    *,
    key: Key,
    to: Annotated[str | None, typer.Option("--to", metavar="ADDRESS", help="Who is paid. Default: the holder.")] = None,
    token: Token = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Burn credits of your wallet and take their par out of the reserve."""
    from mintery.cli.keys import read_key
    from mintery.cli.session import address_of, find_token, open_chain, tx_facts
    from mintery.usecases.redeem_credits import redeem_credits

    wanted = parse_credits(amount)
    with progress("Redeeming"):
        chain = open_chain(rpc, deployment)
        holder = chain.sender(read_key(key, local=chain.rpc.is_local))
        project, symbol = find_token(chain, token)
        receiver = holder.address if to is None else address_of(to, local=chain.rpc.is_local)
        redeemed = redeem_credits(chain, holder, project, wanted, receiver=receiver)
    facts = {
        "token": project,
        "symbol": symbol,
        "credits": str(redeemed.credits),
        "assets": str(redeemed.assets),
        "to": receiver,
        **tx_facts(redeemed.tx),
    }
    rows = [
        ("burned", credits_text(redeemed.credits, symbol)),
        ("paid", assets_text(redeemed.assets)),
        ("to", receiver),
        ("transaction", redeemed.tx.hash),
    ]
    show(facts, pairs("Credits redeemed", rows), as_json=as_json)
