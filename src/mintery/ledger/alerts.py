"""Which of a holder's limits are used up to where the holder wants to know."""

from collections.abc import Iterable

from mintery.domain.limits import COUNTER_PREFIX, LEVELS, limit_of_counter
from mintery.ledger.limits import Limit

Alert = tuple[str, str, int]
"""A limit, the first day of its period, and the level that it reached, in per cent."""


def reached(limits: Iterable[Limit], used: dict[str, int]) -> Iterable[Alert]:
    """All levels that are reached now, by what is charged and what is set aside."""
    for limit in limits:
        if not limit.key.startswith(COUNTER_PREFIX) or limit.ceiling <= 0:
            continue
        per_cent_of = used.get(limit.key, 0) * 100
        if per_cent_of >= LEVELS[0] * limit.ceiling:
            named, first = limit_of_counter(limit.key)
            yield from ((named, first, level) for level in LEVELS if per_cent_of >= level * limit.ceiling)


def exhausted(key: str, amount: int, ceiling: int) -> Alert | None:
    """A request was refused that a fresh period would have admitted: nothing less than all of it is used up for its like."""
    if not key.startswith(COUNTER_PREFIX) or amount > ceiling:
        return None
    named, first = limit_of_counter(key)
    return named, first, LEVELS[-1]
