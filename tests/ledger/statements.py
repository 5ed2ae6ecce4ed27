"""A statement that was held to its own lines in every way before a test looks at it."""

from collections import Counter
from datetime import UTC, datetime

from mintery.domain.statement import AccountStatement, LineKind, StatementLine, Sums
from mintery.domain.voucher import AccountId
from mintery.ledger.store import LedgerStore

EVER = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = datetime(9000, 1, 1, tzinfo=UTC)


def statement(
    ledger: LedgerStore, account: AccountId, start: datetime = EVER, end: datetime = NEVER
) -> tuple[AccountStatement, list[StatementLine]]:
    """Of one account, with its lines. Sums by line, by group and by quarter of an hour are one and the same."""
    with ledger.reading() as reading:
        (made,) = reading.statements([account], start, end)
        lines = list(reading.lines([account], start, end))
        uses = list(reading.uses([account], start, end))
        quarters = list(reading.quarter_hours([account], start, end))
        backwards = list(reading.lines([account], start, end, newest_first=True))

    assert backwards == lines[::-1]
    assert [line.mark for line in lines] == sorted(line.mark for line in lines)
    assert all(start <= line.at < end for line in lines)
    added = Sums()
    for line in lines:
        added.add(line.kind, line.change, line.kind is LineKind.USE)
    assert added == made.sums
    assert made.opening + sum(line.change for line in lines) == made.closing
    grouped, timed = Counter(), Counter()
    for use in uses:
        grouped.update(cost=use.cost, requests=use.requests)
    for _, at, cost, requests in quarters:
        timed.update(cost=cost, requests=requests)
        assert at.minute % 15 == at.second == at.microsecond == 0
    assert (grouped["cost"], grouped["requests"]) == (made.sums.use, made.sums.requests)
    assert (timed["cost"], timed["requests"]) == (made.sums.use, made.sums.requests)
    return made, lines
