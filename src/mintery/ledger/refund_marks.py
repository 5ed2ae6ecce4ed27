"""What the chain, or its refusal, makes of credits that are set aside for a refund."""

from sqlalchemy import bindparam, null, select, update

from mintery.ledger.schema import accounts
from mintery.ledger.schema_refunds import lot_refunds
from mintery.ledger.stating import LOT_REFUNDS, state
from mintery.ledger.work import Statement, Work

_SET_ASIDE = lot_refunds.c.released.is_(None) & lot_refunds.c.failed_at.is_(None)
set_aside = Statement(
    update(accounts)
    .where(accounts.c.id == bindparam("account"))
    .values(refunding=accounts.c.refunding + bindparam("change"))
)
_next_released = Statement(
    select(lot_refunds.c.id)
    .where(lot_refunds.c.account == bindparam("its_account"), lot_refunds.c.amount == bindparam("paid"), _SET_ASIDE)
    .order_by(lot_refunds.c.asked_at, lot_refunds.c.id)
    .limit(1)
)
_released = Statement(
    update(lot_refunds).where(lot_refunds.c.id == bindparam("its_id")).values(released=bindparam("place"))
)
_released_at = Statement(select(lot_refunds.c.id).where(lot_refunds.c.released == bindparam("place")))
_unreleased = Statement(update(lot_refunds).where(lot_refunds.c.released == bindparam("place")).values(released=null()))
_failed = Statement(
    update(lot_refunds)
    .where(lot_refunds.c.id == bindparam("its_id"), _SET_ASIDE)
    .values(failed_at=bindparam("at"), failed_why=bindparam("why"))
)
_asked = Statement(select(lot_refunds.c.account, lot_refunds.c.amount).where(lot_refunds.c.id == bindparam("id")))


def refund_released(work: Work, account: str, amount: int, place: str) -> None:
    """The chain paid ``amount`` out: it was set aside for the oldest refund of that amount, if for any."""
    row = work.row(_next_released, its_account=account, paid=amount)
    if row is not None:
        work.run(_released, its_id=row[0], place=place)
        state(work, LOT_REFUNDS, row[0])
        work.run(set_aside, account=account, change=-amount)


def refund_unreleased(work: Work, account: str, amount: int, place: str) -> None:
    """The chain left the block that had paid it out: it is set aside again."""
    row = work.row(_released_at, place=place)
    if row is not None and work.run(_unreleased, place=place):
        state(work, LOT_REFUNDS, row[0])
        work.run(set_aside, account=account, change=amount)


def refund_failed(work: Work, refund: str, why: str, at: int) -> None:
    """The release can never take effect: what was set aside is free again."""
    if work.run(_failed, its_id=refund, why=why, at=at):
        state(work, LOT_REFUNDS, refund)
        row = work.row(_asked, id=refund)
        if row is not None:
            work.run(set_aside, account=row[0], change=-row[1])
