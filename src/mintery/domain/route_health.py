"""How each route has answered lately: moving windows of its calls, and a breaker that keeps requests from one that fails.

Times are seconds of the caller's clock; durations are whole microseconds. Nothing here is written down: a process that
starts measures anew.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from mintery.errors import MinteryError, RouteBroken, RouteOnTrial
from mintery.units import pro_rata_down

BUCKET_SECONDS, BUCKETS = 60, 10
"""A window is the last ten minutes, minute by minute."""
FAILURES_TO_OPEN = 3
"""In a row."""
FIRST_PAUSE, LONGEST_PAUSE = 10, 60
"""Seconds that an open breaker waits before it lets one request try; each trial that fails doubles them."""
NOMINAL_TOKENS = 256
"""The answer that speeds are compared by."""
FEW_CALLS = 5
"""So many say nothing about how reliable a route is."""
TOLERATED_PERCENT = 5
"""Of calls that fail: a route with more of them is not reliable."""


class BreakerState(StrEnum):
    """closed → open after failures in a row; open → half-open by time; half-open → closed or open by its trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    """One request at a time may try."""


@dataclass(slots=True)
class Breaker:
    """``pause`` 0 is closed; ``failures`` are those in a row."""

    failures: int = 0
    pause: float = 0
    open_until: float = 0

    def state_at(self, now: float) -> BreakerState:
        if not self.pause:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self.open_until else BreakerState.HALF_OPEN

    def succeed(self) -> None:
        self.failures, self.pause = 0, 0

    def fail(self, now: float, wait: float | None = None) -> None:
        """``wait``: the provider itself asked to be left alone for so long. What ends while it is open was sent before."""
        self.failures += 1
        if self.state_at(now) is BreakerState.OPEN or (
            self.failures < FAILURES_TO_OPEN and wait is None and not self.pause
        ):
            return
        self.pause = min(2 * self.pause or FIRST_PAUSE, LONGEST_PAUSE)
        self.open_until = now + min(max(self.pause, wait or 0), LONGEST_PAUSE)


@dataclass(slots=True)
class _Bucket:
    """One minute. ``firsts`` counts streams, whose first event came after ``first_us`` together."""

    slot: int
    calls: int = 0
    failures: int = 0
    firsts: int = 0
    first_us: int = 0
    wholes: int = 0
    whole_us: int = 0
    tokens: int = 0
    token_us: int = 0


class Figures(NamedTuple):
    """What a window says.

    Attributes:
        latency_us: mean time to the first event of a stream, or to a whole answer where nothing was streamed.
        milli_tokens: output tokens in a thousand seconds, once they flow.
        expected_us: mean time for an answer of ``NOMINAL_TOKENS``; None for a route that was never measured.
    """

    calls: int = 0
    failures: int = 0
    latency_us: int | None = None
    milli_tokens: int | None = None
    expected_us: int | None = None

    @property
    def reliable(self) -> bool:
        return self.calls < FEW_CALLS or 100 * self.failures <= TOLERATED_PERCENT * self.calls


