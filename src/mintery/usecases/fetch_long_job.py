"""What a completed job made, from its provider to whoever paid for it. Fetching costs nothing, and may be done again."""

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from mintery.domain.hold import RequestId
from mintery.domain.long_job import JobStatus, LongJob
from mintery.domain.model import Endpoint
from mintery.domain.voucher import AccountId
from mintery.errors import (
    JobNotDone,
    LongJobUnreadable,
    NothingToFetch,
    ProviderRefused,
    ProviderUnreachable,
    TooManyTries,
    UnknownJob,
)
from mintery.providers.long_jobs import Made
from mintery.usecases.parts import GatewayParts
from mintery.usecases.verify_credential import Credential

_ID = re.compile(r"req_[0-9a-f]{32}")
"""What is none is not looked for: PostgreSQL takes no NUL, and clients may send one."""
FETCHES, FETCHES_OF_ONE, FETCHES_IN_ALL = 20, 200, 2_000
"""In a minute, of one job, of one account's and of all: fetching costs its client nothing, and the operator its traffic."""
_GONE = frozenset({404, 410})


class Fetches:
    """How often what jobs made was fetched in this minute, from this process. Belongs to its event loop."""

    def __init__(self) -> None:
        self._minute: datetime | None = None
        self._counted: Counter[RequestId] = Counter()
        self._counted_of: Counter[AccountId] = Counter()

    def count(self, job: LongJob, now: datetime) -> None:
        """Raises TooManyTries."""
        if (minute := now.replace(second=0, microsecond=0)) != self._minute:
            self._minute = minute
            self._counted.clear()
            self._counted_of.clear()
        of_job, of_account = self._counted[job.id], self._counted_of[job.hold.account]
        if of_job >= FETCHES or of_account >= FETCHES_OF_ONE or self._counted.total() >= FETCHES_IN_ALL:
            raise TooManyTries(60 - now.second)
        self._counted[job.id] += 1
        self._counted_of[job.hold.account] += 1


def find_long_job(parts: GatewayParts, request: RequestId, form: Endpoint, reader: Credential | None) -> LongJob:
    """``reader`` None is the operator.

    Raises:
        UnknownJob: there is none of that form, or it is another account's or key's, which is told the same.
        LongJobUnreadable: what is kept of it cannot be read.
    """
    try:
        job = parts.ledger.long_job(request) if _ID.fullmatch(request) else None
    except LongJobUnreadable:
        record = parts.ledger.request(request)
        if record is None or (reader is not None and not reader.may_read(record.hold.account, record.quoted.key)):
            raise UnknownJob(request) from None
        raise
    if job is None or job.new.form is not form:
        raise UnknownJob(request)
    if reader is not None and not reader.may_read(job.hold.account, job.quoted.key):
        raise UnknownJob(request)
    return job


def list_long_jobs(
    parts: GatewayParts, reader: Credential, form: Endpoint, *, limit: int, after: RequestId | None
) -> tuple[Sequence[LongJob], bool]:
    """Newest first, from the one that follows ``after``; and whether there are more.

    Raises:
        UnknownJob: ``after`` is no job that the reader may read: another's would tell when that one was begun.
    """
    if after is not None:
        with suppress(LongJobUnreadable):  # a place all the same
            find_long_job(parts, after, form, reader)
    found = parts.ledger.long_jobs(reader.account, form, key=reader.key_id, limit=limit + 1, before=after)
    return found[:limit], len(found) > limit


async def fetch_long_job(parts: GatewayParts, fetches: Fetches, job: LongJob, variant: str | None) -> Made:
    """Only what is asked of a provider counts. Raises JobNotDone, NothingToFetch, TooManyTries, ProviderFailed."""
    if job.status is not JobStatus.COMPLETED or job.upstream is None:
        raise JobNotDone(job.id, job.status)
    provider = parts.job_providers.get(job.quoted.provider)
    if provider is None:
        raise ProviderUnreachable(job.quoted.provider)
    if not provider.form.fetch:
        raise NothingToFetch(job.id, "its output says where what it made is to be had")
    fetches.count(job, parts.clock())
    try:
        return await provider.fetch(job.upstream, variant)
    except ProviderRefused as error:
        if error.status in _GONE:
            raise NothingToFetch(job.id, f"{error.provider} no longer keeps what it made") from None
        raise
