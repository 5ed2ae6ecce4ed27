"""What of a lot no hold gets, because its payment is disputed, was lost in a dispute, or was given back by hand.

A lot's ``claimed`` are the credits that the claimed part of its payment bought, and ``frozen`` is what of them is left in the lot
and is not set aside for a refund. An account's ``frozen`` is the sum over its lots: as what is exiting, it is taken off what
holds may have, in the hold's own transaction. Whoever writes here locks the mark of what was followed first, then the account.
"""

from collections.abc import Iterable

from sqlalchemy import Text, bindparam, case, cast, func, select, update

from mintery.ledger.schema import accounts
from mintery.ledger.schema_calls import chain_calls
from mintery.ledger.schema_disputes import outside_refunds
from mintery.ledger.schema_lots import lot_progress, lots
from mintery.ledger.schema_orders import orders, refunds
from mintery.ledger.schema_refunds import lot_refunds
from mintery.ledger.work import Statement, Work
from mintery.units import pro_rata_up

_given = (
    select(func.coalesce(func.sum(refunds.c.assets), 0))
    .where(
        refunds.c.order_id == outside_refunds.c.order_id,
        refunds.c.payment == outside_refunds.c.payment,
        refunds.c.reference == outside_refunds.c.id,
    )
    .correlate(outside_refunds)
    .scalar_subquery()
)
COUNTED = case((outside_refunds.c.assets > _given, outside_refunds.c.assets - _given), else_=0)
"""Of a refund by hand, what no refund of ours was done with: the credits of that one were taken out of the lot, the rest is claimed."""
_order = Statement(
    select(orders.c.paid_assets, orders.c.disputed, orders.c.lost, orders.c.payment).where(
        orders.c.id == bindparam("order")
    )
)
_outside = Statement(
    select(func.coalesce(func.sum(COUNTED), 0)).where(
        outside_refunds.c.order_id == bindparam("order"), outside_refunds.c.payment == bindparam("its_payment")
    )
)
_counted = Statement(
    select(COUNTED)
    .join_from(
        outside_refunds,
        refunds,
        (refunds.c.order_id == outside_refunds.c.order_id) & (refunds.c.payment == outside_refunds.c.payment),
    )
    .where(refunds.c.id == bindparam("refund"), outside_refunds.c.id == bindparam("its_reference"))
)
_place = chain_calls.c.block_hash + "/" + cast(chain_calls.c.log_index, Text)
_lots_of = Statement(
    select(lots.c.seq, lots.c.account, lots.c.amount)
    .join_from(chain_calls, lots, lots.c.reference == _place)
    .where(chain_calls.c.subject == bindparam("order"))
    .order_by(lots.c.seq)
)
_brought_by = Statement(
    select(chain_calls.c.subject).where(
        chain_calls.c.block_hash == bindparam("block"), chain_calls.c.log_index == bindparam("index")
    )
)
_lock_progress = Statement(select(lot_progress.c.position).where(lot_progress.c.one == 1).with_for_update())
_lock_account = Statement(select(accounts.c.frozen).where(accounts.c.id == bindparam("account")).with_for_update())
_lot = Statement(
    select(lots.c.account, lots.c.remaining, lots.c.claimed, lots.c.frozen).where(lots.c.seq == bindparam("lot"))
)
_account_of = Statement(select(lots.c.account).where(lots.c.seq == bindparam("lot")))
_set_aside = Statement(
    select(func.coalesce(func.sum(lot_refunds.c.amount), 0)).where(
        lot_refunds.c.lot == bindparam("lot"), lot_refunds.c.released.is_(None), lot_refunds.c.failed_at.is_(None)
    )
)
_lot_of = Statement(select(lot_refunds.c.lot).where(lot_refunds.c.id == bindparam("refund")))
_unsettled = Statement(
    select(lots.c.seq).where(lots.c.claimed > 0, lots.c.frozen < lots.c.claimed, lots.c.remaining > lots.c.frozen)
)
_claim = Statement(update(lots).where(lots.c.seq == bindparam("lot")).values(claimed=bindparam("credits")))
_freeze = Statement(update(lots).where(lots.c.seq == bindparam("lot")).values(frozen=bindparam("amount")))
_freeze_account = Statement(
    update(accounts).where(accounts.c.id == bindparam("account")).values(frozen=accounts.c.frozen + bindparam("change"))
)


def claim_order(work: Work, order: str) -> None:
    """After what is claimed of its payment has changed, or its credits have come."""
    paid, claimed = _claimed(work, order)
    if not paid:
        return
    work.row(_lock_progress)
    for lot, account, amount in work.rows(_lots_of, order=order):
        work.row(_lock_account, account=account)
        work.run(_claim, lot=lot, credits=pro_rata_up(amount, claimed, paid))
        refreeze(work, lot)


def _claimed(work: Work, order: str) -> tuple[int, int]:
    """Of the payment that its credits were created for: all of it, and what is claimed back of that."""
    row = work.row(_order, order=order)
    if row is None or not row[0]:
        return 0, 0
    paid, disputed, lost, payment = row
    outside = work.row(_outside, order=order, its_payment=payment)
    return paid, min(paid, disputed + lost + (0 if outside is None else int(outside[0])))


def counted_by_hand(work: Work, refund: str, reference: str) -> int:
    """What counts already as given back by hand, in the payment of ``refund``, under the rail's name that it is done with."""
    row = work.row(_counted, refund=refund, its_reference=reference)
    return 0 if row is None else int(row[0])


def claimed_order_at(work: Work, reference: str) -> str | None:
    """The order that brought the deposit at that place of the chain, if anything is claimed of it."""
    block, _, index = reference.partition("/")
    row = work.row(_brought_by, block=block, index=int(index)) if index.isdecimal() else None
    return row[0] if row is not None and _claimed(work, row[0])[1] else None


def is_claimed(work: Work, order: str) -> bool:
    return _claimed(work, order)[1] > 0


def lock_accounts(work: Work, names: Iterable[str]) -> None:
    """Before lots of theirs are written that something is claimed of."""
    for account in sorted(names):
        work.row(_lock_account, account=account)


def refreeze(work: Work, lot: int) -> None:
    """After what is left of the lot, is set aside of it, or is claimed of it has changed; the mark is locked."""
    owner = work.row(_account_of, lot=lot)
    if owner is None:
        raise LookupError(lot)
    work.row(_lock_account, account=owner[0])
    row, aside = work.row(_lot, lot=lot), work.row(_set_aside, lot=lot)
    if row is None or aside is None:
        raise LookupError(lot)
    account, remaining, claimed, frozen = row
    wanted = min(claimed, max(0, remaining - int(aside[0])))
    if wanted == frozen:
        return
    work.run(_freeze, lot=lot, amount=wanted)
    work.run(_freeze_account, account=account, change=wanted - frozen)
    work.memory.forget()


def lock_mark(work: Work) -> None:
    """Nobody else follows transfers, claims or frees until this transaction ends."""
    work.row(_lock_progress)


def refreeze_lot_of(work: Work, refund: str) -> None:
    """After the refund has failed; the mark was locked before."""
    row = work.row(_lot_of, refund=refund)
    if row is not None:
        refreeze(work, row[0])


def refreeze_lots(work: Work) -> int:
    """Those of which less is frozen than could be, as a refund of them has failed since; how many there were."""
    work.row(_lock_progress)
    found = [(work.row(_account_of, lot=lot), lot) for (lot,) in work.rows(_unsettled)]
    lock_accounts(work, {account[0] for account, _ in found if account is not None})
    for _, lot in found:
        refreeze(work, lot)
    return len(found)
