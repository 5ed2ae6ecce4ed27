"""What became of orders: asked of their rails, whether or not a webhook came. News may come twice, late, or not at all."""

import logging
from dataclasses import replace
from datetime import datetime

from mintery.domain.chain_call import CallKind, ChainCall
from mintery.domain.order import Order, OrderId, OrderStatus, Payment, Rail, Refund, RefundKind, returnable
from mintery.errors import RailError, UnknownOrder
from mintery.ledger.commands import Command
from mintery.ledger.commands_orders import CloseOrder, FailOrder, FinishRefund, OrderTold, TakePayment
from mintery.ledger.commands_postponed import GoOn, Postpone
from mintery.usecases.alarms import Alarm
from mintery.usecases.order_desk import OrderDesk
from mintery.usecases.place_order import open_page
from mintery.usecases.watch_disputes import look_at_payment

log = logging.getLogger(__name__)

ACTOR = "rail"


def hear_webhook(desk: OrderDesk, payload: bytes, signature: str, now: datetime) -> Order | None:
    """A card rail says that something happened: a reason to ask it what, and no evidence of anything.

    Returns:
        the order as it stands now; None where the news concerns none of ours.

    Raises:
        WebhookForged
        RailNotOffered, RailUnavailable, RailRefused, RailNonsense: nothing was found out; the rail sends it again.
    """
    subject = desk.card_rail().subject_of(payload, signature)
    if subject is None:
        return None
    order = desk.ledger.orders.by_reference(Rail.CARD, subject)
    return look_at_payment(desk, subject, now) if order is None else look_at_order(desk, order, now)


def look_at_order(desk: OrderDesk, order: Order, now: datetime) -> Order:
    """Ask the order's rail, and record what it says; the order as it stands then.

    Raises:
        RailUnavailable, RailRefused, RailNonsense, ChainError
    """
    match order.rail:
        case Rail.CARD:
            commands = _ask_card(desk, open_page(desk, order, now), now)
        case Rail.CHAIN:
            commands = _ask_chain(desk, order, now)
        case Rail.BANK:
            commands = []
    if not commands:
        return order
    before = order.status_at(now)
    told = [each.order for each in desk.ledger.commit(commands) if isinstance(each, OrderTold)]
    after = told[-1] if told else order
    if after.status_at(now) is not before:
        log.info("order changed", extra={"order": order.id, "was": before.value, "is": after.status_at(now).value})
    return after


def watch_orders(desk: OrderDesk, now: datetime) -> int:
    """Every order of which a rail may have news, and every refund that is due; how many orders changed.

    What one of them meets stops none of the others: it stands as an alarm until it goes on.
    """
    changed = 0
    for rail in (Rail.CARD, Rail.CHAIN):
        after: OrderId | None = None
        while listed := desk.ledger.orders.watched(rail, after=after) if rail in desk.rails else ():
            changed += sum(_watch(desk, order, now) for order in listed)
            after = listed[-1].id
    if desk.cards is not None:
        _give_back(desk, now)
    return changed


def _give_back(desk: OrderDesk, now: datetime) -> None:
    """Every card refund that is due, and whose pause after its last failure is over."""
    after: str | None = None
    while listed := desk.ledger.orders.to_give_back(Rail.CARD, now, after=after):
        for refund in listed:
            _give_one_back(desk, refund, now)
        after = listed[-1].id


def _give_one_back(desk: OrderDesk, refund: Refund, now: datetime) -> None:
    """Nothing goes back twice: while its payment is disputed it waits, and of what a dispute took, or a person gave back by hand
    meanwhile, only the rest goes back.
    """
    order, left = desk.ledger.orders.order(refund.order), refund.assets
    if order is not None and refund.kind is not RefundKind.SURPLUS:
        left = min(left, returnable(order))
    if order is not None and left < refund.assets and (order.disputed or not left):
        why = "the payment is disputed" if order.disputed else "nothing of the payment is left to give back"
        desk.alarms.sound(Alarm.ORDERS_WAIT, f"refund {refund.id}: {why}", now, subject=refund.id)
        desk.ledger.commit([Postpone(refund.id, why, now)])
        return
    try:
        reference = desk.card_rail().refund(replace(refund, assets=left))
    except RailError as error:
        desk.alarms.sound(Alarm.ORDERS_WAIT, f"refund {refund.id}: {error}", now, subject=refund.id)
        desk.ledger.commit([Postpone(refund.id, str(error), now)])
        return
    desk.alarms.clear(Alarm.ORDERS_WAIT, subject=refund.id)
    if reference is not None:
        desk.ledger.commit([FinishRefund(refund.id, reference, ACTOR, now), GoOn((refund.id,))])


def _watch(desk: OrderDesk, order: Order, now: datetime) -> bool:
    try:
        after = look_at_order(desk, order, now)
    except RailError as error:
        desk.alarms.sound(Alarm.ORDERS_WAIT, str(error), now, subject=order.id)
        return False
    desk.alarms.clear(Alarm.ORDERS_WAIT, subject=order.id)
    return after != order


def _ask_card(desk: OrderDesk, order: Order, now: datetime) -> list[Command]:
    if order.reference is None:
        return []
    checkout = desk.card_rail().read(order.reference)
    if checkout.open and now >= order.expires_at:
        checkout = desk.card_rail().close(order.reference)
    if checkout.payment is not None:
        return [TakePayment(order.id, checkout.payment, ACTOR, now), CloseOrder(order.id, now)]
    if checkout.open:
        return []
    closed = CloseOrder(order.id, now)
    if order.status_at(now) is OrderStatus.PENDING:
        return [FailOrder(order.id, "the checkout was cancelled", ACTOR, now), closed]
    return [closed]


def _ask_chain(desk: OrderDesk, order: Order, now: datetime) -> list[Command]:
    """Payment and credits are one transaction there: the order's call, by whoever sent it."""
    call = next((each for each in desk.ledger.chain_calls.of(order.id) if each.kind is CallKind.TOP_UP), None)
    if call is None or (call.effect is None and call.failed_at is None):
        return []
    return [*_paid_by(order, call, now), CloseOrder(order.id, now)]


def _paid_by(order: Order, call: ChainCall, now: datetime) -> list[Command]:
    if call.effect is None:
        return []
    payment = Payment(call.effect.tx_hash, order.assets, call.effect.at)
    return [TakePayment(order.id, payment, ACTOR, now)]


def cancel_order(desk: OrderDesk, order_id: OrderId, now: datetime) -> Order:
    """The holder will not pay. A card's page is closed first: what was paid on it meanwhile counts.

    Raises:
        UnknownOrder
        RailUnavailable, RailRefused, RailNonsense
    """
    order = desk.ledger.orders.order(order_id)
    if order is None:
        raise UnknownOrder(order_id)
    if order.rail is Rail.CARD and order.reference is not None and order.closed_at is None:
        checkout = desk.card_rail().close(order.reference)
        if checkout.payment is not None:
            return look_at_order(desk, order, now)
    if order.rail is Rail.CHAIN or order.status_at(now) is not OrderStatus.PENDING:
        return order
    (told,) = desk.ledger.commit([FailOrder(order_id, "cancelled by the holder", order.account.holder, now)])
    return told.order if isinstance(told, OrderTold) else order
