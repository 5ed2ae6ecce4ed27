"""Jobs run where they are led, fail loudly, and stop cleanly."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from mintery.errors import LeadershipLost, RpcUnavailable
from mintery.jobs.scheduler import Jobs, RunEnd, Work
from mintery.ledger.leadership import Leadership
from mintery.ledger.leading_by_files import FileLeadership
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


@pytest.fixture
def leadership(tmp_path: Path) -> Iterator[Leadership]:
    here = FileLeadership(tmp_path / "ledger", "here")
    yield here
    here.close()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Leadership]:
    """Another process on the same ledger."""
    there = FileLeadership(tmp_path / "ledger", "there")
    yield there
    there.close()


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def runs(registry: CollectorRegistry, job: str, end: str) -> float | None:
    return registry.get_sample_value("mintery_job_runs_total", {"job": job, "end": end})


@pytest.mark.parametrize("fault", [RpcUnavailable("http://x", "gone"), ZeroDivisionError("a bug")])
def test_a_failing_job_sounds_its_alarm_and_is_counted(
    alarms: Alarms, registry: CollectorRegistry, leadership: Leadership, fault: Exception
):
    faults = [fault]

    def fail_once(_now: datetime) -> None:
        if faults:
            raise faults.pop()

    jobs = Jobs([Work("sync", 60, fail_once)], alarms, registry, lambda: NOON, leadership, presence="process-1")

    assert jobs.run_once("sync") is RunEnd.FAILED

    (standing,) = alarms.standing()
    assert (standing.alarm, standing.subject, standing.since) == (Alarm.JOB_FAILED, "sync", NOON)
    assert type(fault).__name__ in standing.why
    assert runs(registry, "sync", "failed") == 1
    assert registry.get_sample_value("mintery_alarms_standing", {"alarm": "job_failed"}) == 1

    assert jobs.run_once("sync") is RunEnd.DONE
    assert alarms.standing() == ()
    assert runs(registry, "sync", "done") == 1


def test_every_job_runs_at_once_and_again_although_another_fails(
    alarms: Alarms, registry: CollectorRegistry, leadership: Leadership
):
    twice = threading.Barrier(2)
    count = 0

    def work(_now: datetime) -> None:
        nonlocal count
        count += 1
        if count == 2:
            twice.wait(timeout=10)

    def fail(_now: datetime) -> None:
        raise RpcUnavailable("http://x", "gone")

    jobs = Jobs(
        [Work("fails", 0.05, fail), Work("works", 0.05, work)],
        alarms,
        registry,
        a_clock,
        leadership,
        presence="process-1",
    )
    jobs.start()
    twice.wait(timeout=10)
    jobs.stop()

    assert (runs(registry, "fails", "failed") or 0) >= 1
    assert [standing.subject for standing in alarms.standing()] == ["fails"]


def test_stopping_waits_for_what_is_running(alarms: Alarms, registry: CollectorRegistry, leadership: Leadership):
    began, may_end = threading.Event(), threading.Event()
    ended = False

    def work(_now: datetime) -> None:
        nonlocal ended
        began.set()
        may_end.wait(timeout=10)
        ended = True

    jobs = Jobs([Work("long", 60, work)], alarms, registry, a_clock, leadership, presence="process-1")
    jobs.start()
    assert began.wait(timeout=10)
    stopping = threading.Thread(target=jobs.stop)
    stopping.start()
    assert not ended
    may_end.set()
    stopping.join(timeout=10)

    assert ended
    assert not stopping.is_alive()


def test_stopping_what_never_ran_is_harmless(alarms: Alarms, registry: CollectorRegistry, leadership: Leadership):
    Jobs([], alarms, registry, a_clock, leadership, presence="process-1").stop()


def test_a_led_work_does_not_run_while_another_process_leads_it(
    alarms: Alarms, registry: CollectorRegistry, leadership: Leadership, elsewhere: Leadership
):
    elsewhere.contend(["sync"])
    ran: list[str] = []
    works = [
        Work("sync", 60, lambda _: ran.append("sync")),
        Work("market", 60, lambda _: ran.append("market"), led=False),
    ]
    jobs = Jobs(works, alarms, registry, lambda: NOON, leadership, presence="process-1")

    assert jobs.run_once("sync") is RunEnd.FOLLOWED
    assert jobs.run_once("market") is RunEnd.DONE
    assert ran == ["market"]
    assert runs(registry, "sync", "followed") == 1


def test_a_follower_takes_a_work_over_and_runs_it_at_once(
    alarms: Alarms, registry: CollectorRegistry, leadership: Leadership, elsewhere: Leadership
):
    elsewhere.contend(["sync"])
    ran = threading.Event()
    jobs = Jobs([Work("sync", 3_600, lambda _: ran.set())], alarms, registry, a_clock, leadership, presence="process-1")
    jobs.start()
    try:
        assert not ran.wait(0.2)
        assert registry.get_sample_value("mintery_job_leading", {"job": "sync"}) == 0
        elsewhere.close()

        assert ran.wait(10)
        assert eventually(lambda: registry.get_sample_value("mintery_job_leading", {"job": "sync"}) == 1)
    finally:
        jobs.stop()
    assert elsewhere.contend(["sync"]) == {"sync"}, "who stops lets others lead"


def test_losing_the_lead_in_the_middle_is_no_failure(
    alarms: Alarms, registry: CollectorRegistry, leadership: Leadership
):
    def lose(_now: datetime) -> None:
        raise LeadershipLost("sync")

    jobs = Jobs([Work("sync", 60, lose)], alarms, registry, lambda: NOON, leadership, presence="process-1")

    assert jobs.run_once("sync") is RunEnd.FOLLOWED
    assert alarms.standing() == ()
