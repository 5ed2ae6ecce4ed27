"""What follows from a look at a long job: what it is charged, that it is released or given up, or that it goes on.

A hold's lease is extended only by a look that found the job under way, and never beyond the job's own end. Without evidence for
a quarter of an hour after its lease, and for a job that is not done by its end, the holder gets all of it back: the loss is
the operator's.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from mintery.domain.attempt import AttemptOutcome, RouteAttempt
from mintery.domain.hold import ReleaseReason
from mintery.domain.long_job import JobFailure, JobStatus, LongJob
from mintery.domain.quote import UsageSource
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import AccountKey, Address, EscrowDomain
from mintery.errors import ProviderFailed, ProviderRefused
from mintery.ledger.commands import (
    AcceptLongJob,
    CaptureHold,
    CloseLongJob,
    Command,
    ExtendLease,
    NoteLongJob,
    ReleaseHold,
)
from mintery.providers.job_forms import JobReport
from mintery.units import NanoCredits
from mintery.usecases.expire_holds import EVIDENCE_SECONDS
from mintery.usecases.meter_long_job import meter_long_job
from mintery.usecases.meter_usage import Metered
from mintery.usecases.meters import log_alarm

LEASE, HALF_LEASE = timedelta(minutes=6), timedelta(minutes=3)
UNSEEN = timedelta(minutes=1)
"""One who begins to look where nobody did for long does not take one bad answer for the end."""
_NEVER_TAKEN = frozenset({400, 413, 422})
"""What is wrong with the request itself, and was as wrong the first time."""
DOUBTFUL = frozenset({UsageSource.BOUND, UsageSource.CLAMPED})
LOST = JobFailure("lost", "nobody knows whether the provider has it; it was given up, and cost nothing")
TOO_SLOW = JobFailure("too_slow", "it was not done in the time that its credits may be held; it cost nothing")
NO_EVIDENCE = JobFailure(
    "no_evidence", "its provider could not be asked for too long; it was given up, and cost nothing"
)

Seen = JobReport | ProviderFailed | None
"""None: there is nobody to ask."""


class Books(NamedTuple):
    """Whose receipts are written: of which escrow, signed by whom, for which account."""

    domain: EscrowDomain
    settler: Address
    account: AccountKey


class Decided(NamedTuple):
    """``cancels``: what is given up is to be ended at the provider as well."""

    commands: tuple[Command, ...]
    cancels: bool = False


def decide_long_job(job: LongJob, seen: Seen, books: Books, now: datetime, *, unseen_since: datetime) -> Decided:
    """``unseen_since``: when the first of the looks that found nothing was, as far as the process that asks knows."""
    if seen is None:
        return Decided(_given_up(job, LOST, books, now))
    if isinstance(seen, ProviderFailed):
        return _decide_unseen(job, seen, books, now, unseen_since)
    accepted = () if job.upstream is not None else (AcceptLongJob(job.id, seen.upstream, now),)
    match seen.status:
        case JobStatus.COMPLETED:
            return Decided((*accepted, *_charged(job, seen, books, now)))
        case JobStatus.FAILED:
            return Decided((*accepted, *_failed(job, seen.failure or LOST, now)))
        case _ if now >= job.new.follow_until:
            return Decided((*accepted, *_given_up(job, TOO_SLOW, books, now)), cancels=True)
        case _:
            return Decided((*accepted, *_under_way(job, seen, now)))


def _decide_unseen(job: LongJob, error: ProviderFailed, books: Books, now: datetime, unseen_since: datetime) -> Decided:
    if job.upstream is None and _proves_none(error):
        return Decided(_failed(job, JobFailure("refused", str(error)), now, error))
    if now < max(job.hold.lease_until + timedelta(seconds=EVIDENCE_SECONDS), unseen_since + UNSEEN):
        return Decided(())
    return Decided(_given_up(job, NO_EVIDENCE, books, now), cancels=job.upstream is not None)


def _proves_none(error: ProviderFailed) -> bool:
    """Whether a second request for the same job, under the same key, was answered so that no first one can have made it.

    One that was not reached, or is too busy to look, says nothing of what it took before, nor does a key that it takes no more.
    """
    return isinstance(error, ProviderRefused) and error.status in _NEVER_TAKEN


def _charged(job: LongJob, report: JobReport, books: Books, now: datetime) -> tuple[Command, ...]:
    metered = meter_long_job(job.new.quote, report.usage)
    if metered.source in DOUBTFUL:
        reported = dict(report.usage)
        log_alarm(f"usage_{metered.source.value}", request=job.id, model=job.quoted.model, reported=reported)
    calls = (*job.tried, _call(job, AttemptOutcome.DELIVERED, now)) if job.tried else ()
    return (
        CaptureHold(job.id, _receipt(job, metered, books, now), None, calls),
        CloseLongJob(job.id, output=report.output, expires_at=report.expires_at),
    )


def _failed(
    job: LongJob, failure: JobFailure, now: datetime, error: ProviderFailed | None = None
) -> tuple[Command, ...]:
    status = error.status if isinstance(error, ProviderRefused) else None
    outcome = AttemptOutcome.FAILED_LATER if error is None else AttemptOutcome.REFUSED
    calls = (*job.tried, _call(job, outcome, now, status))
    return (
        ReleaseHold(job.id, ReleaseReason.PROVIDER_FAILED, now, attempts=calls),
        CloseLongJob(job.id, failure=failure),
    )


def _given_up(job: LongJob, failure: JobFailure, books: Books, now: datetime) -> tuple[Command, ...]:
    log_alarm("long_job_given_up", request=job.id, model=job.quoted.model, upstream=job.upstream, why=failure.code)
    loss = _receipt(job, Metered((), UsageSource.ESTIMATED, NanoCredits(0)), books, now)
    return (
        ReleaseHold(job.id, ReleaseReason.UNRESOLVED, now, loss, job.tried),
        CloseLongJob(job.id, failure=failure),
    )


def _under_way(job: LongJob, report: JobReport, now: datetime) -> tuple[Command, ...]:
    commands: list[Command] = []
    starts = now if report.status is JobStatus.IN_PROGRESS and job.started_at is None else None
    if starts is not None or report.progress > job.progress:
        commands.append(NoteLongJob(job.id, report.progress, starts))
    until = min(job.new.follow_until, now + LEASE)
    if job.hold.lease_until < until and (job.hold.lease_until < now + HALF_LEASE or until == job.new.follow_until):
        commands.append(ExtendLease(job.id, until))
    return tuple(commands)


def _receipt(job: LongJob, metered: Metered, books: Books, now: datetime) -> Receipt:
    quoted = job.quoted
    return Receipt(
        id=job.id,
        domain=books.domain,
        account=books.account,
        epoch=job.epoch,
        model=quoted.model,
        provider=quoted.provider,
        upstream=quoted.upstream,
        kind=quoted.kind,
        backup=job.new.quote.backup,
        stream=False,
        test=quoted.test,
        state=quoted.state,
        lines=metered.lines,
        source=metered.source,
        par=quoted.par,
        markup=quoted.markup,
        held=job.hold.amount,
        cost=metered.cost,
        captured_at=now,
        settler=books.settler,
        asked=quoted.asked,
        key=quoted.key,
    )


def _call(job: LongJob, outcome: AttemptOutcome, now: datetime, status: int | None = None) -> RouteAttempt:
    return RouteAttempt(job.quoted.model, job.quoted.provider, outcome, job.new.begun_at, now, status)
