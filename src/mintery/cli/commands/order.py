"""``mintery order``: top-ups as their holder sees them, and what the operator does with them."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from mintery.cli.options import DEFAULT_URL, GatewayUrl, Json
from mintery.cli.output import pairs, progress, show, table

app = typer.Typer(help="Place top-up orders; review what came by bank.", no_args_is_help=True)

HolderKey = Annotated[
    str,
    typer.Option(
        "--api-key",
        metavar="KEY",
        help="The token of a sign-in, or, to read, a key of the account (mv1.…).",
        envvar="MINTERY_API_KEY",
    ),
]
OperatorKey = Annotated[
    str,
    typer.Option("--operator-key", metavar="KEY", help="The gateway's operator key.", envvar="MINTERY_OPERATOR_KEY"),
]
Order = Annotated[str, typer.Argument(metavar="ORDER", help="ord_…, as the list shows it.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stays in the ledger.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides it; it stays in the ledger.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=200, help="How many, newest first.")]


@app.command("place")
def place(
    usd: Annotated[str, typer.Argument(metavar="USD", help="How much, like 20 or 12.50.")],
    api_key: HolderKey,
    *,
    rail: Annotated[str, typer.Option("--rail", help="card or bank.")] = "card",
    token: Annotated[str, typer.Option("--token", metavar="ADDRESS", help="The project's token.")],
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Order credits by card or bank; on chain, `mintery topup` does it at once. Prints where or how to pay."""
    from mintery.client import orders

    with progress("Placing the order"):
        told = orders.place_order(url, api_key, {"rail": rail, "token": token, "usd": usd})
    show(told, lambda out: _print(out, told), as_json=as_json)


@app.command("list")
def list_(api_key: HolderKey, limit: Limit = 50, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """List the holder's orders, newest first."""
    from mintery.client import orders

    with progress("Asking the gateway"):
        told = orders.list_orders(url, api_key, limit=limit)
    show(told, _listed(told), as_json=as_json)


@app.command("show")
def show_(order: Order, api_key: HolderKey, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """Show one order: its status, the lot that it brought, what went back."""
    from mintery.client import orders

    with progress("Asking the gateway"):
        told = orders.read_order(url, api_key, order)
    show(told, lambda out: _print(out, told), as_json=as_json)


@app.command("cancel")
def cancel(order: Order, api_key: HolderKey, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """Give up an order that is not paid. What was paid meanwhile counts."""
    from mintery.client import orders

    told = orders.cancel_order(url, api_key, order)
    show(told, lambda out: _print(out, told), as_json=as_json)


@app.command("queue")
def queue(
    operator_key: OperatorKey,
    what: Annotated[
        str, typer.Argument(metavar="[QUEUE]", help="review, unminted, refunds (what is owed back) or all.")
    ] = "review",
    limit: Limit = 100,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Operator: list what waits for a person."""
    from mintery.client import orders

    told = orders.admin_orders(url, operator_key, what, limit=limit)
    if what == "refunds":
        rows = [
            (each["id"], each["rail"], each["refund_usd"], each["why"], each["due_at"][:19]) for each in told["data"]
        ]
        show(told, table(f"{len(rows)} refunds due", ("refund", "rail", "USD ", "why", "since"), rows), as_json=as_json)
        return
    show(told, _listed(told), as_json=as_json)


@app.command("paid")
def paid(
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="What the transfer says: MINT-XXXX-XXXX.")],
    operator_key: OperatorKey,
    *,
    payment: Annotated[str, typer.Option("--payment", metavar="ID", help="The bank's own name of the transfer.")],
    usd: Annotated[str, typer.Option("--usd", metavar="USD", help="What came.")],
    at: Annotated[
        datetime | None,
        typer.Option("--at", help="When the bank had it, UTC; now by default.", formats=["%Y-%m-%dT%H:%M"]),
    ] = None,
    by: By = "operator",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Operator: a transfer stands in the bank's statement. Its order waits for `accept` or `refuse` from then on."""
    from mintery.client import orders

    when = datetime.now(UTC) if at is None else at.replace(tzinfo=UTC)
    line = {"reference": reference, "payment": payment, "usd": usd, "at": when.isoformat(), "by": by}
    told = orders.admin_payment(url, operator_key, line)
    show(told, lambda out: _print(out, told), as_json=as_json)


@app.command("accept")
def accept(
    order: Order,
    operator_key: OperatorKey,
    reason: Reason,
    *,
    by: By = "operator",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Operator: credits are created for what came."""
    _decide(url, operator_key, order, {"decision": "accepted", "reason": reason, "by": by}, as_json=as_json)


@app.command("refuse")
def refuse(
    order: Order,
    operator_key: OperatorKey,
    reason: Reason,
    *,
    by: By = "operator",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Operator: what came is owed back."""
    _decide(url, operator_key, order, {"decision": "refused", "reason": reason, "by": by}, as_json=as_json)


@app.command("return")
def return_(
    order: Order,
    operator_key: OperatorKey,
    reason: Reason,
    *,
    by: By = "operator",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Operator: give an accepted payment back whole, as long as its credits are not being created."""
    from mintery.client import orders

    told = orders.admin_return(url, operator_key, order, {"reason": reason, "by": by})
    show(told, lambda out: _print(out, told), as_json=as_json)


@app.command("refunded")
def refunded(
    refund: Annotated[str, typer.Argument(metavar="REFUND", help="rfd_…, as `mintery order queue refunds` shows it.")],
    operator_key: OperatorKey,
    *,
    reference: Annotated[str, typer.Option("--reference", metavar="ID", help="The bank's name of the transfer back.")],
    by: By = "operator",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Operator: the bank sent it back."""
    from mintery.client import orders

    told = orders.admin_refund_done(url, operator_key, refund, {"reference": reference, "by": by})
    show(told, pairs(f"Refund {refund} is done", [("reference", reference)]), as_json=as_json)


def _decide(url: str, key: str, order: str, said: dict[str, Any], *, as_json: bool) -> None:
    from mintery.client import orders

    told = orders.admin_decide(url, key, order, said)
    show(told, lambda out: _print(out, told), as_json=as_json)


def _listed(told: dict[str, Any]) -> Any:
    rows = [
        (each["placed_at"][:19].replace("T", " "), each["id"], each["rail"], each["asked_usd"], each["status"])
        for each in told["data"]
    ]
    return table(f"{len(rows)} orders", ("placed (UTC)", "order", "rail", "USD ", "status"), rows)


def _print(out: Any, told: dict[str, Any]) -> None:
    rows = [("status", told["status"].replace("_", " ")), ("asked for", f"{told['asked_usd']} USD by {told['rail']}")]
    optional = (
        ("pay here", told["page"]),
        ("transfer to", told["bank_details"]),
        ("with the words", told["reference"] if told["bank_details"] else None),
        ("paid", told.get("paid_usd")),
        ("went back", told["refunded_usd"] if told["refunded_assets"] != "0" else None),
        ("why", told["why"]),
    )
    rows += [(name, value) for name, value in optional if value]
    rows += [(f"{call['kind']} of credits", call["status"].replace("_", " ")) for call in told["on_chain"]]
    if told["lot"] is not None:
        rows.append(("left of it", f"{told['lot']['remaining_credits']} credits (lot {told['lot']['id']})"))
    pairs(f"Order {told['id']}", rows)(out)
