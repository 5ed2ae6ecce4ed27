"""Long jobs that were opened are looked at until they end, whichever process opened them.

What is done here is written conditionally and may be done again: a process that dies between a look and its commit loses
nothing, as the next one looks again; one that comes second finds the hold ended and changes nothing.

A job of which nobody knows whether a provider has it is asked for again where the provider takes the same request for the
same job, under the same key; else it is given up as soon as whoever asked can ask no more. A hold's lease is extended only by
a look that found the job under way, and never beyond the job's own end: without evidence for a quarter of an hour after
it, and for a job that is not done by then, the holder gets all of it back, and the loss is the operator's.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from mintery.domain.attempt import AttemptOutcome, RouteAttempt
from mintery.domain.hold import Capture, ReleaseReason, RequestId
from mintery.domain.long_job import JobFailure, JobStatus, LongJob
from mintery.domain.quote import UsageSource
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import Address, EscrowDomain
from mintery.errors import LedgerInconsistent, ProviderFailed, ProviderRefused, ProviderUnreachable
from mintery.ledger.commands import (
    AcceptLongJob,
    CaptureHold,
    CloseLongJob,
    Command,
    ExtendLease,
    HoldNotEnding,
    HoldReleased,
    NoteLongJob,
    ReleaseHold,
    Result,
)
from mintery.ledger.reads import Ledger
from mintery.providers.job_forms import JobReport
from mintery.providers.long_jobs import JobProvider
from mintery.units import NanoCredits, pro_rata_down
from mintery.usecases.expire_holds import EVIDENCE_SECONDS
from mintery.usecases.meter_long_job import meter_long_job
from mintery.usecases.meter_usage import Metered
from mintery.usecases.meters import log_alarm, log_transition
from mintery.usecases.open_long_job import may_run

LEASE, HALF_LEASE = timedelta(minutes=6), timedelta(minutes=3)
SHORTEST_PAUSE, LONGEST_PAUSE = 1, 15
"""Seconds between two looks at one job; a tenth of its age within these."""
AT_ONCE = 16
"""Looks at one time."""
DOUBTFUL = frozenset({UsageSource.BOUND, UsageSource.CLAMPED})
LOST = JobFailure("lost", "nobody knows whether the provider has it; it was given up, and cost nothing")
TOO_SLOW = JobFailure("too_slow", "it was not done in the time that its credits may be held; it cost nothing")
NO_EVIDENCE = JobFailure(
    "no_evidence", "its provider could not be asked for too long; it was given up, and cost nothing"
)

Seen = JobReport | ProviderFailed


class Look(NamedTuple):
    """``cancels``: what is given up is to be ended at the provider as well."""

    job: LongJob
    commands: tuple[Command, ...]
    cancels: bool = False


@dataclass(frozen=True, slots=True)
class Followed:
    """How many jobs were looked at, and how many of those ended how."""

    looked: int = 0
    completed: int = 0
    failed: int = 0


@dataclass(slots=True)
class Follower:
    """One process's. ``open_providers`` gives connections of their own, which are closed after each run.

    ``settler`` signs the receipts.
    """

    open_providers: Callable[[], Mapping[str, JobProvider]]
    domain: EscrowDomain
    settler: Address
    _due: dict[RequestId, datetime] = field(default_factory=dict)

    def follow(self, ledger: Ledger, now: datetime) -> Followed:
        """Look at every open job whose turn it is, and write what was found."""
        open_jobs = ledger.open_long_jobs()
        self._due = {job.id: self._due[job.id] for job in open_jobs if job.id in self._due}
        turn = [job for job in open_jobs if self._due.get(job.id, now) <= now and _is_anyones(job, now)]
        return asyncio.run(self._follow(ledger, turn, now)) if turn else Followed()

    async def _follow(self, ledger: Ledger, turn: Sequence[LongJob], now: datetime) -> Followed:
        providers, room = self.open_providers(), asyncio.Semaphore(AT_ONCE)
        try:
            seen = await asyncio.gather(*(_look(providers, job, room, now) for job in turn))
            looks = [self._decide(ledger, job, each, now) for job, each in zip(turn, seen, strict=True)]
            commands = [command for look in looks for command in look.commands]
            results = ledger.commit(commands) if commands else ()
            for job, each in zip(turn, seen, strict=True):
                self._due[job.id] = now + _pause(job, each, now)
            await asyncio.gather(*(_cancel(providers, look.job) for look in looks if look.cancels))
        finally:
            await asyncio.gather(*(provider.close() for provider in providers.values()))
        return _count(len(turn), commands, results)

    def _decide(self, ledger: Ledger, job: LongJob, seen: Seen | None, now: datetime) -> Look:
        if seen is None:
            return Look(job, self._given_up(ledger, job, LOST, now))
        if isinstance(seen, ProviderFailed):
            return self._decide_unseen(ledger, job, seen, now)
        accepted = () if job.upstream is not None else (AcceptLongJob(job.id, seen.upstream, now),)
        match seen.status:
            case JobStatus.COMPLETED:
                ends: tuple[Command, ...] = self._charged(ledger, job, seen, now)
            case JobStatus.FAILED:
                ends = self._failed(job, seen.failure or LOST, now)
            case _ if now >= job.new.follow_until:
                return Look(job, (*accepted, *self._given_up(ledger, job, TOO_SLOW, now)), cancels=True)
            case _:
                ends = _under_way(job, seen, now)
        return Look(job, (*accepted, *ends))

    def _decide_unseen(self, ledger: Ledger, job: LongJob, error: ProviderFailed, now: datetime) -> Look:
        if job.upstream is None and not may_run(error):
            return Look(job, self._failed(job, JobFailure("refused", str(error)), now, error))
        if now < job.hold.lease_until + timedelta(seconds=EVIDENCE_SECONDS):
            return Look(job, ())
        return Look(job, self._given_up(ledger, job, NO_EVIDENCE, now), cancels=job.upstream is not None)

    def _charged(self, ledger: Ledger, job: LongJob, report: JobReport, now: datetime) -> tuple[Command, ...]:
        metered = meter_long_job(job.new.quote, report.usage)
        if metered.source in DOUBTFUL:
            log_alarm(
                f"usage_{metered.source.value}", request=job.id, model=job.quoted.model, reported=dict(report.usage)
            )
        calls = (*job.tried, _call(job, AttemptOutcome.DELIVERED, now)) if job.tried else ()
        return (
            CaptureHold(job.id, self._receipt(ledger, job, metered, now), None, calls),
            CloseLongJob(job.id, output=report.output, expires_at=report.expires_at),
        )

    def _failed(
        self, job: LongJob, failure: JobFailure, now: datetime, error: ProviderFailed | None = None
    ) -> tuple[Command, ...]:
        status = error.status if isinstance(error, ProviderRefused) else None
        outcome = AttemptOutcome.FAILED_LATER if error is None else AttemptOutcome.REFUSED
        calls = (*job.tried, _call(job, outcome, now, status))
        return (
            ReleaseHold(job.id, ReleaseReason.PROVIDER_FAILED, now, attempts=calls),
            CloseLongJob(job.id, failure=failure),
        )

    def _given_up(self, ledger: Ledger, job: LongJob, failure: JobFailure, now: datetime) -> tuple[Command, ...]:
        log_alarm("long_job_given_up", request=job.id, model=job.quoted.model, upstream=job.upstream, why=failure.code)
        nothing = Metered((), UsageSource.ESTIMATED, NanoCredits(0))
        loss = self._receipt(ledger, job, nothing, now)
        return (
            ReleaseHold(job.id, ReleaseReason.UNRESOLVED, now, loss, job.tried),
            CloseLongJob(job.id, failure=failure),
        )

    def _receipt(self, ledger: Ledger, job: LongJob, metered: Metered, now: datetime) -> Receipt:
        account, quoted = ledger.account(job.hold.account), job.quoted
        if account is None:
            raise LedgerInconsistent(f"job {job.id} is open and its account is not there")
        return Receipt(
            id=job.id,
            domain=self.domain,
            account=account.key,
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
            settler=self.settler,
            asked=quoted.asked,
        )


def _is_anyones(job: LongJob, now: datetime) -> bool:
    """While no provider's id is known, it is the process's that asks for it, as long as that can."""
    return job.upstream is not None or job.is_lost_at(now)


async def _look(
    providers: Mapping[str, JobProvider], job: LongJob, room: asyncio.Semaphore, now: datetime
) -> Seen | None:
    """None: there is nobody to ask."""
    provider = providers.get(job.quoted.provider)
    async with room:
        try:
            if job.upstream is not None:
                if provider is None:
                    raise ProviderUnreachable(job.quoted.provider)
                return await provider.look(job.upstream)
            if provider is None or job.new.sent is None or not provider.form.key_header or now >= job.new.follow_until:
                return None
            log_transition("long_job_asked_again", request=job.id, provider=provider.name, why="its process is gone")
            return await provider.open(job.quoted.upstream, job.new.sent, job.id)
        except ProviderFailed as error:
            log_transition("long_job_unseen", request=job.id, provider=error.provider, why=type(error).__name__)
            return error


def _under_way(job: LongJob, report: JobReport, now: datetime) -> tuple[Command, ...]:
    commands: list[Command] = []
    starts = now if report.status is JobStatus.IN_PROGRESS and job.started_at is None else None
    if starts is not None or report.progress > job.progress:
        commands.append(NoteLongJob(job.id, report.progress, starts))
    until = min(job.new.follow_until, now + LEASE)
    if job.hold.lease_until < until and (job.hold.lease_until < now + HALF_LEASE or until == job.new.follow_until):
        commands.append(ExtendLease(job.id, until))
    return tuple(commands)


def _pause(job: LongJob, seen: Seen | None, now: datetime) -> timedelta:
    age = int((now - job.new.begun_at).total_seconds())
    seconds = min(max(pro_rata_down(age, 1, 10), SHORTEST_PAUSE), LONGEST_PAUSE)
    if isinstance(seen, ProviderRefused) and seen.retry_after is not None:
        seconds = max(seconds, min(int(seen.retry_after[:6]), EVIDENCE_SECONDS))
    return timedelta(seconds=seconds)


async def _cancel(providers: Mapping[str, JobProvider], job: LongJob) -> None:
    """As well as it can be: what goes on is the operator's loss."""
    provider = providers.get(job.quoted.provider)
    if provider is None or job.upstream is None:
        return
    try:
        cancelled = await provider.cancel(job.upstream)
    except ProviderFailed as error:
        log_alarm("long_job_not_cancelled", request=job.id, provider=error.provider, why=type(error).__name__)
    else:
        log_transition("long_job_cancelled", request=job.id, upstream=job.upstream, by_provider=cancelled)


def _call(job: LongJob, outcome: AttemptOutcome, now: datetime, status: int | None = None) -> RouteAttempt:
    return RouteAttempt(job.quoted.model, job.quoted.provider, outcome, job.new.begun_at, now, status)


def _count(looked: int, commands: Sequence[Command], results: Sequence[Result]) -> Followed:
    completed = failed = 0
    for command, result in zip(commands, results, strict=True):
        match result:
            case Capture(hold, captured):
                completed += 1
                log_transition("captured", request=hold, cost_nanocredits=captured)
            case HoldReleased(request, amount):
                failed += 1
                log_transition("released", request=request, amount=amount)
            case HoldNotEnding(request, status) if isinstance(command, CaptureHold):
                log_alarm("capture_refused", request=request, status=status, cost=command.receipt.cost)
            case _:
                pass
    return Followed(looked, completed, failed)
