"""``mintery order check|journal``: ask the rail now, and all that happened to an order."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.options import DEFAULT_URL, GatewayUrl, Json
from mintery.cli.output import pairs, progress, show, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

Order = Annotated[str, typer.Argument(metavar="ORDER", help="ord_…, as the list shows it.")]


def check(
    order: Order,
    api_key: Annotated[
        str, typer.Option("--api-key", metavar="KEY", help="The token of a sign-in.", envvar="MINTERY_API_KEY")
    ],
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Ask the rail now whether an order was paid, without waiting for its news."""
    from mintery.client import orders

    with progress("Asking the rail"):
        told = orders.check_order(url, api_key, order)
    show(told, lambda out: _print(out, told), as_json=as_json)


def journal(
    order: Order,
    operator_key: Annotated[
        str,
        typer.Option(
            "--operator-key", metavar="KEY", help="The gateway's operator key.", envvar="MINTERY_OPERATOR_KEY"
        ),
    ],
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Operator: one order with all that happened to it, when, and by whom."""
    from mintery.client import orders

    with progress("Asking the gateway"):
        told = orders.admin_order(url, operator_key, order)
    show(told, lambda out: _print(out, told), as_json=as_json)


def _print(out: "Console", told: "Mapping[str, Any]") -> None:
    rows = [
        ("status", told["status"].replace("_", " ")),
        ("asked for", f"{told['asked_usd']} USD by {told['rail']}"),
        ("paid", "not yet" if told["paid_at"] is None else f"{told['paid_usd']} USD, {told['paid_at'][:19]}"),
        *([("why", told["why"])] if told["why"] else []),
    ]
    pairs(f"Order {told['id']}", rows)(out)
    happened = [
        (each["at"][:19].replace("T", " "), each["kind"].replace("_", " "), each["by"]) for each in told["history"]
    ]
    table("What happened", ("at (UTC)", "what", "by"), happened)(out)
