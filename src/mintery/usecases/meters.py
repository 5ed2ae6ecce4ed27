"""What the gateway counts of itself, and the one line it logs for each step of a request's life.

Lines carry ids and raw integers; never a key, a voucher, a signature or a prompt.
"""

import logging

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LOG = logging.getLogger("mintery.requests")

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Meters:
    """Prometheus metrics of paid requests."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended: dict[tuple[str, str], Counter] = {}
        self._charged: dict[str, Counter] = {}
        self.requests = Counter(
            "mintery_requests", "Paid requests by how they ended", ["model", "outcome"], registry=registry
        )
        self.captured = Counter(
            "mintery_captured_nanocredits", "Nanocredits charged, by model", ["model"], registry=registry
        )
        self.alarms = Counter(
            "mintery_usage_alarms", "Usage that had to be clamped or estimated", ["alarm"], registry=registry
        )
        self.joined = Counter(
            "mintery_requests_joined", "Requests that read the answer of an earlier attempt", registry=registry
        )
        self.waited = Counter("mintery_requests_waited", "Requests that waited for room", registry=registry)
        self.waiting = Gauge("mintery_requests_waiting", "Requests that wait for room", registry=registry)
        self._fallbacks = Counter(
            "mintery_route_fallbacks",
            "Calls that failed and were taken over by another route, by the route that failed",
            ["model"],
            registry=registry,
        )
        self.running = Gauge("mintery_requests_running", "Requests being answered", registry=registry)
        self.placing = Histogram(
            "mintery_hold_seconds", "Time to place a durable hold", buckets=SECONDS, registry=registry
        )
        self.first_byte = Histogram(
            "mintery_provider_first_byte_seconds",
            "Time from the hold to the provider's first byte or whole answer",
            buckets=SECONDS,
            registry=registry,
        )

    def ended(self, model: str, outcome: str) -> Counter:
        """The counter of one way to end; looked up once, as it takes a lock and a dictionary of its own."""
        if (known := self._ended.get((model, outcome))) is None:
            known = self._ended[model, outcome] = self.requests.labels(model, outcome)
        return known

    def fallback(self, model: str) -> Counter:
        return self._fallbacks.labels(model)

    def charged(self, model: str) -> Counter:
        if (known := self._charged.get(model)) is None:
            known = self._charged[model] = self.captured.labels(model)
        return known


def log_transition(name: str, **facts: object) -> None:
    if LOG.isEnabledFor(logging.INFO):
        LOG.info("%s %s", name, " ".join(f"{key}={value}" for key, value in facts.items()))


def log_alarm(name: str, **facts: object) -> None:
    LOG.warning("%s %s", name, " ".join(f"{key}={value}" for key, value in facts.items()))
