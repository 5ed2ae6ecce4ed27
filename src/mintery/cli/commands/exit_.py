"""``mintery exit``: credits out of escrow, back to the wallet, whatever the gateway does."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mintery.cli.money import credits_text, time_text
from mintery.cli.options import DeploymentFile, Gateway, Json, Key, RpcUrl, Signer, Token
from mintery.cli.output import pairs, progress, show
from mintery.units import parse_credits

if TYPE_CHECKING:
    from mintery.chain.sender import Sender
    from mintery.domain.voucher import AccountKey
    from mintery.usecases.exit_credits import StartedExit
    from mintery.usecases.onchain import OnChain

app = typer.Typer(help="Take credits out of escrow, back to your wallet.", no_args_is_help=True)
Holder = Annotated[
    str | None, typer.Option("--holder", metavar="ADDRESS", help="Whose account. Default: the key's owner.")
]


@app.command("start")
def start(
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
    """Announce an exit. After the exit delay anyone may execute it; new requests cannot use that amount."""
    from mintery.usecases.exit_credits import start_exit

    wanted = parse_credits(amount)
    with progress("Starting the exit"):
        chain, holder, account, symbol = _open(
            key, token=token, gateway=gateway, signer=signer, rpc=rpc, deployment=deployment
        )
        started = start_exit(chain, holder, account, wanted)
    _show_started(started, symbol, as_json=as_json)


@app.command("close")
def close(
    *,
    key: Key,
    token: Token = None,
    gateway: Gateway = None,
    signer: Signer = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Announce an exit of everything. When it is executed, every voucher of this signer ends."""
    from mintery.usecases.exit_credits import start_close

    with progress("Starting to close"):
        chain, holder, account, symbol = _open(
            key, token=token, gateway=gateway, signer=signer, rpc=rpc, deployment=deployment
        )
        started = start_close(chain, holder, account)
    _show_started(started, symbol, as_json=as_json)


@app.command("status")
def status(
    *,
    key: Key,
    holder: Holder = None,
    token: Token = None,
    gateway: Gateway = None,
    signer: Signer = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Show an account in escrow and the exit that is pending."""
    with progress("Reading the account"):
        chain, _, own, symbol = _open(
            key, token=token, gateway=gateway, signer=signer, rpc=rpc, deployment=deployment, holder=holder
        )
        account, now = chain.escrow.account_of(own), chain.rpc.block().timestamp
    pending = account.exit_unlock > 0
    facts = {
        "holder": own.holder,
        "gateway": own.gateway,
        "signer": own.signer,
        "balance": str(account.balance),
        "spent": str(account.spent),
        "epoch": account.epoch,
        "exit": None
        if not pending
        else {"credits": str(account.exit_amount), "unlock": account.exit_unlock, "closing": account.closing},
        "chain_time": now,
    }
    rows = [
        ("balance in escrow", credits_text(account.balance, symbol)),
        ("spent and settled", credits_text(account.spent, symbol)),
        ("epoch", str(account.epoch)),
    ]
    if not pending:
        rows.append(("exit", "none pending"))
    else:
        amount = "everything" if account.closing else credits_text(account.exit_amount, symbol)
        ready = "ready now" if now >= account.exit_unlock else f"from {time_text(account.exit_unlock)}"
        rows.append(("exit", f"{amount}, {ready}"))
    show(facts, pairs("Account in escrow", rows), as_json=as_json)


@app.command("execute")
def execute(
    *,
    key: Key,
    holder: Holder = None,
    token: Token = None,
    gateway: Gateway = None,
    signer: Signer = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Pay out an exit whose delay has passed. Anyone may; the credits go to the holder."""
    from mintery.cli.session import tx_facts
    from mintery.usecases.exit_credits import execute_exit

    with progress("Executing the exit"):
        chain, sender, account, symbol = _open(
            key, token=token, gateway=gateway, signer=signer, rpc=rpc, deployment=deployment, holder=holder
        )
        executed = execute_exit(chain, sender, account)
    facts = {
        "credits": str(executed.credits),
        "holder": account.holder,
        "epoch": executed.epoch,
        **tx_facts(executed.tx),
    }
    rows = [
        ("paid out", credits_text(executed.credits, symbol)),
        ("to", account.holder),
        ("transaction", executed.tx.hash),
    ]
    show(facts, pairs("Exit executed", rows), as_json=as_json)


@app.command("cancel")
def cancel(
    *,
    key: Key,
    token: Token = None,
    gateway: Gateway = None,
    signer: Signer = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Drop the pending exit; the credits stay in escrow and may be spent again."""
    from mintery.cli.session import tx_facts
    from mintery.usecases.exit_credits import cancel_exit

    with progress("Cancelling the exit"):
        chain, holder, account, _ = _open(
            key, token=token, gateway=gateway, signer=signer, rpc=rpc, deployment=deployment
        )
        tx = cancel_exit(chain, holder, account)
    show(tx_facts(tx), pairs("Exit cancelled", [("transaction", tx.hash)]), as_json=as_json)


def _open(
    key: str,
    *,
    token: str | None,
    gateway: str | None,
    signer: str | None,
    rpc: str | None,
    deployment: Path | None,
    holder: str | None = None,
) -> "tuple[OnChain, Sender, AccountKey, str]":
    from mintery.cli.keys import read_key
    from mintery.cli.session import account_key, address_of, find_token, open_chain

    chain = open_chain(rpc, deployment)
    local = chain.rpc.is_local
    sender = chain.sender(read_key(key, local=local))
    owner = sender.address if holder is None else address_of(holder, local=local)
    project, symbol = find_token(chain, token)
    return chain, sender, account_key(chain, project, owner, gateway=gateway, signer=signer), symbol


def _show_started(started: "StartedExit", symbol: str, *, as_json: bool) -> None:
    from mintery.cli.session import tx_facts

    facts = {
        "credits": str(started.credits),
        "unlock": started.unlock,
        "closing": started.closing,
        **tx_facts(started.tx),
    }
    rows = [
        ("amount", "everything there is then" if started.closing else credits_text(started.credits, symbol)),
        ("may be executed from", time_text(started.unlock)),
        ("transaction", started.tx.hash),
    ]
    show(facts, pairs("Exit started", rows), as_json=as_json)
