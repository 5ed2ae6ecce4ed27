"""``mintery deposit``: put credits where a gateway may spend them by voucher."""

from typing import Annotated

import typer

from mintery.cli.money import credits_text
from mintery.cli.options import DeploymentFile, Gateway, Json, Key, RpcUrl, Signer, Token
from mintery.cli.output import pairs, progress, show
from mintery.units import parse_credits


def deposit(
    amount: Annotated[str, typer.Argument(metavar="CREDITS", help="How many, like 100 or 12.5.")],
    *,
    key: Key,
    token: Token = None,
    gateway: Gateway = None,
    signer: Signer = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Put credits of your wallet into escrow. They stay yours; `mintery exit start` brings them back."""
    from mintery.cli.keys import read_key
    from mintery.cli.session import account_key, find_token, open_chain, tx_facts
    from mintery.usecases.deposit_credits import deposit_credits

    wanted = parse_credits(amount)
    with progress("Depositing"):
        chain = open_chain(rpc, deployment)
        holder = chain.sender(read_key(key, local=chain.rpc.is_local))
        project, symbol = find_token(chain, token)
        account = account_key(chain, project, holder.address, gateway=gateway, signer=signer)
        deposited = deposit_credits(chain, holder, account, wanted)
        balance = chain.escrow.account_of(account).balance
    facts = {
        "account": deposited.account,
        "token": project,
        "symbol": symbol,
        "gateway": account.gateway,
        "holder": account.holder,
        "signer": account.signer,
        "credits": str(deposited.credits),
        "balance": str(balance),
        **tx_facts(deposited.tx),
    }
    rows = [
        ("deposited", credits_text(deposited.credits, symbol)),
        ("balance in escrow", credits_text(balance, symbol)),
        ("for gateway", account.gateway),
        ("account", deposited.account),
        ("transaction", deposited.tx.hash),
    ]
    show(facts, pairs("Credits in escrow", rows), as_json=as_json)
