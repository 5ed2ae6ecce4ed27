"""What comes in covers what was promised before it is available; and an account's charges when its epoch turns.

An account's *charges* are what the unsettled receipts of its epoch cost: captured + uncovered, always. So when a close, or
the undoing of one, turns the epoch, the charges of the one that ends are lost, and those of the one that begins are owed.
"""

from sqlalchemy import bindparam, select

from mintery.domain.hold import Ending
from mintery.ledger.books import Book, Move, OpenAccount, set_backed
from mintery.ledger.limits import count_again, free_limits
from mintery.ledger.rows import exact_sum, whole
from mintery.ledger.schema import batches, receipts, requests
from mintery.ledger.work import Statement
from mintery.ledger.written_off import is_written_off

_short_holds = Statement(
    select(requests.c.id, requests.c.amount, requests.c.backed)
    .where(
        requests.c.account == bindparam("account"),
        requests.c.ended_at.is_(None),
        requests.c.epoch == bindparam("current"),
        requests.c.backed < requests.c.amount,
    )
    .order_by(requests.c.placed_at, requests.c.id)
)
_unsettled = (
    select(receipts.c.request)
    .join_from(receipts, requests, requests.c.id == receipts.c.request)
    .join(batches, batches.c.seq == requests.c.batch, isouter=True)
    .where(
        receipts.c.account == bindparam("account"),
        receipts.c.epoch == bindparam("of_epoch"),
        batches.c.settled_block.is_(None),
        ~is_written_off(receipts.c.request),
    )
)
_charges = Statement(_unsettled.with_only_columns(*exact_sum(receipts.c.cost)))
_limited = Statement(_unsettled.where(requests.c.limits > 0))


def cover(opened: OpenAccount) -> None:
    """Pay what is owed, then back this epoch's open holds again, oldest first, as far as what is available goes."""
    opened.collect(min(opened[Book.AVAILABLE], opened[Book.UNCOVERED]))
    if not opened[Book.AVAILABLE]:
        return
    for request, amount, backed in opened.work.rows(_short_holds, account=opened.id, current=opened.epoch):
        given = min(opened[Book.AVAILABLE], amount - backed)
        opened.work.run(set_backed, request=request, left=backed + given)
        opened.move(Move.REBACK, given)
        if not opened[Book.AVAILABLE]:
            return


def turn_epoch(opened: OpenAccount, epoch: int, spent_settled: int) -> None:
    """Begin ``epoch``, or go back to it: what the other one's vouchers promised is void, what this one's did stands."""
    opened.unback(opened[Book.HELD])
    opened.uncapture(opened[Book.CAPTURED])
    opened.move(Move.LOSS, opened[Book.UNCOVERED])
    for (request,) in opened.work.rows(_limited, account=opened.id, of_epoch=opened.epoch):
        free_limits(opened.work, request, {Ending.SETTLEMENT: 0})

    opened.epoch, opened.spent_settled = epoch, spent_settled
    row = opened.work.row(_charges, account=opened.id, of_epoch=epoch)
    opened.move(Move.UNDO_LOSS, 0 if row is None else whole(*row))
    for (request,) in opened.work.rows(_limited, account=opened.id, of_epoch=epoch):
        count_again(opened.work, request)
    cover(opened)
