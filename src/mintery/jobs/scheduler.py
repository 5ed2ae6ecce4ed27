"""Runs the gateway's works on a clock, each in the one process that leads it.

The one place that catches everything: a work that fails must not stop the rest.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from mintery.errors import LeadershipLost, MinteryError
from mintery.ledger.leadership import Leadership
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.onchain import Clock

log = logging.getLogger(__name__)


ELECTION_SECONDS = 1.0
"""Between two looks at who leads: a dead leader's jobs go on in another process after about as long."""


class RunEnd(StrEnum):
    """How a run ended; ``followed``: another process leads the work, or took it over meanwhile."""

    DONE = "done"
    FAILED = "failed"
    FOLLOWED = "followed"


@dataclass(frozen=True, slots=True)
class Work:
    """Something to do every ``seconds``; it is never run twice at once, and missed runs are made up for by one.

    ``led``: one process among all on the ledger does it; otherwise every process does it for itself.
    """

    name: str
    seconds: float
    run: Callable[[datetime], object]
    led: bool = True


class JobMeters:
    """Prometheus metrics of the jobs and of the alarms."""

    def __init__(self, registry: CollectorRegistry, alarms: Alarms) -> None:
        self.leading = Gauge("mintery_job_leading", "1 where this process leads the job", ["job"], registry=registry)
        self.runs = Counter("mintery_job_runs", "Runs of each job by how they ended", ["job", "end"], registry=registry)
        self.seconds = Histogram("mintery_job_seconds", "Time that a run takes", ["job"], registry=registry)
        standing = Gauge("mintery_alarms_standing", "Alarms that stand, by kind", ["alarm"], registry=registry)
        for alarm in Alarm:
            standing.labels(alarm.value).set_function(partial(_count, alarms, alarm))


def _count(alarms: Alarms, alarm: Alarm) -> int:
    return sum(standing.alarm is alarm for standing in alarms.standing())


class Jobs:
    """The works of one process."""

    def __init__(
        self,
        works: Iterable[Work],
        alarms: Alarms,
        registry: CollectorRegistry,
        clock: Clock,
        leadership: Leadership,
        *,
        presence: str,
    ) -> None:
        """``presence``: a job that only this process contends for, and leads while it runs, so that others can tell."""
        self.works = {work.name: work for work in works}
        self._led = frozenset(work.name for work in self.works.values() if work.led)
        self._leading: frozenset[str] = frozenset()
        self._alarms = alarms
        self._meters = JobMeters(registry, alarms)
        self._clock = clock
        self._leadership = leadership
        self._presence = presence
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(max(1, len(self.works)))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )
        # Not a job of the scheduler's: it changes when those run, which the scheduler does not allow while it stops.
        self._stopping, self._stopped = threading.Event(), threading.Event()
        self._elector = threading.Thread(target=self._keep_electing, name="mintery-election", daemon=True)

    def start(self) -> None:
        """Every work runs at once, and then at its interval; a led one as soon as this process leads it."""
        self._leadership.contend([self._presence])
        now = self._clock()
        for work in self.works.values():
            trigger = IntervalTrigger(seconds=work.seconds)
            first = None if work.led else now
            self._scheduler.add_job(self.run_once, trigger, args=[work.name], id=work.name, next_run_time=first)
        self._scheduler.start()
        self._elector.start()

    def stop(self) -> None:
        """Waits for what is running, and lets other processes lead. Harmless when it was never started."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
            self._stopped.set()
            self._elector.join()
        self._leadership.close()

    def run_once(self, name: str) -> RunEnd:
        """Run a work now, on this thread, if this process may lead it."""
        work = self.works[name]
        if work.led and name not in self._leadership.contend([name]):
            return self._followed(name)
        began = time.monotonic()
        try:
            work.run(self._clock())
        except LeadershipLost:
            return self._followed(name)
        except MinteryError as error:
            log.warning("job failed", extra={"job": name, "error": type(error).__name__, "why": str(error)})
            return self._failed(name, error)
        except Exception as error:
            log.exception("job failed", extra={"job": name})
            return self._failed(name, error)
        finally:
            self._meters.seconds.labels(name).observe(time.monotonic() - began)
        self._meters.runs.labels(name, RunEnd.DONE.value).inc()
        self._alarms.clear(Alarm.JOB_FAILED, subject=name)
        return RunEnd.DONE

    def _keep_electing(self) -> None:
        """Until the last work has ended: what runs must keep the lead."""
        while not self._stopped.is_set():
            try:
                if self._stopping.is_set():
                    self._leadership.contend(self._leading | {self._presence})
                else:
                    self._elect()
            except JobLookupError:
                log.debug("the works were stopped meanwhile")
            except Exception:
                log.exception("election failed")
            self._stopped.wait(ELECTION_SECONDS)

    def _elect(self) -> None:
        """Take up what nobody leads; a work that another process led until now runs at once."""
        leading = self._leadership.contend(self._led | {self._presence}) - {self._presence}
        for name in sorted(leading - self._leading):
            log.info("job led", extra={"job": name})
            self._scheduler.modify_job(name, next_run_time=self._clock())
        for name in sorted(self._leading - leading):
            log.warning("job no longer led", extra={"job": name})
            self._scheduler.pause_job(name)
        for name in self._led:
            self._meters.leading.labels(name).set(name in leading)
        self._leading = leading

    def _followed(self, name: str) -> RunEnd:
        """Whether it stands still is for its leader to say."""
        self._meters.runs.labels(name, RunEnd.FOLLOWED.value).inc()
        self._alarms.clear(Alarm.JOB_FAILED, subject=name)
        return RunEnd.FOLLOWED

    def _failed(self, name: str, error: Exception) -> RunEnd:
        self._meters.runs.labels(name, RunEnd.FAILED.value).inc()
        self._alarms.sound(Alarm.JOB_FAILED, f"{type(error).__name__}: {error}", self._clock(), subject=name)
        return RunEnd.FAILED
