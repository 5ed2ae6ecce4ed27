"""Long jobs: intent before a provider is asked, its id as soon as it is known, and what came of it.

Each is a conditional update: whoever comes second, or after the request's end, changes nothing and is told so. The
request's account is locked first, as whoever ends a request does it.
"""

from typing import Any

from sqlalchemy import bindparam, case, null, select, update

from mintery.domain.hold import RequestId
from mintery.domain.long_job import JobFailure, job_quote_text, tried_text
from mintery.ledger.commands import (
    AcceptLongJob,
    CloseLongJob,
    Done,
    NoteLongJob,
    NotWritten,
    OpenLongJob,
    RerouteLongJob,
)
from mintery.ledger.schema import accounts, long_jobs, requests
from mintery.ledger.texts import json_text, kept_json, without_nul
from mintery.ledger.work import Statement, Work, insert_of, micros

_request = Statement(
    select(accounts.c.id, requests.c.ended_at)
    .join_from(requests, accounts, accounts.c.id == requests.c.account)
    .where(requests.c.id == bindparam("request"))
    .with_for_update(of=accounts)
)
_its = long_jobs.c.request == bindparam("its_request")
_insert = Statement(insert_of(long_jobs).on_conflict_do_nothing(index_elements=[long_jobs.c.request]))
_known = Statement(select(long_jobs.c.upstream).where(_its))
_reroute = Statement(
    update(long_jobs)
    .where(_its, long_jobs.c.upstream.is_(None))
    .values({name: bindparam(f"new_{name}") for name in ("quote", "tried", "begun_at", "sent")})
)
_accept = Statement(
    update(long_jobs)
    .where(_its, long_jobs.c.upstream.is_(None))
    .values(upstream=bindparam("its_id"), accepted_at=bindparam("at"), sent=null())
)
_progress, _started = (
    bindparam("said", type_=long_jobs.c.progress.type),
    bindparam("began", type_=long_jobs.c.begun_at.type),
)
_note = Statement(
    update(long_jobs)
    .where(
        _its,
        long_jobs.c.upstream.is_not(None),
        (long_jobs.c.progress < _progress) | (long_jobs.c.started_at.is_(None) & _started.is_not(None)),
    )
    .values(
        progress=case((long_jobs.c.progress < _progress, _progress), else_=long_jobs.c.progress),
        started_at=case((long_jobs.c.started_at.is_(None), _started), else_=long_jobs.c.started_at),
    )
)
_close = Statement(
    update(long_jobs)
    .where(_its, long_jobs.c.closed_at.is_(None))
    .values({name: bindparam(f"its_{name}") for name in ("closed_at", "expires_at", "output", "failure", "sent")})
)
_MOST_FAILURE = 2_000


def open_long_job(work: Work, command: OpenLongJob) -> Done | NotWritten:
    job = command.job
    found = _open_request(work, job.request)
    if isinstance(found, NotWritten):
        return found
    values: dict[str, Any] = dict.fromkeys(column.name for column in long_jobs.columns)
    values |= {
        "request": job.request,
        "account": found,
        "form": job.form.value,
        "quote": job_quote_text(job.quote),
        "shown": json_text(dict(job.shown)).decode(),
        "tried": tried_text(()),
        "begun_at": micros(job.begun_at),
        "follow_until": micros(job.follow_until),
        "sent": job.sent,
        "progress": 0,
    }
    return Done(work.run(_insert, **values))


def reroute_long_job(work: Work, command: RerouteLongJob) -> Done | NotWritten:
    found = _open_request(work, command.request)
    if isinstance(found, NotWritten):
        return found
    changed = work.run(
        _reroute,
        its_request=command.request,
        new_quote=job_quote_text(command.quote),
        new_tried=tried_text(command.tried),
        new_begun_at=micros(command.begun_at),
        new_sent=command.sent,
    )
    return Done(changed) if changed else NotWritten(f"job {command.request} is not there, or a provider has it")


def accept_long_job(work: Work, command: AcceptLongJob) -> Done | NotWritten:
    """The same id again changes nothing."""
    found = _open_request(work, command.request)
    if isinstance(found, NotWritten):
        return found
    upstream = without_nul(command.upstream)
    if work.run(_accept, its_request=command.request, its_id=upstream, at=micros(command.at)):
        return Done(1)
    known = work.row(_known, its_request=command.request)
    if known is not None and known[0] == upstream:
        return Done(0)
    return NotWritten(f"job {command.request} is not there, or is known under another id")


def note_long_job(work: Work, command: NoteLongJob) -> Done | NotWritten:
    found = _open_request(work, command.request)
    if isinstance(found, NotWritten):
        return found
    began = None if command.started_at is None else micros(command.started_at)
    return Done(work.run(_note, its_request=command.request, said=command.progress, began=began))


def close_long_job(work: Work, command: CloseLongJob) -> Done | NotWritten:
    row = work.row(_request, request=command.request)
    if row is None or row[1] is None:
        return NotWritten(f"request {command.request} has not ended")
    return Done(
        work.run(
            _close,
            its_request=command.request,
            its_closed_at=row[1],
            its_expires_at=None if command.expires_at is None else micros(command.expires_at),
            its_output=None if command.output is None else kept_json(command.output),
            its_failure=None if command.failure is None else _failure_text(command.failure),
            its_sent=None,
        )
    )


def _open_request(work: Work, request: RequestId) -> str | NotWritten:
    """Its account, which is locked from here on."""
    row = work.row(_request, request=request)
    if row is None:
        return NotWritten(f"there is no request {request}")
    if row[1] is not None:
        return NotWritten(f"request {request} has ended")
    return str(row[0])


def _failure_text(failure: JobFailure) -> str:
    return json_text([failure.code[:_MOST_FAILURE], failure.message[:_MOST_FAILURE]]).decode()
