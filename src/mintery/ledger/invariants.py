"""What must hold of the tables themselves, whatever happened. Sums are made in Python, which has no largest integer."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, and_, func, select

from mintery.errors import LedgerInconsistent
from mintery.ledger.books import BUCKETS, Book, entry
from mintery.ledger.limits import parse_limits
from mintery.ledger.queries import totals
from mintery.ledger.queries_disputes import check_frozen
from mintery.ledger.queries_lots import check_lots
from mintery.ledger.rows import exact_sum, whole
from mintery.ledger.schema import (
    accounts,
    batch_receipts,
    batches,
    counters,
    receipts,
    requests,
    transfers,
)
from mintery.ledger.schema_refunds import lot_refunds
from mintery.ledger.stating import check_stated
from mintery.ledger.written_off import is_written_off

_AT_ONCE = 5_000


def check(connection: Connection) -> None:
    """Raises LedgerInconsistent with every difference found."""
    found = [
        *_stored_balances(connection),
        *_held(connection),
        *_charged(connection),
        *_conservation(connection),
        *_counters(connection),
        *_batched(connection),
        *check_lots(connection),
        *_set_aside(connection),
        *check_stated(connection),
        *check_frozen(connection),
    ]
    if found:
        raise LedgerInconsistent("; ".join(found))


def _differences(what: str, stored: Counter[str], summed: Counter[str]) -> Iterator[str]:
    for key in sorted(stored.keys() | summed.keys()):
        if stored[key] != summed[key]:
            yield f"{what} {key}: {stored[key]} stored, {summed[key]} summed"


def _sums(rows: Iterable[Any]) -> Counter[str]:
    """From rows of a key and the two halves of its sum."""
    return Counter({key: whole(high, low) for key, high, low in rows})


def _stored_balances(connection: Connection) -> Iterator[str]:
    """Stored balances equal the sums of their transfers."""
    summed: Counter[str] = Counter()
    for side, sign in ((transfers.c.credit, 1), (transfers.c.debit, -1)):
        for name, *halves in connection.execute(select(side, *exact_sum(transfers.c.amount)).group_by(side)):
            if Book(name.partition(":")[0]) in BUCKETS:
                summed[name] += sign * whole(*halves)
    rests = select(transfers.c.debit, *exact_sum(transfers.c.rest)).where(transfers.c.rest.is_not(None))
    for name, *halves in connection.execute(rests.group_by(transfers.c.debit)):
        rest = whole(*halves)
        summed[name] -= rest
        summed[entry(Book.AVAILABLE, name.partition(":")[2], "")] += rest
    stored: Counter[str] = Counter()
    for row in connection.execute(select(accounts)):
        for bucket in BUCKETS:
            stored[entry(bucket, row.id, "")] = getattr(row, bucket.value)
    yield from _differences("balance", stored, summed)


def _held(connection: Connection) -> Iterator[str]:
    """What is held backs the open holds, no more and no less."""
    stored = Counter({row.id: row.held for row in connection.execute(select(accounts.c.id, accounts.c.held))})
    backed = connection.execute(select(requests.c.account, *exact_sum(requests.c.backed)).group_by(requests.c.account))
    yield from _differences("held of account", stored, _sums(backed))


def _charged(connection: Connection) -> Iterator[str]:
    """What is captured or uncovered is what unsettled receipts of the epoch cost, less what was written off; every capture
    has its receipt.
    """
    rows = connection.execute(select(accounts.c.id, accounts.c.captured, accounts.c.uncovered))
    stored = Counter({row.id: row.captured + row.uncovered for row in rows})
    unsettled = connection.execute(
        select(receipts.c.account, *exact_sum(receipts.c.cost))
        .join_from(receipts, requests, requests.c.id == receipts.c.request)
        .join(accounts, and_(accounts.c.id == receipts.c.account, accounts.c.epoch == receipts.c.epoch))
        .join(batches, batches.c.seq == requests.c.batch, isouter=True)
        .where(batches.c.settled_block.is_(None), ~is_written_off(receipts.c.request))
        .group_by(receipts.c.account)
    )
    yield from _differences("unsettled charges of account", stored, _sums(unsettled))

    mismatched = connection.execute(
        select(requests.c.id)
        .join_from(requests, receipts, receipts.c.request == requests.c.id, isouter=True)
        .where(requests.c.captured.is_not(None), func.coalesce(receipts.c.cost, -1) != requests.c.captured)
    ).scalars()
    yield from (f"request {request} has no receipt of what it captured" for request in mismatched)


def _conservation(connection: Connection) -> Iterator[str]:
    """Nothing comes from nowhere; every receipt's cost is burned, waiting, or a loss of the operator."""
    for total in totals(connection):
        inside = total.available + total.held + total.captured
        if total.deposited - total.exited - total.burned != inside:
            yield (
                f"token {total.token}: deposited {total.deposited} less exited {total.exited} and burned "
                f"{total.burned} is not the {inside} inside"
            )
        if total.receipts != total.burned + total.captured + total.losses:
            yield (
                f"token {total.token}: receipts of {total.receipts} are not burned {total.burned}, captured "
                f"{total.captured} and losses {total.losses}"
            )


def _counters(connection: Connection) -> Iterator[str]:
    stored = Counter({row.key: row.used for row in connection.execute(select(counters.c.key, counters.c.used))})
    counted: Counter[str] = Counter()
    limited = select(requests.c.limited).where(requests.c.limits > 0)
    for text in connection.execute(limited.execution_options(yield_per=_AT_ONCE)).scalars():
        for limit in parse_limits(text):
            counted[limit.key] += limit.counted
    yield from _differences("counter", stored, counted)


def _set_aside(connection: Connection) -> Iterator[str]:
    """What is set aside for refunds is what those under way ask for."""
    stored = Counter({row.id: row.refunding for row in connection.execute(select(accounts.c.id, accounts.c.refunding))})
    open_ = lot_refunds.c.released.is_(None) & lot_refunds.c.failed_at.is_(None)
    asked = select(lot_refunds.c.account, *exact_sum(lot_refunds.c.amount)).where(open_).group_by(lot_refunds.c.account)
    yield from _differences("refunding of account", stored, _sums(connection.execute(asked)))


def _batched(connection: Connection) -> Iterator[str]:
    """A receipt is in at most one standing batch, which is the one its request names."""
    standing = connection.execute(
        select(batch_receipts.c.request, batch_receipts.c.batch)
        .join_from(batch_receipts, batches, batches.c.seq == batch_receipts.c.batch)
        .where(batches.c.abandoned_at.is_(None))
    )
    named = connection.execute(select(requests.c.id, requests.c.batch).where(requests.c.batch.is_not(None)))
    listed = sorted(map(tuple, standing))
    if listed != sorted(map(tuple, named)):
        yield "the receipts of batches are not those whose requests name a batch"
