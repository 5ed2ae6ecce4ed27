"""``mintery wallet``: what a holder has, official and routed apart."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.money import nanos_text
from mintery.cli.options import DEFAULT_URL, GatewayUrl, Json
from mintery.cli.output import pairs, progress, show
from mintery.units import NanoCredits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

_AMOUNTS = (
    ("to spend", "spendable"),
    ("set aside for requests", "held"),
    ("on its way back", "leaving"),
    ("in the holder's own wallet", "outside"),
)


def wallet(
    *,
    api_key: Annotated[
        str,
        typer.Option(
            "--api-key",
            metavar="KEY",
            help="A key of the account (mv1.…), or the token of a sign-in for all of a holder's accounts.",
            envvar="MINTERY_API_KEY",
        ),
    ],
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Show the balances as the wallet's home page does: one for each project, official and routed apart."""
    from mintery.client.calls import call

    with progress("Reading the balances"):
        told = call("GET", f"{url}/wallet", api_key)
    show(told, lambda out: _print(out, told), as_json=as_json)


def _print(out: "Console", told: "Mapping[str, Any]") -> None:
    if not told["balances"]:
        pairs("Nothing here yet", [])(out)
    for balance in told["balances"]:
        rows = [
            (words, _amount(balance, name)) for words, name in _AMOUNTS if balance[f"{name}_nanocredits"] is not None
        ]
        pairs(f"{balance['kind'].capitalize()} balance: {balance['name']}", rows)(out)


def _amount(balance: "Mapping[str, Any]", name: str) -> str:
    amount = nanos_text(NanoCredits(int(balance[f"{name}_nanocredits"])), balance["symbol"])
    return f"{amount} ({balance[f'{name}_usd']} USD)"
