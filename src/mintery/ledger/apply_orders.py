"""Orders: every change is decided by the domain on the locked row, written whole, and told in the order's own journal."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, select, update

from mintery.domain import order as domain
from mintery.domain.order import Order, OrderId, Payment, Refund, RefundKind
from mintery.errors import OrderTransitionRefused
from mintery.ledger.card_caps import over_cap_if_placed
from mintery.ledger.commands import NotWritten
from mintery.ledger.commands_orders import (
    CapReached,
    CloseOrder,
    DecideOrder,
    FailOrder,
    FinishRefund,
    NameOrder,
    OrderTold,
    PlaceOrder,
    RefundTold,
    ReturnPayment,
    TakePayment,
)
from mintery.ledger.freezing import claim_order, counted_by_hand
from mintery.ledger.rows_orders import ORDER_COLUMNS, REFUND_COLUMNS, order_of, order_row, refund_of, refund_row
from mintery.ledger.schema_orders import order_events, orders, payments, refunds
from mintery.ledger.stating import ORDERS, PAYMENTS, REFUNDS, state
from mintery.ledger.work import Statement, Work, insert_of, micros
from mintery.units import AssetUnits

_insert_order = Statement(insert_of(orders).on_conflict_do_nothing())
_lock_order = Statement(select(*ORDER_COLUMNS).where(orders.c.id == bindparam("id")).with_for_update())
_keyed_order = Statement(
    select(*ORDER_COLUMNS).where(
        orders.c.holder == bindparam("holder"), orders.c.idempotency_key == bindparam("idempotency_key")
    )
)
_FACTS = tuple(column.name for column in ORDER_COLUMNS if column.name != "id")
_write_order = Statement(
    update(orders).where(orders.c.id == bindparam("its_id")).values({name: bindparam(f"new_{name}") for name in _FACTS})
)
_insert_payment = Statement(insert_of(payments).on_conflict_do_nothing())
_payment = Statement(
    select(payments.c.order_id, payments.c.assets).where(
        payments.c.rail == bindparam("rail"), payments.c.id == bindparam("id")
    )
)
_insert_event = Statement(insert_of(order_events))
_insert_refund = Statement(insert_of(refunds).on_conflict_do_nothing())
_order_of_refund = Statement(select(refunds.c.order_id).where(refunds.c.id == bindparam("refund")))
_refund = Statement(select(*REFUND_COLUMNS).where(refunds.c.id == bindparam("refund")))
_finish_refund = Statement(
    update(refunds)
    .where(refunds.c.id == bindparam("refund"), refunds.c.done_at.is_(None))
    .values(reference=bindparam("its_reference"), done_at=bindparam("at"))
)


def place_order(work: Work, command: PlaceOrder) -> OrderTold | CapReached | NotWritten:
    order = command.order
    with work.undoable() as undo:
        if work.run(_insert_order, **order_row(order)):
            if (over := over_cap_if_placed(work, order, command.caps)) is not None:
                undo.undo()
                return over
            state(work, ORDERS, order.id)
            facts = {"assets": str(order.assets)}
            write_event(work, order.id, "placed", order.account.holder, facts, at=order.placed_at)
            return OrderTold(order, news=True)
    row = work.row(_lock_order, id=order.id)
    if row is None and order.idempotency_key is not None:
        row = work.row(_keyed_order, holder=order.account.holder, idempotency_key=order.idempotency_key)
    if row is None:
        return NotWritten(f"the reference of order {order.id} is another one's")
    known = order_of(row)
    if not known.asks_as(order):
        return NotWritten(f"order {known.id} was placed for something else")
    return OrderTold(known, news=False)


def name_order(work: Work, command: NameOrder) -> OrderTold | NotWritten:
    def name(order: Order) -> Order:
        if order.reference not in {None, command.reference}:
            raise OrderTransitionRefused(order.id, "named", f"its reference is {order.reference}")
        return replace(order, reference=command.reference, page=order.page or command.page)

    return change_order(work, command.order, name, "named", actor="gateway", at=command.at)


def take_payment(work: Work, command: TakePayment) -> OrderTold | NotWritten:
    """The order's payment, or a surplus; the same one again changes nothing, and one of another order is refused."""
    order, payment = lock_order(work, command.order), command.payment
    if order is None:
        return NotWritten(f"there is no order {command.order}")
    new = work.run(
        _insert_payment,
        rail=order.rail.value,
        id=payment.id,
        order_id=order.id,
        assets=payment.assets,
        paid_at=micros(payment.at),
        seen_at=micros(command.at),
    )
    if not new:
        known = work.row(_payment, rail=order.rail.value, id=payment.id)
        same = known is not None and tuple(known) == (order.id, payment.assets)
        return OrderTold(order, news=False) if same else NotWritten(f"payment {payment.id} came for another order")
    state(work, PAYMENTS[order.rail], payment.id)
    if order.payment is not None:
        return _take_surplus(work, order, command)
    told = change_order(
        work,
        order.id,
        lambda it: domain.with_payment(it, payment, command.at),
        "paid",
        actor=command.actor,
        at=command.at,
    )
    if isinstance(told, OrderTold) and told.order.refund_due_at is not None:
        _owe(work, told.order, payment, RefundKind.WHOLE, why=told.order.refund_why or "", at=command.at)
    return told


def _take_surplus(work: Work, order: Order, command: TakePayment) -> OrderTold:
    payment, why = command.payment, "the order had been paid before"
    _owe(work, order, payment, RefundKind.SURPLUS, why=why, at=command.at)
    facts = {"payment": payment.id, "assets": str(payment.assets)}
    write_event(work, order.id, "surplus", command.actor, facts, at=command.at)
    return OrderTold(order, news=True)


