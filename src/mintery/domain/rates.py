"""How much one account may ask for in a minute, in requests and in tokens.

Each limit is a bucket that empties evenly and holds a minute's worth: the generic cell rate algorithm of ITU-T I.371. All
that is kept of one is an instant, when it would be empty again; a request adds its share of a minute to it and is let in
while that stays within a minute from now. So nobody gets twice the limit around the turn of a minute, as clocks would give.
"""

from typing import NamedTuple

from mintery.units import ceil_div, pro_rata_down

MINUTE = 60_000_000
"""Microseconds."""


class Rates(NamedTuple):
    """What a minute may bring; None for no limit."""

    requests: int | None = None
    tokens: int | None = None

    @property
    def limited(self) -> bool:
        return self.requests is not None or self.tokens is not None

    def raised_to(self, other: "Rates") -> "Rates":
        """The higher of each."""
        return Rates(_higher(self.requests, other.requests), _higher(self.tokens, other.tokens))


UNLIMITED = Rates()


class Gauge(NamedTuple):
    """One limit as it stands.

    Attributes:
        remaining: units that would still be let in now.
        reset: microseconds until all of ``limit`` would be again.
    """

    limit: int
    remaining: int
    reset: int


class RatesLeft(NamedTuple):
    """Where an account stands; None for what has no limit."""

    requests: Gauge | None
    tokens: Gauge | None


class RateUse(NamedTuple):
    """What one request counts as: itself, and ``tokens``; and by which rates."""

    rates: Rates
    tokens: int


def after(empty_at: int | None, units: int, limit: int, now: int) -> int:
    """When the bucket will be empty once ``units`` more are in it. Instants are microseconds."""
    return max(empty_at or 0, now) + ceil_div(units * MINUTE, limit)


def excess(empty_at: int, now: int) -> int:
    """Microseconds by which the bucket is too full; 0 where it is not."""
    return max(0, empty_at - now - MINUTE)


def gauge(empty_at: int | None, limit: int | None, now: int) -> Gauge | None:
    """``limit`` None: there is nothing to read."""
    if limit is None:
        return None
    filled = max(0, (empty_at or 0) - now)
    return Gauge(limit, pro_rata_down(max(0, MINUTE - filled), limit, MINUTE), filled)


def _higher(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
