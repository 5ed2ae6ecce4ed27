"""Orders that the ledger's tests are told in, and how to bring one into each status by what the rails say."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tests.ledger.samples import NOON, Wallet, wallet

from mintery.domain.dispute import Dispute
from mintery.domain.order import PENDING_FOR, Decision, Order, OrderId, OrderStatus, Payment, Rail
from mintery.ledger.commands import Command
from mintery.ledger.commands_disputes import TakeDispute
from mintery.ledger.commands_orders import (
    DecideOrder,
    FailOrder,
    FinishRefund,
    OrderTold,
    PlaceOrder,
    ReturnPayment,
    TakePayment,
)
from mintery.ledger.store import LedgerStore
from mintery.units import AssetUnits

DOLLARS = AssetUnits(20_000_000)
SECOND = timedelta(seconds=1)


def order_id(number: int) -> OrderId:
    return OrderId(f"ord_{number:032x}")


def an_order(number: int = 1, rail: Rail = Rail.CARD, *, of: Wallet | None = None, at: datetime = NOON) -> Order:
    return Order(
        id=order_id(number),
        account=(of or wallet(1)).account,
        rail=rail,
        assets=DOLLARS,
        placed_at=at,
        expires_at=at + PENDING_FOR[rail],
        reference=f"ref_{number}",
    )


def a_payment(order: Order, *, late: bool = False, assets: int = DOLLARS, name: str = "") -> Payment:
    at = order.expires_at if late else order.expires_at - SECOND
    return Payment(name or f"pay_{order.id}", AssetUnits(assets), at)


def take(order: Order, payment: Payment, at: datetime | None = None) -> TakePayment:
    return TakePayment(order.id, payment, "rail", at or payment.at)


def decide(order: Order, decision: Decision, at: datetime = NOON + SECOND) -> DecideOrder:
    return DecideOrder(order.id, decision, "operator", "as the statement of account says", at)


def whole_refund(order: Order) -> str:
    return f"rfd_whole_{order.id.removeprefix('ord_')}"


def commands_to(order: Order, status: OrderStatus) -> Sequence[Command]:  # noqa: PLR0911 -- one return for each status
    """What makes ``order`` of that status, told as late as can be; none where its rail knows no such order."""
    placed, paid = PlaceOrder(order), take(order, a_payment(order))
    accepted = decide(order, Decision.ACCEPTED)
    settled = (paid, accepted) if order.rail is Rail.BANK else (paid,)
    match status, order.rail:
        case OrderStatus.PENDING | OrderStatus.EXPIRED, _:
            return [placed]
        case OrderStatus.FAILED, _:
            return [placed, FailOrder(order.id, "the payer gave up", "rail", order.placed_at + SECOND)]
        case OrderStatus.PAID, _:
            return [placed, *settled]
        case OrderStatus.DISPUTED, _:
            return [placed, paid, a_dispute(order)]
        case OrderStatus.MANUAL_REVIEW, Rail.CARD:
            return []
        case OrderStatus.MANUAL_REVIEW, _:
            return [placed, take(order, a_payment(order, late=True))]
        case OrderStatus.REFUNDED, Rail.CHAIN:
            refused = decide(order, Decision.REFUSED)
            return [placed, take(order, a_payment(order, late=True)), refused, _refunded(order)]
        case _:
            back = ReturnPayment(order.id, "the project is retired", "operator", NOON + SECOND)
            return [placed, *settled, back, _refunded(order)]


def a_dispute(order: Order) -> TakeDispute:
    told = Dispute(f"du_{order.id}", f"pay_{order.id}", DOLLARS, "fraudulent", order.placed_at + SECOND)
    return TakeDispute(order.id, told, "rail", order.placed_at + SECOND)


def _refunded(order: Order) -> FinishRefund:
    return FinishRefund(whole_refund(order), "re_1", "rail", NOON + 2 * SECOND)


def moment(order: Order, status: OrderStatus) -> datetime:
    """When to look at it: only what expired depends on the time."""
    return order.expires_at if status is OrderStatus.EXPIRED else order.expires_at - SECOND


def told(ledger: LedgerStore, *commands: Command) -> Order:
    """The order as the last command left it; each is taken."""
    results = ledger.commit(commands)
    last = results[-1]
    assert isinstance(last, OrderTold), last
    return last.order


def found(ledger: LedgerStore, order: Order) -> Order:
    recorded = ledger.orders.order(order.id)
    assert recorded is not None
    return recorded


def numbered(order: Order, number: int) -> Order:
    return replace(order, id=order_id(number), reference=f"ref_{number}")
