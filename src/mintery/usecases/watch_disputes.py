"""Card payments that are disputed, or were given back at the rail by hand: asked of the rail, whether or not a webhook came."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from mintery.domain.dispute import Dispute, DisputeOutcome, OutsideRefund
from mintery.domain.order import Order, OrderId, Rail
from mintery.errors import RailError
from mintery.ledger.commands import NotWritten
from mintery.ledger.commands_disputes import RefreezeLots, TakeDispute, TakeOutsideRefund
from mintery.ledger.commands_orders import OrderTold
from mintery.rails.cards import Claims
from mintery.units import AssetUnits, format_assets
from mintery.usecases.alarms import Alarm
from mintery.usecases.order_desk import OrderDesk

log = logging.getLogger(__name__)

ACTOR = "rail"
DISPUTE_WINDOW = timedelta(days=180)
"""Card schemes take disputes for 120 days after a payment, some for longer."""
REFUND_WINDOW = timedelta(days=30)
"""How far back is looked for refunds by hand whose webhooks were all lost. Each look lists all refunds since."""


def watch_disputes(desk: OrderDesk, now: datetime) -> int:
    """Everything that the rail tells of disputes and of refunds by hand; how many orders changed. What one of them meets stops none
    of the others.
    """
    if desk.cards is None:
        return 0
    changed = 0
    try:
        told = desk.card_rail().claims_since(now - DISPUTE_WINDOW, now - REFUND_WINDOW)
        changed += _take_claims(desk, told, now)
        # Of one that began before the window, its end is asked for.
        listed = {each.id for each in told.disputes}
        for old in desk.ledger.disputes.open():
            if old.dispute.id not in listed:
                changed += _take_claims(desk, desk.card_rail().claims_on(old.dispute.payment), now)
    except RailError as error:
        desk.alarms.sound(Alarm.ORDERS_WAIT, f"disputes are not known: {error}", now, subject="disputes")
    else:
        desk.alarms.clear(Alarm.ORDERS_WAIT, subject="disputes")
    desk.ledger.commit([RefreezeLots()])
    return changed


def look_at_payment(desk: OrderDesk, payment: str, now: datetime) -> Order | None:
    """Ask the rail what is claimed of one payment, and record it; the order as it stands then, None where it is none of ours.

    Raises:
        RailUnavailable, RailRefused, RailNonsense
    """
    order = desk.ledger.orders.of_payment(Rail.CARD, payment)
    if order is None:
        return None
    _take_claims(desk, desk.card_rail().claims_on(payment), now)
    return desk.ledger.orders.order(order.id)


def _take_claims(desk: OrderDesk, told: Claims, now: datetime) -> int:
    for payment in told.unclear:
        order = desk.ledger.orders.of_payment(Rail.CARD, payment)
        if order is not None:
            why = (
                f"order {order.id}: something is claimed of {payment} that is not in dollars; a person must look at it"
            )
            desk.alarms.sound(Alarm.DISPUTED, why, now, subject=payment)
    disputes, refunds = _new_disputes(desk, told.disputes), _new_refunds(desk, told.refunds)
    taken = [_take_dispute(desk, order, dispute, now) for order, dispute in disputes]
    return sum(taken) + sum(_take_refund(desk, order, refund, now) for order, refund in refunds)


def _new_disputes(desk: OrderDesk, told: Iterable[Dispute]) -> Iterable[tuple[OrderId, Dispute]]:
    """Of payments that are recorded here, and what is not recorded of them; open ones each time, as their alarm stands."""
    for dispute in told:
        known = desk.ledger.disputes.dispute(dispute.id)
        if known is not None and known.dispute.outcome is dispute.outcome is not None:
            continue
        order = desk.ledger.orders.of_payment(Rail.CARD, dispute.payment)
        if order is not None:
            yield order.id, dispute


def _new_refunds(desk: OrderDesk, told: Iterable[OutsideRefund]) -> Iterable[tuple[OrderId, OutsideRefund]]:
    for refund in told:
        order = desk.ledger.orders.of_payment(Rail.CARD, refund.payment)
        if order is not None and refund.id not in {
            each.id for each in desk.ledger.disputes.outside_refunds_of(order.id)
        }:
            yield order.id, refund


def _take_dispute(desk: OrderDesk, order: OrderId, told: Dispute, now: datetime) -> bool:
    (taken,) = desk.ledger.commit([TakeDispute(order, told, ACTOR, now)])
    usd = format_assets(told.assets)
    if isinstance(taken, NotWritten):
        why = f"order {order}: {taken.why}; a person must look at it"
        desk.alarms.sound(Alarm.DISPUTED, why, now, subject=told.id)
        return False
    if told.outcome is None:
        why = f"order {order}: {usd} dollars are disputed ({told.reason}); answer the dispute at the card service"
        desk.alarms.sound(Alarm.DISPUTED, why, now, subject=told.id)
    elif (counted := _lost_as(desk, told)) != told.assets:
        why = f"order {order}: dispute {told.id} took {usd} dollars and is counted with {format_assets(counted)}; a person must look at it"
        desk.alarms.sound(Alarm.DISPUTED, why, now, subject=told.id)
    else:
        desk.alarms.clear(Alarm.DISPUTED, subject=told.id)
    news = isinstance(taken, OrderTold) and taken.news
    if news:
        lost = told.outcome is DisputeOutcome.LOST
        (log.warning if lost else log.info)(
            "dispute told",
            extra={
                "order": order,
                "dispute": told.id,
                "assets": told.assets,
                "is": "open" if told.outcome is None else told.outcome.value,
            },
        )
    return news


def _lost_as(desk: OrderDesk, told: Dispute) -> AssetUnits:
    """The amount that a lost one counts with; of one that was won it does not matter."""
    recorded = desk.ledger.disputes.dispute(told.id) if told.outcome is DisputeOutcome.LOST else None
    return told.assets if recorded is None else recorded.dispute.assets


def _take_refund(desk: OrderDesk, order: OrderId, told: OutsideRefund, now: datetime) -> bool:
    (taken,) = desk.ledger.commit([TakeOutsideRefund(order, told, ACTOR, now)])
    if isinstance(taken, NotWritten):
        desk.alarms.sound(Alarm.DISPUTED, f"order {order}: {taken.why}", now, subject=told.id)
        return False
    log.info("refunded by hand", extra={"order": order, "refund": told.id, "assets": told.assets})
    return isinstance(taken, OrderTold) and taken.news
