"""``mintery voucher``: sign an API key, and see what one promises."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.money import credits_text, time_text
from mintery.cli.options import DeploymentFile, Gateway, Json, Key, RpcUrl, Token
from mintery.cli.output import pairs, progress, show
from mintery.units import CreditUnits, UnixSeconds, parse_credits

if TYPE_CHECKING:
    from rich.console import Console

    from mintery.domain.voucher import SignedVoucher

app = typer.Typer(help="Sign a voucher: the API key that an app spends by.", no_args_is_help=True)
_DAY = 86_400


@app.command("sign")
def sign(
    amount: Annotated[str, typer.Argument(metavar="CREDITS", help="The most that may be spent from now on.")],
    *,
    key: Key,
    days: Annotated[int, typer.Option(min=1, help="How long it may be used.")] = 30,
    holder: Annotated[
        str | None, typer.Option("--holder", metavar="ADDRESS", help="Whose credits, if KEY is a session key.")
    ] = None,
    token: Token = None,
    gateway: Gateway = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Sign a voucher and print it as an API key. Whoever has the key can spend up to its amount."""
    from mintery.cli.keys import read_key
    from mintery.cli.session import account_key, address_of, find_token, open_chain
    from mintery.usecases.issue_voucher import issue_voucher

    more = parse_credits(amount)
    with progress("Signing the voucher"):
        chain = open_chain(rpc, deployment)
        local = chain.rpc.is_local
        own = read_key(key, local=local)
        owner = own.address if holder is None else address_of(holder, local=local)
        project, symbol = find_token(chain, token)
        account = account_key(chain, project, owner, gateway=gateway, signer=own.address)
        state = chain.escrow.account_of(account)
        # A voucher counts from the start of the epoch; people think from today.
        most = CreditUnits(state.spent + more)
        deadline = UnixSeconds(chain.rpc.block().timestamp + days * _DAY + chain.escrow.exit_delay())
        issued = issue_voucher(chain.domain, own, account, epoch=state.epoch, max_spend=most, deadline=deadline)
    facts = {"api_key": issued.text, **_voucher_facts(issued.key.signed)}
    rows = [
        ("may spend", credits_text(more, symbol)),
        ("beyond", f"{credits_text(state.spent, symbol)} settled so far; what is spent and not settled yet counts too"),
        ("of", owner),
        ("at gateway", account.gateway),
        ("until", time_text(UnixSeconds(deadline - chain.escrow.exit_delay()))),
    ]

    def render(out: "Console") -> None:
        pairs("Voucher signed. Keep the key secret: it spends.", rows)(out)
        # Printed raw: a key that was wrapped to the terminal's width could not be copied.
        print(f"\n{issued.text}")

    show(facts, render, as_json=as_json)


@app.command("show")
def show_(
    text: Annotated[str, typer.Argument(metavar="KEY", help="The voucher (mv1.… or mr1.…), or - for standard input.")],
    check: Annotated[bool, typer.Option("--check", help="Ask the chain whether it holds.", show_default=False)] = False,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Show what a voucher promises. The secret in it is never printed."""
    from mintery.crypto.vouchers import RAISED_PREFIX, check_secret, decode_key, decode_raised

    text = sys.stdin.read().strip() if text == "-" else text
    signed = decode_raised(text) if text.startswith(RAISED_PREFIX) else check_secret(decode_key(text)).signed
    facts = _voucher_facts(signed)
    rows = [
        ("may spend, in all", credits_text(signed.voucher.max_spend)),
        ("token", signed.voucher.token),
        ("holder", signed.voucher.holder),
        ("signed by", signed.signer),
        ("for gateway", signed.voucher.gateway),
        ("on chain", str(signed.chain_id)),
        ("epoch", str(signed.voucher.epoch)),
        ("settles until", time_text(signed.voucher.deadline)),
    ]
    if check:
        with progress("Asking the chain"):
            found, told = _check(signed, rpc, deployment)
        facts |= found
        rows += told
    show(facts, pairs("Voucher", rows), as_json=as_json)


def _check(signed: "SignedVoucher", rpc: str | None, deployment: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Signature, chain, epoch and deadline as the gateway checks them; then what is left.

    Raises:
        CredentialRefused: the branch says why.
    """
    from mintery.cli.session import open_chain
    from mintery.crypto.vouchers import check_signature
    from mintery.domain.voucher import check_addressed, check_usable

    chain = open_chain(rpc, deployment)
    voucher = signed.voucher
    known = frozenset({voucher.token}) if chain.vault.is_project(voucher.token) else frozenset()
    check_addressed(signed, chain_id=chain.rpc.chain_id, gateway=voucher.gateway, tokens=known)
    check_signature(signed, chain.domain)
    account, now = chain.escrow.account_of(signed.account), chain.rpc.block().timestamp
    check_usable(voucher, epoch=account.epoch, now=now, settle_seconds=chain.escrow.exit_delay())
    room = max(0, min(voucher.max_spend - account.spent, account.balance))
    return (
        {"valid": True, "balance": str(account.balance), "spent_settled": str(account.spent), "room": str(room)},
        [
            ("signature", "holds"),
            ("settled so far", credits_text(account.spent)),
            ("still covered", credits_text(CreditUnits(room))),
        ],
    )


def _voucher_facts(signed: "SignedVoucher") -> dict[str, Any]:
    voucher = signed.voucher
    return {
        "chain_id": signed.chain_id,
        "token": voucher.token,
        "gateway": voucher.gateway,
        "holder": voucher.holder,
        "signer": signed.signer,
        "epoch": voucher.epoch,
        "max_spend": str(voucher.max_spend),
        "deadline": voucher.deadline,
        "key_hash": "0x" + voucher.key_hash.hex(),
    }
