"""Long jobs that were opened are looked at until they end, whichever process opened them.

What is done here is written conditionally and may be done again: a process that dies between a look and its commit loses
nothing, as the next one looks again; one that comes second finds the hold ended and changes nothing.

A job of which nobody knows whether a provider has it is asked for again where the provider takes the same request for the
same job, under the same key; else it is given up as soon as whoever asked can ask no more.

Providers are asked side by side, and each job is written by itself: one that hangs or lies delays and spoils its own jobs alone.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge

from mintery.domain.hold import Capture, RequestId
from mintery.domain.long_job import LongJob
from mintery.domain.voucher import Address, EscrowDomain
from mintery.errors import (
    LedgerInconsistent,
    ProviderFailed,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnreachable,
)
from mintery.ledger.commands import CaptureHold, Command, HoldNotEnding, HoldReleased, Result
from mintery.ledger.reads import Ledger
from mintery.providers.long_jobs import JobProvider
from mintery.units import pro_rata_down
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.decide_long_job import Books, Seen, decide_long_job
from mintery.usecases.meters import log_alarm, log_transition

SHORTEST_PAUSE, LONGEST_PAUSE, LONGEST_WAIT = 1, 15, 60
"""Seconds between two looks at one job: a tenth of its age, within the first two. A provider may ask for as long as the third."""
AT_ONCE = 16
"""Looks at one provider at one time."""
ABSENT = (ProviderTimedOut, ProviderUnreachable)
"""It is asked no more in this run: each look would take as long."""


class FollowMeters:
    """Prometheus metrics of long jobs, of the process that follows them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.open = Gauge(
            "mintery_long_jobs_open", "Long jobs under way when they were last followed", registry=registry
        )
        self.ended = Counter("mintery_long_jobs", "Long jobs by how they ended", ["outcome"], registry=registry)
        self.charged = Counter(
            "mintery_long_jobs_captured_nanocredits", "Nanocredits charged for long jobs", registry=registry
        )


@dataclass(slots=True)
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
    meters: FollowMeters | None = None
    _due: dict[RequestId, datetime] = field(default_factory=dict)
    _unseen: dict[RequestId, datetime] = field(default_factory=dict)
    """Since when looks found nothing."""

    def follow(self, ledger: Ledger, now: datetime) -> Followed:
        """Look at every open job whose turn it is, and write what was found."""
        open_jobs = ledger.open_long_jobs()
        known = {job.id for job in open_jobs}
        if self.meters is not None:
            self.meters.open.set(len(known))
        self._due = {request: due for request, due in self._due.items() if request in known}
        self._unseen = {request: since for request, since in self._unseen.items() if request in known}
        turn = [job for job in open_jobs if self._due.get(job.id, now) <= now and _is_anyones(job, now)]
        return asyncio.run(self._follow(ledger, turn, now)) if turn else Followed()

    async def _follow(self, ledger: Ledger, turn: Sequence[LongJob], now: datetime) -> Followed:
        """Raises what stopped one provider's, once the others are done."""
        providers, followed = self.open_providers(), Followed()
        by_provider: dict[str, list[LongJob]] = {}
        for job in sorted(turn, key=lambda each: self._due.get(each.id, each.new.begun_at)):
            by_provider.setdefault(job.quoted.provider, []).append(job)
        run = _Run(self, ledger, now, followed)
        try:
            ended = await asyncio.gather(
                *(run.follow(providers.get(name), jobs) for name, jobs in by_provider.items()), return_exceptions=True
            )
        finally:
            await asyncio.gather(*(provider.close() for provider in providers.values()))
        for error in ended:
            if error is not None:
                raise error
        return followed

    def note(self, job: LongJob, seen: Seen, now: datetime) -> datetime:
        """When its turn is next; since when it was not seen."""
        self._due[job.id] = now + _pause(job, seen, now)
        if isinstance(seen, ProviderFailed):
            return self._unseen.setdefault(job.id, now)
        self._unseen.pop(job.id, None)
        return now


