"""How a long job stands, or what it failed at."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from mintery.domain.attempt import RouteAttempt
from mintery.domain.diagnosis import Cause, Diagnosis, diagnose_calls
from mintery.domain.hold import HoldStatus
from mintery.domain.long_job import JobStatus, LongJob
from mintery.usecases.decide_long_job import LOST, NO_EVIDENCE, TOO_SLOW
from mintery.usecases.expire_holds import EVIDENCE_SECONDS

OURS = (LOST, TOO_SLOW, NO_EVIDENCE)
"""The gateway's own words; any other failure is told by the provider, or by the calls that nobody took it at."""


def diagnose_long_job(job: LongJob, calls: Sequence[RouteAttempt], now: datetime) -> Diagnosis:
    """``calls`` are those of its request that are recorded."""
    evidence = _evidence(job)
    match job.status:
        case JobStatus.COMPLETED:
            return Diagnosis(None, "It did not fail: it was completed and charged.", evidence)
        case JobStatus.FAILED:
            return _of_failed(job, calls, evidence)
        case _ if job.upstream is None:
            return _of_opening(job, now, evidence)
        case _ if job.hold.status_at(now) is HoldStatus.UNRESOLVED:
            until = job.hold.lease_until + timedelta(seconds=EVIDENCE_SECONDS)
            sentence = (
                f"{job.quoted.provider} could not be asked for it since; unless it can be soon, it costs nothing."
            )
            return Diagnosis(Cause.PROVIDER, sentence, evidence | {"waits_until": until.isoformat()})
        case _:
            return Diagnosis(None, f"It is under way at {job.quoted.provider}, {job.progress} % done.", evidence)


def _evidence(job: LongJob) -> dict[str, Any]:
    cost = job.hold.captured
    return {
        "job": job.status.value,
        "route": job.quoted.model,
        "provider": job.quoted.provider,
        "upstream": job.upstream,
        "given_up_at": job.new.follow_until.isoformat(),
        "held_nanocredits": str(job.hold.amount),
        "cost_nanocredits": None if cost is None else str(cost),
        "code": None if job.failure is None else job.failure.code,
    }


def _of_failed(job: LongJob, calls: Sequence[RouteAttempt], evidence: dict[str, Any]) -> Diagnosis:
    provider, failure = job.quoted.provider, job.failure
    if failure is None or (job.upstream is None and failure not in OURS):
        return diagnose_calls(calls)
    match failure:
        case _ if failure == LOST:
            sentence = (
                f"The process that opened it is gone, and nobody knows whether {provider} has it; it cost nothing."
            )
            return Diagnosis(Cause.ROUTING, sentence, evidence)
        case _ if failure == TOO_SLOW:
            sentence = f"{provider} was not done in the time that its credits may be held; it cost nothing."
        case _ if failure == NO_EVIDENCE:
            sentence = f"{provider} could not be asked for it for too long; it was given up, and cost nothing."
        case _:
            sentence = f"{provider} took it and did not do it: {failure.message}"
    return Diagnosis(Cause.PROVIDER, sentence, evidence)


def _of_opening(job: LongJob, now: datetime, evidence: dict[str, Any]) -> Diagnosis:
    if not job.is_lost_at(now):
        return Diagnosis(None, f"{job.quoted.provider} is being asked for it.", evidence)
    sentence = "The process that opened it is gone; it is asked for again, or given up at no cost, within seconds."
    return Diagnosis(Cause.ROUTING, sentence, evidence)
