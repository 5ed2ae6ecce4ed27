"""``mintery transfer``: send credits to another wallet."""

from typing import Annotated

import typer

from mintery.cli.money import credits_text
from mintery.cli.options import DeploymentFile, Json, Key, RpcUrl, Token
from mintery.cli.output import pairs, progress, show
from mintery.units import parse_credits


def transfer(
    amount: Annotated[str, typer.Argument(metavar="CREDITS", help="How many, like 100 or 12.5.")],
    to: Annotated[str, typer.Argument(metavar="TO", help="The receiver's address (or dev:2 on a local chain).")],
    *,
    key: Key,
    token: Token = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Send credits to another wallet. Whoever has them may spend them."""
    from mintery.cli.keys import read_key
    from mintery.cli.session import address_of, find_token, open_chain, tx_facts
    from mintery.usecases.transfer_credits import transfer_credits

    wanted = parse_credits(amount)
    with progress("Sending"):
        chain = open_chain(rpc, deployment)
        holder = chain.sender(read_key(key, local=chain.rpc.is_local))
        receiver = address_of(to, local=chain.rpc.is_local)
        project, symbol = find_token(chain, token)
        tx = transfer_credits(chain, holder, project, receiver, wanted)
        left = chain.token(project).balance_of(holder.address)
    facts = {
        "token": project,
        "symbol": symbol,
        "credits": str(wanted),
        "from": holder.address,
        "to": receiver,
        "left": str(left),
        **tx_facts(tx),
    }
    rows = [
        ("sent", credits_text(wanted, symbol)),
        ("to", receiver),
        ("left in your wallet", credits_text(left, symbol)),
        ("transaction", tx.hash),
    ]
    show(facts, pairs("Credits sent", rows), as_json=as_json)
