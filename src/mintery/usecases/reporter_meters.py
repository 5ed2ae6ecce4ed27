"""A lone reporter as Prometheus metrics. Nothing in them is more than what reporters show each other."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from mintery.usecases.alarms import Alarm
from mintery.usecases.report_alone import LoneReporter


class ReporterMeters(Collector):
    """``looks`` are counted by how they ended: ``sent``, ``nothing`` or ``failed``."""

    def __init__(self, lone: LoneReporter) -> None:
        self._lone = lone
        self.registry = CollectorRegistry()
        self.looks = Counter(
            "mintery_reporter_looks",
            "Looks at the sources and the peers by how they ended",
            ["end"],
            registry=self.registry,
        )
        self.seconds = Histogram("mintery_reporter_look_seconds", "Time that a look takes", registry=self.registry)
        self.registry.register(self)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """What stands now, read when it is asked for."""
        epochs = GaugeMetricFamily(
            "mintery_reporter_epoch",
            "Newest epoch that a report of each reporter is here for",
            labels=["reporter", "own"],
        )
        for reporter, epoch in self._lone.epochs().items():
            epochs.add_metric([reporter, str(reporter == self._lone.address).lower()], epoch)
        standing = [each.alarm for each in self._lone.alarms.standing()]
        alarms = GaugeMetricFamily("mintery_alarms_standing", "Alarms that stand, by kind", labels=["alarm"])
        for alarm in Alarm:
            alarms.add_metric([alarm.value], standing.count(alarm))
        return (epochs, alarms)
