"""Jobs run, fail loudly, and stop cleanly."""

import threading
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from mintery.errors import RpcUnavailable
from mintery.jobs.scheduler import Jobs, Work
from mintery.usecases.alarms import Alarm, Alarms

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def a_clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def alarms() -> Alarms:
    return Alarms()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def runs(registry: CollectorRegistry, job: str, end: str) -> float | None:
    return registry.get_sample_value("mintery_job_runs_total", {"job": job, "end": end})


@pytest.mark.parametrize("fault", [RpcUnavailable("http://x", "gone"), ZeroDivisionError("a bug")])
def test_a_failing_job_sounds_its_alarm_and_is_counted(alarms: Alarms, registry: CollectorRegistry, fault: Exception):
    faults = [fault]

    def fail_once(_now: datetime) -> None:
        if faults:
            raise faults.pop()

    jobs = Jobs([Work("sync", 60, fail_once)], alarms, registry, lambda: NOON)

    assert not jobs.run_once("sync")

    (standing,) = alarms.standing()
    assert (standing.alarm, standing.subject, standing.since) == (Alarm.JOB_FAILED, "sync", NOON)
    assert type(fault).__name__ in standing.why
    assert runs(registry, "sync", "failed") == 1
    assert registry.get_sample_value("mintery_alarms_standing", {"alarm": "job_failed"}) == 1

    assert jobs.run_once("sync")
    assert alarms.standing() == ()
    assert runs(registry, "sync", "done") == 1


def test_every_job_runs_at_once_and_again_although_another_fails(alarms: Alarms, registry: CollectorRegistry):
    twice = threading.Barrier(2)
    count = 0

    def work(_now: datetime) -> None:
        nonlocal count
        count += 1
        if count == 2:
            twice.wait(timeout=10)

    def fail(_now: datetime) -> None:
        raise RpcUnavailable("http://x", "gone")

    jobs = Jobs([Work("fails", 0.05, fail), Work("works", 0.05, work)], alarms, registry, a_clock)
    jobs.start()
    twice.wait(timeout=10)
    jobs.stop()

    assert (runs(registry, "fails", "failed") or 0) >= 1
    assert [standing.subject for standing in alarms.standing()] == ["fails"]


def test_stopping_waits_for_what_is_running(alarms: Alarms, registry: CollectorRegistry):
    began, may_end = threading.Event(), threading.Event()
    ended = False

    def work(_now: datetime) -> None:
        nonlocal ended
        began.set()
        may_end.wait(timeout=10)
        ended = True

    jobs = Jobs([Work("long", 60, work)], alarms, registry, a_clock)
    jobs.start()
    assert began.wait(timeout=10)
    stopping = threading.Thread(target=jobs.stop)
    stopping.start()
    assert not ended
    may_end.set()
    stopping.join(timeout=10)

    assert ended
    assert not stopping.is_alive()


def test_stopping_what_never_ran_is_harmless(alarms: Alarms, registry: CollectorRegistry):
    Jobs([], alarms, registry, a_clock).stop()
