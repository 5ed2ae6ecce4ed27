"""Runs the gateway's works on a clock. The one place that catches everything: a work that fails must not stop the rest."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from mintery.errors import MinteryError
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.onchain import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """Something to do every ``seconds``; it is never run twice at once, and missed runs are made up for by one."""

    name: str
    seconds: float
    run: Callable[[datetime], object]


class JobMeters:
    """Prometheus metrics of the jobs and of the alarms."""

    def __init__(self, registry: CollectorRegistry, alarms: Alarms) -> None:
        self.runs = Counter("mintery_job_runs", "Runs of each job by how they ended", ["job", "end"], registry=registry)
        self.seconds = Histogram("mintery_job_seconds", "Time that a run takes", ["job"], registry=registry)
        standing = Gauge("mintery_alarms_standing", "Alarms that stand, by kind", ["alarm"], registry=registry)
        for alarm in Alarm:
            standing.labels(alarm.value).set_function(partial(_count, alarms, alarm))


def _count(alarms: Alarms, alarm: Alarm) -> int:
    return sum(standing.alarm is alarm for standing in alarms.standing())


class Jobs:
    """The works of one process."""

    def __init__(self, works: Iterable[Work], alarms: Alarms, registry: CollectorRegistry, clock: Clock) -> None:
        self.works = {work.name: work for work in works}
        self._alarms = alarms
        self._meters = JobMeters(registry, alarms)
        self._clock = clock
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(max(1, len(self.works)))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )

    def start(self) -> None:
        """Every work runs at once, and then at its interval."""
        now = self._clock()
        for work in self.works.values():
            trigger = IntervalTrigger(seconds=work.seconds)
            self._scheduler.add_job(self.run_once, trigger, args=[work.name], id=work.name, next_run_time=now)
        self._scheduler.start()

    def stop(self) -> None:
        """Waits for what is running. Harmless when it was never started."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def run_once(self, name: str) -> bool:
        """Run a work now, on this thread; False when it failed."""
        work = self.works[name]
        began = time.monotonic()
        try:
            work.run(self._clock())
        except MinteryError as error:
            log.warning("job failed", extra={"job": name, "error": type(error).__name__, "why": str(error)})
            self._fail(name, error)
            return False
        except Exception as error:
            log.exception("job failed", extra={"job": name})
            self._fail(name, error)
            return False
        finally:
            self._meters.seconds.labels(name).observe(time.monotonic() - began)
        self._meters.runs.labels(name, "done").inc()
        self._alarms.clear(Alarm.JOB_FAILED, subject=name)
        return True

    def _fail(self, name: str, error: Exception) -> None:
        self._meters.runs.labels(name, "failed").inc()
        self._alarms.sound(Alarm.JOB_FAILED, f"{type(error).__name__}: {error}", self._clock(), subject=name)