@dataclass(slots=True)
class RouteHealth:
    """One route. Speeds outlive their window until there are newer ones; failures do not."""

    breaker: Breaker = field(default_factory=Breaker)
    trying: int = 0
    """Calls under way."""
    on_trial: bool = False
    """One of them began while the breaker was half-open, and what the breaker goes by is its first byte, or its end."""
    answered: _Bucket | None = None
    """The newest minute with an answer; None for a route that was never measured."""
    _buckets: deque[_Bucket] = field(default_factory=lambda: deque(maxlen=BUCKETS))
    _calls: int = 0
    """All of them, ever."""
    _summed: tuple[tuple[int, int], Figures] | None = None

    def answer(self, now: float, *, whole_us: int, first_us: int | None, tokens: int, trial: bool = False) -> None:
        """``first_us`` None: the answer came whole. Every paid request ends here: as few steps as there can be."""
        bucket = self.answered
        if bucket is None or bucket.slot != int(now) // BUCKET_SECONDS:
            bucket = self.answered = self._bucket(now)
        self._calls += 1
        bucket.calls += 1
        bucket.wholes += 1
        bucket.whole_us += whole_us
        if first_us is not None:
            bucket.firsts += 1
            bucket.first_us += first_us
        if tokens > 0:
            bucket.tokens += tokens
            bucket.token_us += whole_us - (first_us or 0)
        if self.breaker.failures and (trial or not self.breaker.pause):
            self.breaker.succeed()

    def fail(self, now: float, wait: float | None = None, *, trial: bool = False) -> None:
        """What began before the breaker opened says nothing of whether the route has recovered."""
        self._calls += 1
        bucket = self._bucket(now)
        bucket.calls += 1
        bucket.failures += 1
        if trial or not self.breaker.pause:
            self.breaker.fail(now, wait)

    def figures(self, now: float) -> Figures:
        """Summed up once for each minute and call."""
        key = (self._calls, int(now) // BUCKET_SECONDS)
        if self._summed is None or self._summed[0] != key:
            self._summed = (key, self._sum_up(now))
        return self._summed[1]

    def _sum_up(self, now: float) -> Figures:
        oldest = int(now) // BUCKET_SECONDS - BUCKETS
        recent = [bucket for bucket in self._buckets if bucket.slot > oldest]
        calls = sum(bucket.calls for bucket in recent)
        failures = sum(bucket.failures for bucket in recent)
        if self.answered is None:
            return Figures(calls, failures)
        measured = recent if calls > failures else [self.answered]
        firsts, first_us = sum(each.firsts for each in measured), sum(each.first_us for each in measured)
        wholes, whole_us = sum(each.wholes for each in measured), sum(each.whole_us for each in measured)
        tokens, token_us = sum(each.tokens for each in measured), sum(each.token_us for each in measured)
        first, whole = pro_rata_down(first_us, 1, firsts), pro_rata_down(whole_us, 1, wholes)
        return Figures(
            calls,
            failures,
            latency_us=first if firsts else whole,
            milli_tokens=pro_rata_down(tokens, 1_000_000_000, token_us) if token_us else None,
            expected_us=first + pro_rata_down(token_us, NOMINAL_TOKENS, tokens) if tokens else whole,
        )

    def _bucket(self, now: float) -> _Bucket:
        slot = int(now) // BUCKET_SECONDS
        if not self._buckets or self._buckets[-1].slot < slot:
            self._buckets.append(_Bucket(slot))
        return self._buckets[-1]


class HealthBoard:
    """All routes of a process. ``version`` changes with what must be seen at once; belongs to one thread."""

    def __init__(self) -> None:
        self._routes: dict[str, RouteHealth] = {}
        self._troubled: set[str] = set()
        self.version = 0

    def of(self, route: str) -> RouteHealth:
        if (known := self._routes.get(route)) is None:
            known = self._routes[route] = RouteHealth()
        return known

    def begin(self, route: str, now: float) -> bool:
        """A call goes out; ``answered``, ``failed`` or ``undecided`` ends it, and is told whether it is the trial: that is
        what this returns.
        """
        health = self.of(route)
        health.trying += 1
        half_open = route in self._troubled and health.breaker.state_at(now) is BreakerState.HALF_OPEN
        trial = half_open and not health.on_trial
        if trial:
            health.on_trial = True
        if trial or (health.trying == 1 and health.answered is None):
            self.version += 1
        return trial

    def answered(
        self, route: str, now: float, *, whole_us: int, first_us: int | None, tokens: int, trial: bool = False
    ) -> None:
        health = self._routes[route]
        health.trying -= 1
        if trial:
            health.on_trial = False
            self._troubled.discard(route)
        if trial or health.answered is None:
            self.version += 1
        health.answer(now, whole_us=whole_us, first_us=first_us, tokens=tokens, trial=trial)

    def passed(self, route: str) -> None:
        """The trial has its verdict before its call ends, for that may take as long as an answer streams. From here on it is
        a call like any other.
        """
        health = self._routes[route]
        health.on_trial = False
        health.breaker.succeed()
        self._troubled.discard(route)
        self.version += 1

    def failed(self, route: str, now: float, wait: float | None = None, *, trial: bool = False) -> None:
        health = self._end(route, trial=trial)
        open_until = health.breaker.open_until
        health.fail(now, wait, trial=trial)
        if health.breaker.open_until != open_until:
            self._troubled.add(route)
            self.version += 1

    def undecided(self, route: str, *, trial: bool = False) -> None:
        """It says nothing about the route: the request itself was refused, or the gateway was stopped."""
        self._end(route, trial=trial)

    def barred(self, now: float) -> Mapping[str, MinteryError]:
        """Routes that take no request now, each with the reason."""
        if not self._troubled:
            return {}
        barred: dict[str, MinteryError] = {}
        for route in self._troubled:
            health = self._routes[route]
            breaker = health.breaker
            if breaker.state_at(now) is BreakerState.OPEN:
                barred[route] = RouteBroken(route, breaker.failures, retry_after=max(1, int(breaker.open_until - now)))
            elif health.on_trial:
                barred[route] = RouteOnTrial(route)
        return barred

    def _end(self, route: str, *, trial: bool) -> RouteHealth:
        health = self._routes[route]
        health.trying -= 1
        if trial:
            health.on_trial = False
        if trial or (not health.trying and health.answered is None):
            self.version += 1
        return health
