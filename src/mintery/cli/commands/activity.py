"""``mintery activity``: what happened last in a wallet, and one request before and after."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.options import DEFAULT_URL, GatewayUrl, Json
from mintery.cli.output import pairs, progress, show, table
from mintery.errors import UnknownRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

_ID = re.compile(r"[\w-]+")


def activity(
    request: Annotated[
        str | None, typer.Argument(metavar="[REQUEST_ID]", help="One request (req_…): its price before and after.")
    ] = None,
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
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="At most so many, the newest first.")] = 20,
    time_zone: Annotated[
        str, typer.Option("--time-zone", metavar="ZONE", help="Whose clock: an IANA name, like Europe/Berlin.")
    ] = "UTC",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Show what happened last in a wallet: top-ups, requests and their cost, what was paid back, and what is under way."""
    from mintery.client import activity as read_activity
    from mintery.client import read_request

    query = {"time_zone": time_zone}
    if request is None:
        with progress("Reading what happened"):
            told = read_activity(url, api_key, query | {"limit": str(limit)})
        show(told, lambda out: _print_list(out, told), as_json=as_json)
        return
    if not _ID.fullmatch(request):
        raise UnknownRequest(request)
    with progress("Reading the request"):
        one = read_request(url, api_key, request, query)
    show(one, lambda out: _print_request(out, one), as_json=as_json)


def _print_list(out: "Console", told: "Mapping[str, Any]") -> None:
    """A list for each wallet: what one pays for is no other's."""
    shown = [(each, "under way", f"up to {each['held_credits']}") for each in told["running"]]
    shown += [
        (line, line["kind"].replace("_", " ") + (" taken back" if line["undone"] else ""), line["change_credits"])
        for line in told["data"]
    ]
    wallets: dict[str, list[tuple[str, ...]]] = {}
    for facts, what, amount in shown:
        title = f"{facts['wallet'] or 'unknown'} {facts['symbol']}, the newest first"
        row = (_when(facts), what, facts.get("model", ""), amount, facts.get("request", ""))
        wallets.setdefault(title, []).append(row)
    for title, rows in wallets.items():
        table(title, ("at", "what", "model", "credits ", "request"), rows)(out)
    if not wallets:
        pairs("Nothing happened yet", [])(out)


def _print_request(out: "Console", one: "Mapping[str, Any]") -> None:
    before, symbol = one["before"], one["symbol"]
    rows = [
        ("status", one["status"]),
        ("at", _when(one)),
        ("paid from", f"{one['wallet'] or 'unknown'} {symbol}"),
        ("asked for", before["model"]),
        ("at most", f"{before['most_credits']} {symbol}"),
    ]
    if one["after"] is not None:
        receipt = one["after"]
        answered = receipt["route"]["provider"] + (" (backup)" if receipt["route"]["backup"] else "")
        rows += [("charged", f"{one['charged_credits']} {symbol}"), ("answered by", f"{receipt['model']}, {answered}")]
        rows += [(line["sku"], str(line["quantity"])) for line in receipt["usage"]]
    pairs(f"Request {one['request']}", rows)(out)


def _when(facts: "Mapping[str, Any]") -> str:
    return str(facts["at"])[:19].replace("T", " ")