def fail_order(work: Work, command: FailOrder) -> OrderTold | NotWritten:
    return change_order(
        work,
        command.order,
        lambda order: domain.failed(order, command.why, command.at),
        "failed",
        actor=command.actor,
        at=command.at,
    )


def close_order(work: Work, command: CloseOrder) -> OrderTold | NotWritten:
    def close(order: Order) -> Order:
        return order if order.closed_at is not None else replace(order, closed_at=command.at)

    return change_order(work, command.order, close, "closed", actor="gateway", at=command.at)


def decide_order(work: Work, command: DecideOrder) -> OrderTold | NotWritten:
    def decide(order: Order) -> Order:
        return domain.decided(order, command.decision, by=command.actor, why=command.why, now=command.at)

    told = change_order(work, command.order, decide, command.decision.value, actor=command.actor, at=command.at)
    return _owe_whole(work, told, command.at)


def return_payment(work: Work, command: ReturnPayment) -> OrderTold | NotWritten:
    def give_back(order: Order) -> Order:
        return domain.returned(order, command.why, command.at)

    told = change_order(work, command.order, give_back, "returned", actor=command.actor, at=command.at)
    return _owe_whole(work, told, command.at)


def _owe_whole(work: Work, told: OrderTold | NotWritten, at: datetime) -> OrderTold | NotWritten:
    if not isinstance(told, OrderTold) or not told.news:
        return told
    if told.order.refund_due_at is not None and told.order.payment is not None:
        _owe(work, told.order, told.order.payment, RefundKind.WHOLE, why=told.order.refund_why or "", at=at)
    return told


def _owe(work: Work, order: Order, payment: Payment, kind: RefundKind, *, why: str, at: datetime) -> None:
    owe(
        work,
        Refund(
            id=f"rfd_{kind.value}_{order.id.removeprefix('ord_')}"
            + (f"_{payment.id}" if order.payment != payment else ""),
            order=order.id,
            rail=order.rail,
            payment=payment.id,
            kind=kind,
            why=why,
            assets=payment.assets,
            due_at=at,
        ),
    )


def owe(work: Work, refund: Refund) -> None:
    """It is due from now on; one of its id that is there stays as it is."""
    if work.run(_insert_refund, **refund_row(refund)):
        state(work, REFUNDS, refund.id)


def finish_refund(work: Work, command: FinishRefund) -> RefundTold | NotWritten:
    """Once: what went back counts against the order's payment in the same commit, unless it was heard of as made by hand before."""
    found = work.row(_order_of_refund, refund=command.refund)
    order = None if found is None else lock_order(work, found[0])
    if order is None:
        return NotWritten(f"there is no refund {command.refund}")
    counted = counted_by_hand(work, command.refund, command.reference)
    told = complete_refund(
        work, order, command.refund, command.reference, counted=counted, actor=command.actor, at=command.at
    )
    if told.news and counted:
        claim_order(work, order.id)
    return told


def complete_refund(
    work: Work, order: Order, refund_id: str, reference: str, *, actor: str, at: datetime, counted: int = 0
) -> RefundTold:
    """``counted``: what of it the order's ``refunded`` has already."""
    news = work.run(_finish_refund, refund=refund_id, its_reference=reference, at=micros(at))
    row = work.row(_refund, refund=refund_id)
    refund = refund_of(row)
    if news:
        state(work, REFUNDS, refund.id)
    if news and refund.kind is not RefundKind.SURPLUS and order.payment is not None:
        # What was given back by hand meanwhile is counted already.
        back = max(order.refunded, min(order.payment.assets - order.lost, order.refunded + refund.assets - counted))
        write_order(work, replace(order, refunded=AssetUnits(back)))
    if news:
        facts = {"refund": refund.id, "reference": reference, "assets": str(refund.assets)}
        write_event(work, order.id, "refunded", actor, facts, at=at)
    return RefundTold(refund, news=bool(news))


def lock_order(work: Work, order: OrderId) -> Order | None:
    row = work.row(_lock_order, id=order)
    return None if row is None else order_of(row)


def change_order(
    work: Work, order: OrderId, change: Callable[[Order], Order], kind: str, *, actor: str, at: datetime
) -> OrderTold | NotWritten:
    """``change`` of the locked order, written and told, unless it changes nothing."""
    before = lock_order(work, order)
    if before is None:
        return NotWritten(f"there is no order {order}")
    try:
        after = change(before)
    except OrderTransitionRefused as refused:
        return NotWritten(refused.why)
    if after == before:
        return OrderTold(before, news=False)
    write_order(work, after)
    facts = _changes(before, after)
    write_event(work, order, kind, actor, facts, at=at)
    return OrderTold(after, news=True)


def write_order(work: Work, order: Order) -> None:
    row = order_row(order)
    work.run(_write_order, its_id=order.id, **{f"new_{name}": row[name] for name in _FACTS})
    state(work, ORDERS, order.id)


def _changes(before: Order, after: Order) -> dict[str, str]:
    """Of what the order's row says, what is new."""
    was, is_ = order_row(before), order_row(after)
    return {name: str(value) for name, value in is_.items() if value != was[name]}


def write_event(work: Work, order: OrderId, kind: str, actor: str, facts: dict[str, str], *, at: datetime) -> None:
    text = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS).decode()
    work.run(_insert_event, order_id=order, kind=kind, actor=actor, facts=text, at=micros(at))


ORDER_WRITERS: Mapping[type, Callable[[Work, Any], OrderTold | RefundTold | CapReached | NotWritten]] = {
    PlaceOrder: place_order,
    NameOrder: name_order,
    TakePayment: take_payment,
    FailOrder: fail_order,
    CloseOrder: close_order,
    DecideOrder: decide_order,
    ReturnPayment: return_payment,
    FinishRefund: finish_refund,
}
