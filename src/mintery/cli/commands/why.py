"""``mintery why``: what a failed request failed at."""

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


def why(
    request_id: Annotated[str, typer.Argument(metavar="REQUEST_ID", help="From the answer's x-request-id (req_…).")],
    *,
    api_key: Annotated[
        str | None,
        typer.Option(
            "--api-key",
            metavar="KEY",
            help="The account's voucher key (mv1.…), or the operator's key. Not needed where no key was good.",
            envvar="MINTERY_API_KEY",
        ),
    ] = None,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Name what a request failed at: pricing, balance, routing, provider, key or model, with the evidence."""
    from mintery.client import why as ask_why

    if not _ID.fullmatch(request_id):
        raise UnknownRequest(request_id)
    with progress("Asking why"):
        told = ask_why(url, api_key, request_id)
    show(told, lambda out: _print(out, told), as_json=as_json)


def _print(out: "Console", told: "Mapping[str, Any]") -> None:
    rows = [("cause", told["cause"] or "none: it did not fail"), ("what happened", told["sentence"])]
    rows += [("what to do", told["advice"])] if told["advice"] is not None else []
    rows += [("status", told["status"]), ("at", told["at"])]
    rows += [(name.replace("_", " "), str(value)) for name, value in told["evidence"].items() if value is not None]
    pairs(f"Request {told['request']}", rows)(out)
    if told["attempts"]:
        calls = [
            (each["route"], each["outcome"].replace("_", " "), str(each["status"] or "")) for each in told["attempts"]
        ]
        table("Calls, in their order", ("route", "outcome", "status "), calls)(out)
