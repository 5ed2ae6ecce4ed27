"""``mintery topup``: from dollars to credits that a gateway may spend, by one signature."""

from typing import Annotated

import typer

from mintery.cli.money import assets_text, credits_text
from mintery.cli.options import DeploymentFile, Gateway, Json, Key, RpcUrl, Signer, Token
from mintery.cli.output import pairs, progress, show
from mintery.units import parse_assets


def topup(
    amount: Annotated[str, typer.Argument(metavar="DOLLARS", help="Of the reserve asset, like 20 or 12.5.")],
    *,
    key: Key,
    relayer: Annotated[
        str | None,
        typer.Option(
            "--relayer", metavar="KEY", help="Whose key sends the transaction and pays its gas. Default: the holder's."
        ),
    ] = None,
    token: Token = None,
    gateway: Gateway = None,
    signer: Signer = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Mint credits from your dollars straight into escrow: you sign once, whoever relays it pays the gas.

    Projects whose mint is not public take top-ups of their issuer alone.
    """
    from mintery.cli.keys import read_key
    from mintery.cli.session import account_key, find_token, open_chain, tx_facts
    from mintery.usecases.top_up import relay_top_up, sign_top_up

    wanted = parse_assets(amount)
    with progress("Topping up"):
        chain = open_chain(rpc, deployment)
        local = chain.rpc.is_local
        holder = read_key(key, local=local)
        sender = chain.sender(holder if relayer is None else read_key(relayer, local=local))
        project, symbol = find_token(chain, token)
        account = account_key(chain, project, holder.address, gateway=gateway, signer=signer)
        done = relay_top_up(chain, sender, sign_top_up(chain, holder, account, wanted))
        balance = chain.escrow.account_of(account).balance
    facts = {
        "account": done.account,
        "token": project,
        "symbol": symbol,
        "gateway": account.gateway,
        "holder": account.holder,
        "signer": account.signer,
        "relayer": sender.address,
        "assets": str(done.assets),
        "credits": str(done.credits),
        "remainder": str(done.remainder),
        "balance": str(balance),
        **tx_facts(done.tx),
    }
    rows = [
        ("paid", assets_text(done.assets)),
        ("credited", credits_text(done.credits, symbol)),
        ("balance in escrow", credits_text(balance, symbol)),
        ("for gateway", account.gateway),
        ("account", done.account),
        ("gas paid by", sender.address),
        ("transaction", done.tx.hash),
    ]
    if done.remainder:
        rows.insert(2, ("to your wallet", credits_text(done.remainder, symbol)))
    show(facts, pairs("Topped up", rows), as_json=as_json)
