"""What the chain, or its refusal, makes of credits that are set aside for a refund."""

from sqlalchemy import bindparam, func, null, select, update

from mintery.domain.chain_call import CallKind
from mintery.ledger.schema import accounts, transfers
from mintery.ledger.schema_calls import call_attempts, chain_calls
from mintery.ledger.schema_refunds import lot_refunds, lot_releases, lot_set_asides
from mintery.ledger.stating import LOT_REFUNDS, state
from mintery.ledger.work import Statement, Work, insert_of

_SET_ASIDE = lot_refunds.c.released.is_(None) & lot_refunds.c.failed_at.is_(None)
set_aside = Statement(
    update(accounts)
    .where(accounts.c.id == bindparam("account"))
    .values(refunding=accounts.c.refunding + bindparam("change"))
)
_of_its_amount = select(lot_refunds.c.id).where(
    lot_refunds.c.account == bindparam("its_account"), lot_refunds.c.amount == bindparam("paid"), _SET_ASIDE
)
_sent_for = Statement(
    _of_its_amount.join(
        chain_calls, (chain_calls.c.subject == lot_refunds.c.id) & (chain_calls.c.kind == CallKind.RELEASE.value)
    )
    .join(call_attempts, call_attempts.c.call_id == chain_calls.c.id)
    .where(call_attempts.c.tx_hash == bindparam("sent"))
)
_next_released = Statement(_of_its_amount.order_by(lot_refunds.c.asked_at, lot_refunds.c.id).limit(1))
_released = Statement(
    update(lot_refunds).where(lot_refunds.c.id == bindparam("its_id")).values(released=bindparam("place"))
)
_insert_release = Statement(insert_of(lot_releases))
_released_at = Statement(select(lot_refunds.c.id).where(lot_refunds.c.released == bindparam("place")))
_unreleased = Statement(update(lot_refunds).where(lot_refunds.c.released == bindparam("place")).values(released=null()))
_failed = Statement(
    update(lot_refunds)
    .where(lot_refunds.c.id == bindparam("its_id"), _SET_ASIDE)
    .values(failed_at=bindparam("at"), failed_why=bindparam("why"))
)
_failed_after = Statement(
    update(lot_set_asides).where(lot_set_asides.c.refund == bindparam("its_id")).values(failed_after=bindparam("last"))
)
_lock_account = Statement(select(accounts.c.id).where(accounts.c.id == bindparam("account")).with_for_update())
_last_transfer = Statement(select(func.coalesce(func.max(transfers.c.seq), 0)))
_asked = Statement(select(lot_refunds.c.account, lot_refunds.c.amount).where(lot_refunds.c.id == bindparam("id")))


def refund_released(work: Work, account: str, amount: int, place: str, *, tx_hash: str | None) -> None:
    """The chain paid ``amount`` out: for the refund that ``tx_hash`` was signed for. What nobody here signed is taken to be for
    the oldest refund of that amount, if for any.

    Each attempt is saved before it leaves, so no refund is ever given the release of another one whose call stands here.
    """
    asked = {"its_account": account, "paid": amount}
    row = None if tx_hash is None else work.row(_sent_for, **asked, sent=tx_hash)
    row = row or work.row(_next_released, **asked)
    if row is not None:
        work.run(_released, its_id=row[0], place=place)
        work.run(_insert_release, place=place, refund=row[0])
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
    row = work.row(_asked, id=refund)
    if row is None:
        return
    work.row(_lock_account, account=row[0])
    if work.run(_failed, its_id=refund, why=why, at=at):
        work.run(_failed_after, its_id=refund, last=last_transfer(work))
        state(work, LOT_REFUNDS, refund)
        work.run(set_aside, account=row[0], change=-row[1])


def last_transfer(work: Work) -> int:
    """The number of the last transfer there is. An account's own, while its row is locked, are up to it or not yet begun."""
    row = work.row(_last_transfer)
    return 0 if row is None else int(row[0])
