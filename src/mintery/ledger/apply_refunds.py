"""Refunds of what is left of a lot: what is set aside for one is no hold's, until the chain has paid it out."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import bindparam, func, select, update

from mintery.domain.order import RefundKind, returnable
from mintery.ledger.apply_calls import plan_calls
from mintery.ledger.apply_lots import book_as_it_stands, lock_progress
from mintery.ledger.apply_orders import lock_order, owe, write_event
from mintery.ledger.commands import Done, NotWritten
from mintery.ledger.commands_calls import PlanCalls
from mintery.ledger.commands_refunds import AskRefund, OweUnused
from mintery.ledger.refund_marks import last_transfer, set_aside
from mintery.ledger.schema import accounts
from mintery.ledger.schema_lots import lots
from mintery.ledger.schema_orders import refunds
from mintery.ledger.schema_refunds import lot_refunds, lot_set_asides
from mintery.ledger.stating import LOT_REFUNDS, state
from mintery.ledger.work import Statement, Work, insert_of, micros

_account_of = Statement(select(lots.c.account).where(lots.c.seq == bindparam("lot")))
_lock_account = Statement(
    select(accounts.c.available, accounts.c.exiting, accounts.c.refunding + accounts.c.frozen, accounts.c.closing)
    .where(accounts.c.id == bindparam("account"))
    .with_for_update()
)
_asked = Statement(
    select(lot_refunds.c.lot, lot_refunds.c.amount, lot_refunds.c.account).where(lot_refunds.c.id == bindparam("id"))
)
_insert = Statement(insert_of(lot_refunds))
_insert_set_aside = Statement(insert_of(lot_set_asides))
_owed_already = Statement(
    select(func.coalesce(func.sum(refunds.c.assets), 0)).where(
        refunds.c.order_id == bindparam("order"),
        refunds.c.id != bindparam("its_id"),
        refunds.c.kind != bindparam("surplus"),
        refunds.c.done_at.is_(None),
    )
)
_known = Statement(select(refunds.c.id).where(refunds.c.id == bindparam("id")))
_owed = Statement(
    update(lot_refunds)
    .where(lot_refunds.c.id == bindparam("its_id"), lot_refunds.c.refund.is_(None), lot_refunds.c.way == "rail")
    .values(refund=bindparam("its_refund"))
)


def ask_refund(work: Work, command: AskRefund) -> Done | NotWritten:
    known = work.row(_asked, id=command.id)
    if known is not None:
        same = (known[0], known[1]) == (command.lot, command.amount)
        return Done(0) if same else NotWritten(f"refund {command.id} was asked for otherwise")
    # In the order in which following locks them. From here on neither the lot nor what is free changes.
    mark = lock_progress(work)
    lot = work.row(_account_of, lot=command.lot)
    account = None if lot is None else work.row(_lock_account, account=lot[0])
    if lot is None or account is None:
        return NotWritten(f"there is no lot {command.lot}")
    available, exiting, aside, closing = account
    last = last_transfer(work)
    left = book_as_it_stands(work, lot[0], mark=mark).left_of(command.lot, at=last + 1)
    free = 0 if closing else available - exiting - aside
    if command.amount > min(left, free):
        return NotWritten(f"{max(0, min(left, free))} nanocredits of lot {command.lot} can be refunded now")
    with work.undoable() as undo:
        work.run(
            _insert,
            id=command.id,
            lot=command.lot,
            account=lot[0],
            amount=command.amount,
            way=command.way,
            asked_at=micros(command.at),
            released=None,
            failed_at=None,
            failed_why=None,
            refund=None,
        )
        work.run(_insert_set_aside, refund=command.id, account=lot[0], asked_after=last, failed_after=None, followed=0)
        state(work, LOT_REFUNDS, command.id)
        planned = plan_calls(work, PlanCalls(command.calls))
        if isinstance(planned, NotWritten):
            undo.undo()
            return planned
    work.run(set_aside, account=lot[0], change=command.amount)
    return Done(1)


def owe_unused(work: Work, command: OweUnused) -> Done | NotWritten:
    refund = command.refund
    if work.row(_asked, id=command.id) is None:
        return Done(0)
    order = lock_order(work, refund.order)
    due = work.row(_owed_already, order=refund.order, its_id=refund.id, surplus=RefundKind.SURPLUS.value)
    known = work.row(_known, id=refund.id)
    room = 0 if order is None or due is None else returnable(order) - int(due[0])
    if known is None and refund.assets > room:
        return NotWritten(f"{max(0, room)} of what was paid for order {refund.order} can go back now")
    owe(work, refund)
    changed = work.run(_owed, its_id=command.id, its_refund=refund.id)
    if changed:
        state(work, LOT_REFUNDS, command.id)
        facts = {"refund": refund.id, "assets": str(refund.assets)}
        write_event(work, refund.order, "unused", "gateway", facts, at=refund.due_at)
    return Done(changed)


REFUND_WRITERS: Mapping[type, Callable[[Work, Any], Done | NotWritten]] = {
    AskRefund: ask_refund,
    OweUnused: owe_unused,
}
