"""What could not go on and is tried again later: each time after a longer pause, so that what is stuck delays nothing else."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=5)
LAST_PAUSE = timedelta(minutes=10)
_DOUBLINGS = 7


@dataclass(frozen=True, slots=True)
class Postponed:
    """``subject``: an order, a refund or a call, by its id. ``tries``: in vain so far; ``why``: what the last one met."""

    subject: str
    tries: int
    why: str
    since: datetime
    next_at: datetime


def pause_after(tries: int) -> timedelta:
    """Until the next try, when so many were in vain: doubled by each, up to ``LAST_PAUSE``."""
    return min(LAST_PAUSE, FIRST_PAUSE * (1 << min(max(0, tries - 1), _DOUBLINGS)))
