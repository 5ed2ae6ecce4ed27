"""Reads of long jobs, each with its request's hold."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, select, tuple_

from mintery.domain.hold import RequestId
from mintery.domain.keys import KeyId
from mintery.domain.long_job import JobFailure, LongJob, NewJob, parse_job_quote, parse_tried
from mintery.domain.model import Endpoint
from mintery.domain.voucher import AccountId
from mintery.errors import LongJobUnreadable
from mintery.ledger.rows import HOLD_COLUMNS, hold_of, member_of
from mintery.ledger.schema import long_jobs, requests
from mintery.ledger.work import instant_of

_log = logging.getLogger(__name__)

_jobs = select(
    *HOLD_COLUMNS,
    requests.c.epoch,
    requests.c.ended_at,
    *(column for column in long_jobs.columns if column.name not in {"request", "account"}),
).join_from(long_jobs, requests, requests.c.id == long_jobs.c.request)


_OPEN = _jobs.where(long_jobs.c.closed_at.is_(None), requests.c.ended_at.is_(None))


def long_job(connection: Connection, wanted: RequestId) -> LongJob | None:
    """Raises LongJobUnreadable."""
    row = connection.execute(_jobs.where(long_jobs.c.request == wanted)).one_or_none()
    return None if row is None else _job(row)


def some_long_jobs(
    connection: Connection, whose: tuple[AccountId, KeyId | None], form: Endpoint, limit: int, before: RequestId | None
) -> Sequence[LongJob]:
    of, key = whose
    order = (long_jobs.c.begun_at, long_jobs.c.request)
    query = _jobs.where(long_jobs.c.account == of, long_jobs.c.form == form.value)
    if key is not None:
        query = query.where(member_of(connection, requests.c.quoted, "key") == key)
    if before is not None:
        last = select(*order).where(long_jobs.c.request == before, long_jobs.c.account == of)
        query = query.where(tuple_(*order) < last.scalar_subquery())
    return _readable(connection.execute(query.order_by(*(each.desc() for each in order)).limit(limit)))


def open_long_jobs(connection: Connection) -> Sequence[LongJob]:
    """By the small index of jobs that nobody closed; one whose request was ended otherwise is not followed.

    A row that cannot be read is passed over, so that it keeps nobody else's job waiting: its hold expires like any other.
    """
    return _readable(connection.execute(_OPEN.order_by(long_jobs.c.begun_at, long_jobs.c.request)))


def unreadable_long_jobs(connection: Connection) -> Sequence[LongJobUnreadable]:
    """Of those that ``open_long_jobs`` would list."""
    found = (_job_or_why(row) for row in connection.execute(_OPEN.order_by(long_jobs.c.begun_at, long_jobs.c.request)))
    return [each for each in found if isinstance(each, LongJobUnreadable)]


def _readable(rows: Iterable[Any]) -> list[LongJob]:
    """One that cannot be read stops none of the others."""
    found = [_job_or_why(row) for row in rows]
    for each in found:
        if isinstance(each, LongJobUnreadable):
            _log.warning("long_job_unreadable request=%s why=%s", each.request, each.why)
    return [each for each in found if isinstance(each, LongJob)]


def _job_or_why(row: Any) -> LongJob | LongJobUnreadable:
    try:
        return _job(row)
    except LongJobUnreadable as unreadable:
        return unreadable


def _job(row: Any) -> LongJob:
    """Raises LongJobUnreadable: its texts come from upstream, and from earlier versions."""
    try:
        return _parsed(row)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise LongJobUnreadable(row.id, type(error).__name__) from error


def _parsed(row: Any) -> LongJob:
    def instant(name: str) -> Any:
        stored = getattr(row, name)
        return None if stored is None else instant_of(stored)

    new = NewJob(
        request=RequestId(row.id),
        form=Endpoint(row.form),
        quote=parse_job_quote(row.quote),
        begun_at=instant_of(row.begun_at),
        follow_until=instant_of(row.follow_until),
        shown=orjson.loads(row.shown),
        sent=None if row.sent is None else bytes(row.sent),
    )
    return LongJob(
        new=new,
        hold=hold_of(row),
        epoch=row.epoch,
        upstream=row.upstream,
        accepted_at=instant("accepted_at"),
        started_at=instant("started_at"),
        progress=row.progress,
        tried=parse_tried(row.tried),
        expires_at=instant("expires_at"),
        output=row.output,
        failure=None if row.failure is None else JobFailure(*orjson.loads(row.failure)),
        ended_at=instant("ended_at"),
    )
