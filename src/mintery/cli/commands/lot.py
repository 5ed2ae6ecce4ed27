"""``mintery lot``: what each top-up brought, what is left of it, and which requests used it."""

from typing import Annotated

import typer

from mintery.cli.options import DEFAULT_URL, GatewayUrl, Json
from mintery.cli.output import progress, show, table

app = typer.Typer(help="See what is left of each top-up, and which requests used it.", no_args_is_help=True)

Key = Annotated[
    str,
    typer.Option(
        "--api-key", metavar="KEY", help="A key of the account (mv1.…), or a sign-in's token.", envvar="MINTERY_API_KEY"
    ),
]


@app.command("list")
def list_(
    api_key: Key,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many, newest first.")] = 50,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """List top-ups and deposits with what is left of each."""
    from mintery.client import orders

    with progress("Asking the gateway"):
        told = orders.list_lots(url, api_key, limit=limit)
    rows = [
        (
            str(lot["id"]),
            lot["at"][:19].replace("T", " "),
            lot["amount_credits"],
            lot["remaining_credits"],
            lot["order"] or "",
        )
        for lot in told["data"]
    ]
    show(told, table("Lots", ("lot ", "at (UTC)", "credits ", "left ", "order"), rows), as_json=as_json)


@app.command("trace")
def trace(
    lot: Annotated[int, typer.Argument(metavar="LOT", help="The lot's number, as `mintery lot list` shows it.")],
    api_key: Key,
    *,
    after: Annotated[int, typer.Option("--after", min=0, help="Go on after this line's id.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many, oldest first.")] = 100,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """List which requests used this top-up. What they used is known a few seconds after they were charged."""
    from mintery.client import orders

    with progress("Asking the gateway"):
        told = orders.trace_lot(url, api_key, lot, after=after, limit=limit)
    rows = [
        (
            str(use["id"]),
            use["at"][:19].replace("T", " "),
            use["request"] or use["kind"].replace("_", " "),
            use["used_credits"],
        )
        for use in told["data"]
    ]
    title = f"Lot {lot}: {told['lot']['remaining_credits']} of {told['lot']['amount_credits']} credits are left"
    show(told, table(title, ("id ", "at (UTC)", "used by", "credits "), rows), as_json=as_json)
