"""``mintery lot``: what each top-up brought, what is left of it, which requests used it, and how to take the rest back."""

from typing import Annotated, Any

import typer

from mintery.cli.options import DEFAULT_URL, GatewayUrl, Json
from mintery.cli.output import pairs, progress, show, table
from mintery.cli.signing_in import HolderKey, holder_key

app = typer.Typer(
    help="See what is left of each top-up and which requests used it, and take back the rest.", no_args_is_help=True
)
Lot = Annotated[int, typer.Argument(metavar="LOT", help="The lot's number, as `mintery lot list` shows it.")]

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
    lot: Lot,
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


@app.command("refund")
def refund(
    lot: Lot,
    *,
    key: HolderKey,
    way: Annotated[
        str,
        typer.Option(
            "--way", help="rail: the money goes back the way it came. wallet: the credits come to your wallet."
        ),
    ] = "rail",
    credits_: Annotated[
        str | None, typer.Option("--credits", metavar="CREDITS", help="How many; all that is left of it by default.")
    ] = None,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Take back what is left of a top-up. No request gets it from then on; `mintery lot refunds` shows where it is."""
    from mintery.client.refunds import lot_with, take_back
    from mintery.client.wallet import sign_in

    if way not in {"rail", "wallet"}:
        raise typer.BadParameter("--way is rail or wallet")
    with progress("Asking for it back"):
        holder = holder_key(url, key)
        token = sign_in(url, holder)
        amount = credits_ or lot_with(url, token, lot)["remaining_credits"]
        told = take_back(url, token, holder, lot, credits_=amount, way=way)
    show(told, pairs(f"Refund {told['id']}", _rows(told)), as_json=as_json)


@app.command("refunds")
def refunds(lot: Lot, api_key: Key, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """Show what of this top-up was asked back, where it is, and what it waits for."""
    from mintery.client.refunds import list_refunds

    with progress("Asking the gateway"):
        told = list_refunds(url, api_key, lot)
    rows = [(each["id"], each["way"], each["refund_credits"], *_standing(each)) for each in told["data"]]
    columns = ("refund", "way", "credits ", "status", "why")
    show(told, table(f"Lot {lot}: {len(rows)} asked back", columns, rows), as_json=as_json)


def _rows(told: dict[str, Any]) -> list[tuple[str, str]]:
    status, why = _standing(told)
    rows = [("status", status), ("credits", told["refund_credits"]), ("way", told["way"])]
    return [*rows, ("why", why)] if why else rows


def _standing(told: dict[str, Any]) -> tuple[str, str]:
    """The status, and why it is that or what it waits for."""
    met = next((call["why"] for call in told["on_chain"] if call["why"]), None)
    return told["status"].replace("_", " "), told["why"] or met or ""
