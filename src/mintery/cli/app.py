"""The map of commands: what ``mintery --help`` shows, in the order of a first day."""

import logging
from typing import Annotated

import typer

from mintery import __version__
from mintery.cli.commands import (
    activity,
    authority,
    channel,
    chat,
    demo,
    deploy,
    deposit,
    devchain,
    doctor,
    exit_,
    halts,
    job,
    key,
    ledger,
    limit,
    lot,
    membership,
    mint,
    order,
    order_look,
    price,
    project,
    provider,
    publish,
    receipt,
    reconcile,
    redeem,
    reporter,
    reserve,
    roles,
    route,
    serve,
    settle,
    statement,
    topup,
    transfer,
    up,
    voucher,
    wallet,
    why,
)
from mintery.cli.examples import show_examples
from mintery.cli.exits import MEANINGS

_START = "Start here"
_MINT = "Mint, hold, send"
_SPEND = "Spend"
_OPERATE = "Operate"

app = typer.Typer(
    name="mintery",
    help="The mint, the wallet and the toll gate for AI credits.\n\n"
    "New here? [bold]mintery demo[/bold] shows everything once, [bold]mintery up[/bold] starts a local setup and prints an "
    "API key for the stock openai client. Every command takes [bold]--json[/bold].",
    epilog="\n".join(["Exit codes:", *(f"{code:4}  {meaning}" for code, meaning in MEANINGS.items())]),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"mintery {__version__}")
        raise typer.Exit


@app.callback()
def main(
    debug: Annotated[
        bool, typer.Option("--debug", help="Log what happens, with tracebacks, on standard error.", show_default=False)
    ] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True, show_default=False),
    ] = False,
) -> None:
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR)


app.command("demo", rich_help_panel=_START)(demo.demo)
app.command("up", rich_help_panel=_START)(up.up)
app.command("chat", rich_help_panel=_START)(chat.chat)
app.command("doctor", rich_help_panel=_START)(doctor.doctor)

app.add_typer(project.app, name="project", rich_help_panel=_MINT)
app.command("mint", rich_help_panel=_MINT)(mint.mint)
app.command("redeem", rich_help_panel=_MINT)(redeem.redeem)
app.command("transfer", rich_help_panel=_MINT)(transfer.transfer)
app.add_typer(reserve.app, name="reserve", rich_help_panel=_MINT)

app.command("wallet", rich_help_panel=_SPEND)(wallet.wallet)
app.command("deposit", rich_help_panel=_SPEND)(deposit.deposit)
app.command("topup", rich_help_panel=_SPEND)(topup.topup)
order.app.command("check")(order_look.check)
order.app.command("journal")(order_look.journal)
app.add_typer(order.app, name="order", rich_help_panel=_SPEND)
app.add_typer(lot.app, name="lot", rich_help_panel=_SPEND)
app.add_typer(exit_.app, name="exit", rich_help_panel=_SPEND)
app.add_typer(voucher.app, name="voucher", rich_help_panel=_SPEND)
app.add_typer(job.app, name="job", rich_help_panel=_SPEND)
app.add_typer(receipt.app, name="receipt", rich_help_panel=_SPEND)
app.command("activity", rich_help_panel=_SPEND)(activity.activity)
app.command("statement", rich_help_panel=_SPEND)(statement.statement)
app.add_typer(membership.app, name="membership", rich_help_panel=_SPEND)
app.add_typer(route.app, name="route", rich_help_panel=_SPEND)
app.add_typer(key.app, name="key", rich_help_panel=_SPEND)
app.add_typer(limit.app, name="limit", rich_help_panel=_SPEND)
app.add_typer(authority.app, name="authority", rich_help_panel=_SPEND)
app.command("sign-in", rich_help_panel=_SPEND)(authority.sign_in)
app.command("why", rich_help_panel=_SPEND)(why.why)

app.command("devchain", rich_help_panel=_OPERATE)(devchain.devchain)
app.command("deploy", rich_help_panel=_OPERATE)(deploy.deploy)
app.command("serve", rich_help_panel=_OPERATE)(serve.serve)
app.add_typer(channel.app, name="channel", rich_help_panel=_OPERATE)
app.add_typer(price.app, name="price", rich_help_panel=_OPERATE)
app.command("reporter", rich_help_panel=_OPERATE)(reporter.reporter)
app.command("settle", rich_help_panel=_OPERATE)(settle.settle)
app.command("reconcile", rich_help_panel=_OPERATE)(reconcile.reconcile)
ledger.app.command("halts")(halts.halts)
ledger.app.command("clear-halt")(halts.clear_halt)
app.add_typer(ledger.app, name="ledger", rich_help_panel=_OPERATE)
app.add_typer(provider.app, name="provider", rich_help_panel=_OPERATE)
app.add_typer(roles.app, name="roles", rich_help_panel=_OPERATE)
app.command("tokenlist", rich_help_panel=_OPERATE)(publish.tokenlist)
app.command("verify-bundle", rich_help_panel=_OPERATE)(publish.verify_bundle)

show_examples(app)