def tell_unreadable(ledger: Ledger, alarms: Alarms, now: datetime) -> None:
    """Which jobs cannot be followed; the alarm of one falls when it is read again, or its hold has ended."""
    unreadable = {each.request: str(each) for each in ledger.unreadable_long_jobs()}
    for request, why in unreadable.items():
        alarms.sound(Alarm.LONG_JOB_UNREADABLE, why, now, subject=request)
    for standing in alarms.standing():
        if standing.alarm is Alarm.LONG_JOB_UNREADABLE and standing.subject not in unreadable:
            alarms.clear(Alarm.LONG_JOB_UNREADABLE, subject=standing.subject)


@dataclass(frozen=True, slots=True)
class _Run:
    follower: Follower
    ledger: Ledger
    now: datetime
    followed: Followed

    async def follow(self, provider: JobProvider | None, jobs: Sequence[LongJob]) -> None:
        """One provider's, some at once, as long as it answers. Raises what kept one of them from being written."""
        for begin in range(0, len(jobs), AT_ONCE):
            some = jobs[begin : begin + AT_ONCE]
            answered = await asyncio.gather(*(self._look(provider, job) for job in some), return_exceptions=True)
            for each in answered:
                if isinstance(each, BaseException):
                    raise each
            if not all(answered):
                return

    async def _look(self, provider: JobProvider | None, job: LongJob) -> bool:
        """Whether the provider answered."""
        seen = await _seen(provider, job, self.now)
        unseen_since = self.follower.note(job, seen, self.now)
        account = await asyncio.to_thread(self.ledger.account, job.hold.account)
        if account is None:
            raise LedgerInconsistent(f"job {job.id} is open and its account is not there")
        books = Books(self.follower.domain, self.follower.settler, account.key)
        decided = decide_long_job(job, seen, books, self.now, unseen_since=unseen_since)
        self.followed.looked += 1
        if decided.commands:
            results = await asyncio.to_thread(self.ledger.commit, decided.commands)
            self._count(decided.commands, results)
        if decided.cancels and provider is not None:
            await _cancel(provider, job)
        return not isinstance(seen, ABSENT)

    def _count(self, commands: Sequence[Command], results: Sequence[Result]) -> None:
        meters = self.follower.meters
        for command, result in zip(commands, results, strict=True):
            match result:
                case Capture(hold, captured):
                    self.followed.completed += 1
                    if meters is not None:
                        meters.ended.labels("completed").inc()
                        meters.charged.inc(captured)
                    log_transition("captured", request=hold, cost_nanocredits=captured)
                case HoldReleased(request, amount):
                    self.followed.failed += 1
                    if meters is not None:
                        meters.ended.labels("failed").inc()
                    log_transition("released", request=request, amount=amount)
                case HoldNotEnding(request, status) if isinstance(command, CaptureHold):
                    log_alarm("capture_refused", request=request, status=status, cost=command.receipt.cost)
                case _:
                    pass


def _is_anyones(job: LongJob, now: datetime) -> bool:
    """While no provider's id is known, it is the process's that asks for it, as long as that can."""
    return job.upstream is not None or job.is_lost_at(now)


async def _seen(provider: JobProvider | None, job: LongJob, now: datetime) -> Seen:
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


def _pause(job: LongJob, seen: Seen, now: datetime) -> timedelta:
    """Clocks of processes differ: a job may have begun after ``now``."""
    age = max(int((now - job.new.begun_at).total_seconds()), 0)
    seconds = min(max(pro_rata_down(age, 1, 10), SHORTEST_PAUSE), LONGEST_PAUSE)
    if isinstance(seen, ProviderRefused) and seen.retry_after is not None:
        seconds = max(seconds, min(int(seen.retry_after[:6]), LONGEST_WAIT))
    return timedelta(seconds=seconds)


async def _cancel(provider: JobProvider, job: LongJob) -> None:
    """As well as it can be: what goes on is the operator's loss."""
    if job.upstream is None:
        return
    try:
        cancelled = await provider.cancel(job.upstream)
    except ProviderFailed as error:
        log_alarm("long_job_not_cancelled", request=job.id, provider=error.provider, why=type(error).__name__)
    else:
        log_transition("long_job_cancelled", request=job.id, upstream=job.upstream, by_provider=cancelled)
