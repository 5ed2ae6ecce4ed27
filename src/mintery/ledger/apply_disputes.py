"""Disputes, and refunds that were made at the rail by hand: taken once, counted on their order, and frozen in its lot."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

from mintery.domain import order as domain
from mintery.domain.dispute import Dispute, OutsideRefund
from mintery.domain.order import Order, Refund, RefundKind
from mintery.ledger.apply_orders import complete_refund, lock_order, owe, write_event, write_order
from mintery.ledger.commands import Done, NotWritten
from mintery.ledger.commands_disputes import RefreezeLots, TakeDispute, TakeOutsideRefund
from mintery.ledger.commands_orders import OrderTold
from mintery.ledger.freezing import claim_order, refreeze_lots
from mintery.ledger.schema_disputes import disputes, outside_refunds
from mintery.ledger.schema_orders import payments, refunds
from mintery.ledger.stating import DISPUTES, OUTSIDE_REFUNDS, state
from mintery.ledger.work import Statement, Work, insert_of, micros
from mintery.units import AssetUnits, format_assets

_insert_dispute = Statement(insert_of(disputes).on_conflict_do_nothing())
_dispute = Statement(
    select(disputes.c.order_id, disputes.c.payment, disputes.c.assets, disputes.c.outcome)
    .where(disputes.c.id == bindparam("id"))
    .with_for_update()
)
_end_dispute = Statement(
    update(disputes)
    .where(disputes.c.id == bindparam("its_id"), disputes.c.outcome.is_(None))
    .values(outcome=bindparam("its_outcome"), ended_at=bindparam("at"))
)
_sums = Statement(
    select(disputes.c.outcome, func.sum(disputes.c.assets))
    .where(disputes.c.order_id == bindparam("order"), disputes.c.payment == bindparam("its_payment"))
    .group_by(disputes.c.outcome)
)
_insert_outside = Statement(insert_of(outside_refunds).on_conflict_do_nothing())
_outside = Statement(
    select(outside_refunds.c.order_id, outside_refunds.c.payment, outside_refunds.c.assets).where(
        outside_refunds.c.id == bindparam("id")
    )
)
_its_payment = Statement(
    select(payments.c.order_id).where(payments.c.rail == bindparam("its_rail"), payments.c.id == bindparam("id"))
)
_due = Statement(
    select(refunds.c.id, refunds.c.assets).where(
        refunds.c.rail == bindparam("its_rail"),
        refunds.c.payment == bindparam("its_payment"),
        refunds.c.kind != bindparam("unused"),
        refunds.c.done_at.is_(None),
    )
)
_due_unused = Statement(
    select(refunds.c.id)
    .where(
        refunds.c.order_id == bindparam("order"),
        refunds.c.payment == bindparam("its_payment"),
        refunds.c.kind == bindparam("unused"),
        refunds.c.assets == bindparam("given"),
        refunds.c.done_at.is_(None),
    )
    .order_by(refunds.c.due_at, refunds.c.id)
    .limit(1)
)
_done_with = Statement(
    select(func.coalesce(func.sum(refunds.c.assets), 0)).where(
        refunds.c.order_id == bindparam("order"),
        refunds.c.payment == bindparam("its_payment"),
        refunds.c.reference == bindparam("its_reference"),
    )
)
_by_hand = Statement(
    select(func.sum(outside_refunds.c.assets)).where(outside_refunds.c.payment == bindparam("its_payment"))
)


def take_dispute(work: Work, command: TakeDispute) -> OrderTold | NotWritten:
    order, told = lock_order(work, command.order), command.dispute
    if order is None or not _is_of(work, order, told.payment):
        return NotWritten(f"dispute {told.id} is of no payment of order {command.order}")
    row = _dispute_row(order, told, command.at)
    if work.run(_insert_dispute, **row):
        state(work, DISPUTES, told.id)
        return _told(work, order, "disputed" if told.outcome is None else f"dispute {told.outcome}", command)
    known = work.row(_dispute, id=told.id)
    if known is None or tuple(known[:2]) != (order.id, told.payment):
        return NotWritten(f"dispute {told.id} was told otherwise before")
    if known[3] == row["outcome"]:
        return OrderTold(order, news=False) if known[2] == told.assets else _of_another_amount(told, known[2])
    if known[3] is not None or told.outcome is None:
        return NotWritten(
            f"dispute {told.id} had ended as {known[3]}, and the rail tells now that it is {told.outcome or 'open'}"
        )
    work.run(_end_dispute, its_id=told.id, its_outcome=told.outcome.value, at=micros(command.at))
    state(work, DISPUTES, told.id)
    return _told(work, order, f"dispute {told.outcome.value}", command, counted=known[2])


def _of_another_amount(told: Dispute, counted: int) -> NotWritten:
    was, is_ = format_assets(AssetUnits(counted)), format_assets(told.assets)
    return NotWritten(
        f"dispute {told.id} was of {was} dollars, with which it is counted, and the rail tells now of {is_}"
    )


def _told(work: Work, order: Order, kind: str, command: TakeDispute, counted: int | None = None) -> OrderTold:
    """``counted``: the amount that it was first told of, if that was before."""
    told = command.dispute
    sums = {} if order.payment is None else dict(work.rows(_sums, order=order.id, its_payment=order.payment.id))
    after = replace(order, disputed=AssetUnits(int(sums.get(None, 0))), lost=AssetUnits(int(sums.get("lost", 0))))
    facts = {"dispute": told.id, "payment": told.payment, "assets": str(told.assets), "reason": told.reason}
    if counted not in {None, told.assets}:
        facts["counted"] = str(counted)
    write_event(work, order.id, kind, command.actor, facts, at=command.at)
    if after.lost:
        after = _without_credits(work, after, f"the dispute {told.id} was lost", command.at)
    return _claimed(work, order, after)


def take_outside_refund(work: Work, command: TakeOutsideRefund) -> OrderTold | NotWritten:
    """What was due anyway is done once it was given back by hand, and what a person said that it did is done by it; all else is
    counted beside the refunds made from here.
    """
    order, told = lock_order(work, command.order), command.refund
    if order is None or not _is_of(work, order, told.payment):
        return NotWritten(f"refund {told.id} is of no payment of order {command.order}")
    if not work.run(_insert_outside, **_outside_row(order, told, command.at)):
        known = work.row(_outside, id=told.id)
        same = known is not None and tuple(known) == (order.id, told.payment, told.assets)
        return OrderTold(order, news=False) if same else NotWritten(f"refund {told.id} was told otherwise before")
    state(work, OUTSIDE_REFUNDS, told.id)
    facts = {"refund": told.id, "payment": told.payment, "assets": str(told.assets)}
    write_event(work, order.id, "refunded by hand", command.actor, facts, at=command.at)
    done = work.row(_done_with, order=order.id, its_payment=told.payment, its_reference=told.id)
    new = told.assets - (0 if done is None else int(done[0]))
    if new == told.assets and (due := _done_by(work, order, told)) is not None:
        complete_refund(work, order, due, told.id, actor=command.actor, at=command.at)
        return OrderTold(lock_order(work, order.id) or order, news=True)
    if new <= 0 or order.payment is None or order.payment.id != told.payment:
        return OrderTold(order, news=True)
    back = min(order.payment.assets, order.refunded + new)
    after = replace(order, refunded=AssetUnits(back))
    return _claimed(work, order, _without_credits(work, after, "the payment was given back by hand", command.at))


def _done_by(work: Work, order: Order, told: OutsideRefund) -> str | None:
    """The refund that was due and has been given back by hand with this: of the payment when all of it is back, of unused credits
    when it is of their amount.
    """
    unused = RefundKind.UNUSED.value
    due = work.row(_due, its_rail=order.rail.value, its_payment=told.payment, unused=unused)
    by_hand = work.row(_by_hand, its_payment=told.payment)
    if due is not None and by_hand is not None and int(by_hand[0]) >= _all_of_it(order, told.payment, due[1]):
        return str(due[0])
    row = work.row(_due_unused, order=order.id, its_payment=told.payment, unused=unused, given=told.assets)
    return None if row is None else str(row[0])


def _all_of_it(order: Order, payment: str, due: int) -> int:
    """What must have been given back by hand so that nothing of the payment is due any more."""
    its = order.payment
    return its.assets - order.lost if its is not None and its.id == payment else due


def _without_credits(work: Work, order: Order, why: str, at: datetime) -> Order:
    """No credits are created any more for a payment that went back, in part or whole; the rest of it goes back as well."""
    if order.accepted_at is None or order.minting_at is not None or order.refund_due_at is not None:
        return order
    after, payment = replace(order, refund_due_at=at, refund_why=why), order.payment
    if payment is not None and (rest := domain.returnable(after)):
        name = f"rfd_{RefundKind.WHOLE.value}_{order.id.removeprefix('ord_')}"
        owe(
            work,
            Refund(
                id=name,
                order=order.id,
                rail=order.rail,
                payment=payment.id,
                kind=RefundKind.WHOLE,
                why=why,
                assets=rest,
                due_at=at,
            ),
        )
    return after


def _claimed(work: Work, before: Order, after: Order) -> OrderTold:
    if after.refund_due_at != before.refund_due_at:
        write_order(work, replace(before, refund_due_at=after.refund_due_at, refund_why=after.refund_why))
    if after != before:
        write_order(work, after)
    claim_order(work, after.id)
    return OrderTold(after, news=True)


def _is_of(work: Work, order: Order, payment: str) -> bool:
    row = work.row(_its_payment, its_rail=order.rail.value, id=payment)
    return row is not None and row[0] == order.id


def _dispute_row(order: Order, told: Dispute, seen: datetime) -> dict[str, Any]:
    return {
        "id": told.id,
        "order_id": order.id,
        "rail": order.rail.value,
        "payment": told.payment,
        "assets": told.assets,
        "reason": told.reason,
        "opened_at": micros(told.opened_at),
        "seen_at": micros(seen),
        "outcome": None if told.outcome is None else told.outcome.value,
        "ended_at": None if told.outcome is None else micros(seen),
    }


def _outside_row(order: Order, told: OutsideRefund, seen: datetime) -> dict[str, Any]:
    return {
        "id": told.id,
        "order_id": order.id,
        "rail": order.rail.value,
        "payment": told.payment,
        "assets": told.assets,
        "at": micros(told.at),
        "seen_at": micros(seen),
    }


def refreeze(work: Work, _command: RefreezeLots) -> Done:
    return Done(refreeze_lots(work))


DISPUTE_WRITERS: Mapping[type, Callable[[Work, Any], Done | OrderTold | NotWritten]] = {
    TakeDispute: take_dispute,
    TakeOutsideRefund: take_outside_refund,
    RefreezeLots: refreeze,
}
