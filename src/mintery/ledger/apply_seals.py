"""Sealing rows after they were committed, in the order in which they became visible, a bounded number at a time.

Rows of several writers do not become visible in the order of their sequence numbers. A number that is passed over while
its row is not there yet is remembered as a gap, and a row that appears in one later is sealed then. So each row is
looked at once, however old the ledger is. A gap whose row never comes (its transaction was rolled back) is forgotten after
a day: no transaction lives that long. What would appear still later, ``verify`` finds as a row without a seal.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from mintery.ledger.bulk import Bulk
from mintery.ledger.commands import Done, SealRows
from mintery.ledger.schema import seal_gaps, seal_marks, seals
from mintery.ledger.sealing import SEALED, Source, first_hash, seal_hash
from mintery.ledger.work import Statement, Work, insert_of, micros

GAP_LIFE = timedelta(days=1)

# Whoever holds the marks is the one that seals; another process goes on without waiting.
_gaps = select(func.count()).where(seal_gaps.c.source == seal_marks.c.source).scalar_subquery()
_marks = Statement(
    select(seal_marks.c.source, seal_marks.c.through, _gaps)
    .order_by(seal_marks.c.source)
    .with_for_update(skip_locked=True, of=seal_marks)
)
_head = Statement(select(seals.c.position, seals.c.hash).order_by(seals.c.position.desc()).limit(1))
_set_mark = Statement(
    update(seal_marks).where(seal_marks.c.source == bindparam("of")).values(through=bindparam("last"))
)
_NEW_SEALS = Bulk("insert", seals, ("position", "source", "version", "row_seq", "hash"))
_insert_gap = Statement(insert_of(seal_gaps))
_gap_of = Statement(
    select(seal_gaps.c.first, seal_gaps.c.last, seal_gaps.c.since).where(
        seal_gaps.c.source == bindparam("source"),
        seal_gaps.c.first <= bindparam("seq"),
        seal_gaps.c.last >= bindparam("seq"),
    )
)
_drop_gap = Statement(
    delete(seal_gaps).where(seal_gaps.c.source == bindparam("of"), seal_gaps.c.first == bindparam("begins"))
)
_drop_gaps = Statement(delete(seal_gaps).where(seal_gaps.c.since < bindparam("before")))


def _fresh_of(source: Source) -> Statement:
    rows = SEALED[source]
    seq = rows.table.c.seq
    columns = [rows.table.c[name] for name in rows.columns]
    return Statement(select(*columns).where(seq > bindparam("mark")).order_by(seq).limit(bindparam("most")))


def _late_of(source: Source) -> Statement:
    rows = SEALED[source]
    seq = rows.table.c.seq
    columns = [rows.table.c[name] for name in rows.columns]
    return Statement(
        select(*columns)
        .join_from(seal_gaps, rows.table, seq.between(seal_gaps.c.first, seal_gaps.c.last))
        .where(seal_gaps.c.source == int(source))
        .order_by(seq)
        .limit(bindparam("most"))
    )


_fresh: Mapping[Source, Statement] = {source: _fresh_of(source) for source in Source}
_late: Mapping[Source, Statement] = {source: _late_of(source) for source in Source}


def seal_rows(work: Work, command: SealRows) -> Done:
    marks = work.rows(_marks)
    if not marks:
        return Done(0)
    found = [
        (Source(source), row)
        for source, mark, gaps in marks
        for row in _unsealed(work, Source(source), mark, command, gaps=gaps)
    ]
    if any(gaps for _, _, gaps in marks):
        work.run(_drop_gaps, before=micros(command.at - GAP_LIFE))
    if not found:
        return Done(0)
    head = work.row(_head)
    position, sealed = (0, first_hash(work.domain)) if head is None else (head[0], bytes(head[1]))
    written = []
    for source, row in found:
        position += 1
        version = SEALED[source].version
        sealed = seal_hash(sealed, source, row, version)
        written.append((position, int(source), version, row[0], sealed))
    work.write_later([(_NEW_SEALS, written)])
    return Done(len(written))


def _unsealed(work: Work, source: Source, mark: int, command: SealRows, *, gaps: int) -> Sequence[Any]:
    """Rows that came late, then those that follow the mark; afterwards the mark stands behind them."""
    late = work.rows(_late[source], most=command.limit) if gaps else ()
    for row in late:
        _close_gap(work, source, row[0])
    fresh = work.rows(_fresh[source], mark=mark, most=command.limit - len(late))
    expected = mark + 1
    for row in fresh:
        if row[0] != expected:
            _open_gap(work, source, expected, row[0] - 1, since=micros(command.at))
        expected = row[0] + 1
    if fresh:
        work.run(_set_mark, of=int(source), last=fresh[-1][0])
    return [*late, *fresh]


def _open_gap(work: Work, source: Source, first: int, last: int, *, since: int) -> None:
    work.run(_insert_gap, source=int(source), first=first, last=last, since=since)


def _close_gap(work: Work, source: Source, seq: int) -> None:
    """The row is there; what is left of the gap on both sides of it stays open."""
    gap = work.row(_gap_of, source=int(source), seq=seq)
    if gap is None:
        raise LookupError(seq)
    first, last, since = gap
    work.run(_drop_gap, of=int(source), begins=first)
    if first < seq:
        _open_gap(work, source, first, seq - 1, since=since)
    if seq < last:
        _open_gap(work, source, seq + 1, last, since=since)
