"""Try again at once what of an order or a refund waits for its next try."""

from mintery.domain.order import OrderId
from mintery.errors import UnknownOrder
from mintery.ledger.commands_postponed import GoOn
from mintery.ledger.queries_orders import OrderLedger


def retry_order(ledger: OrderLedger, subject: str) -> tuple[str, ...]:
    """What of ``subject`` (an order, or a refund) waited and is tried with the next run: its credits, its calls on chain, its
    refunds. Nothing that was given up: that can never take effect, whoever tries it.

    Raises:
        UnknownOrder
    """
    calls = ledger.chain_calls.of(subject)
    order = ledger.orders.order(OrderId(subject))
    refund = ledger.orders.refund(subject)
    if order is None and refund is None and not calls:
        raise UnknownOrder(subject)
    refunds = () if order is None else ledger.orders.refunds_of(order.id)
    waiting = ledger.postponed.of([subject, *(call.id for call in calls), *(each.id for each in refunds)])
    subjects = tuple(sorted(waiting))
    ledger.commit([GoOn(subjects)])
    return subjects
