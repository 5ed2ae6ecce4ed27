"""``mintery order``: top-ups as their holder sees them, and what the operator does with them."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Annotated

import typer

from mintery.cli.options import DEFAULT_URL, GatewayUrl, Json
from mintery.cli.orders_shown import (
    Printed,
    Told,
    disputes_table,
    given_up_table,
    one_order,
    orders_table,
    refund_done,
    refunds_table,
    retried,
    waiting_table,
)
from mintery.cli.output import progress, show

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
    asked = {"rail": rail, "token": token, "usd": usd}
    _show(lambda orders: orders.place_order(url, api_key, asked), one_order, as_json=as_json)


@app.command("list")
def list_(api_key: HolderKey, limit: Limit = 50, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """List the holder's orders, newest first."""
    _show(lambda orders: orders.list_orders(url, api_key, limit=limit), orders_table, as_json=as_json)


@app.command("show")
def show_(order: Order, api_key: HolderKey, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """Show one order: its status, the lot that it brought, what went back, and what it waits for."""
    _show(lambda orders: orders.read_order(url, api_key, order), one_order, as_json=as_json)


@app.command("cancel")
def cancel(order: Order, api_key: HolderKey, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """Give up an order that is not paid. What was paid meanwhile counts."""
    _show(lambda orders: orders.cancel_order(url, api_key, order), one_order, as_json=as_json)


@app.command("queue")
def queue(
    operator_key: OperatorKey,
    what: Annotated[
        str,
        typer.Argument(
            metavar="[QUEUE]",
            help="review, unminted, refunds (what is owed back), waiting (tried again later, and why), given_up (what can never "
            "take effect on chain any more: the order or refund says where the credits are), disputes (and where their credits are) "
            "or all.",
        ),
    ] = "review",
    limit: Limit = 100,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Operator: list what waits for a person, or for its next try."""
    shown = {
        "refunds": refunds_table,
        "waiting": waiting_table,
        "given_up": given_up_table,
        "disputes": disputes_table,
    }.get(what, orders_table)
    _show(lambda orders: orders.admin_orders(url, operator_key, what, limit=limit), shown, as_json=as_json)


@app.command("retry")
def retry(
    subject: Annotated[
        str, typer.Argument(metavar="ORDER", help="ord_… or rfd_…, as `mintery order queue waiting` shows it.")
    ],
    operator_key: OperatorKey,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Operator: try again now what of an order or a refund waits for its next try, after what it met was mended.

    It is tried by itself as well, after longer and longer pauses (5 seconds to 10 minutes). What was given up (`mintery order
    queue given_up`) can never take effect: a deposit's credits are in the holder's wallet, to be made spendable or redeemed
    there, and so are those of a refund that could not be collected.
    """
    _show(lambda orders: orders.admin_retry(url, operator_key, subject), retried, as_json=as_json)


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
    when = datetime.now(UTC) if at is None else at.replace(tzinfo=UTC)
    line = {"reference": reference, "payment": payment, "usd": usd, "at": when.isoformat(), "by": by}
    _show(lambda orders: orders.admin_payment(url, operator_key, line), one_order, as_json=as_json)


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
    said = {"decision": "accepted", "reason": reason, "by": by}
    _show(lambda orders: orders.admin_decide(url, operator_key, order, said), one_order, as_json=as_json)


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
    said = {"decision": "refused", "reason": reason, "by": by}
    _show(lambda orders: orders.admin_decide(url, operator_key, order, said), one_order, as_json=as_json)


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
    said = {"reason": reason, "by": by}
    _show(lambda orders: orders.admin_return(url, operator_key, order, said), one_order, as_json=as_json)


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
    said = {"reference": reference, "by": by}
    _show(lambda orders: orders.admin_refund_done(url, operator_key, refund, said), refund_done, as_json=as_json)


def _show(ask: Callable[[ModuleType], Told], printed: Callable[[Told], Printed], *, as_json: bool) -> None:
    """What every command does: ask the gateway by ``mintery.client.orders``, and print what it told."""
    from mintery.client import orders

    with progress("Asking the gateway"):
        told = ask(orders)
    show(told, printed(told), as_json=as_json)
