"""What a person does with orders: tell what came by bank, decide what is in review, give a payment back."""

from datetime import datetime

from mintery.domain.order import Decision, Order, OrderId, Payment, Rail, Refund
from mintery.errors import OrderTransitionRefused, UnknownOrder
from mintery.ledger.commands import Result
from mintery.ledger.commands_orders import (
    DecideOrder,
    FinishRefund,
    OrderTold,
    RefundTold,
    ReturnPayment,
    TakePayment,
)
from mintery.ledger.commands_postponed import GoOn
from mintery.ledger.queries_orders import OrderLedger

Reviewer = str


def take_bank_payment(ledger: OrderLedger, reference: str, payment: Payment, by: Reviewer, now: datetime) -> Order:
    """A transfer stands in the bank's statement: ``reference`` is what it says, ``payment.id`` the bank's name of it.

    Raises:
        UnknownOrder: no order has that reference.
        OrderTransitionRefused: the transfer was taken for another order.
    """
    order = ledger.orders.by_reference(Rail.BANK, reference.strip().upper())
    if order is None:
        raise UnknownOrder(reference)
    (told,) = ledger.commit([TakePayment(order.id, payment, by, now)])
    return _order(told, order, now)


def decide_order(
    ledger: OrderLedger, order_id: OrderId, decision: Decision, *, by: Reviewer, why: str, now: datetime
) -> Order:
    """Accept or refuse a payment in review. What is refused is owed back.

    Raises:
        UnknownOrder
        OrderTransitionRefused: it is not in review, or was decided otherwise.
    """
    order = find_order(ledger, order_id)
    (told,) = ledger.commit([DecideOrder(order_id, decision, by, why, now)])
    return _order(told, order, now)


def return_payment(ledger: OrderLedger, order_id: OrderId, *, by: Reviewer, why: str, now: datetime) -> Order:
    """Give an accepted payment back whole, as long as its credits are not being created.

    Raises:
        UnknownOrder, OrderTransitionRefused
    """
    order = find_order(ledger, order_id)
    told, _ = ledger.commit([ReturnPayment(order_id, why, by, now), GoOn((order_id,))])
    return _order(told, order, now)


def finish_refund(ledger: OrderLedger, refund: str, reference: str, *, by: Reviewer, now: datetime) -> Refund:
    """The bank sent it back, under this name.

    Raises:
        UnknownOrder: there is no such refund.
    """
    told, _ = ledger.commit([FinishRefund(refund, reference, by, now), GoOn((refund,))])
    if not isinstance(told, RefundTold):
        raise UnknownOrder(refund)
    return told.refund


def find_order(ledger: OrderLedger, order_id: OrderId) -> Order:
    """Raises UnknownOrder."""
    order = ledger.orders.order(order_id)
    if order is None:
        raise UnknownOrder(order_id)
    return order


def _order(told: Result, before: Order, now: datetime) -> Order:
    if isinstance(told, OrderTold):
        return told.order
    raise OrderTransitionRefused(before.id, before.status_at(now).value, getattr(told, "why", "refused"))
