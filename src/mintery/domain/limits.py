"""A holder's own limits: how much may be spent in a day, a week or a month of the holder's time zone.

A calendar period is named by its first day. It begins when that day does where the holder lives, so the day on which clocks
change has 23 or 25 hours, and belongs whole to its week and month. Periods are half-open and leave no instant out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple, NewType
from zoneinfo import ZoneInfo

from mintery.domain.intent import Intent
from mintery.domain.keys import KeyId
from mintery.domain.voucher import Address
from mintery.units import NanoCredits

LimitId = NewType("LimitId", str)
"""``lim_`` and 16 hex digits."""
NAMED = "named"
"""How a request asks that names a model itself, where others name an intent."""
WAYS = (*(intent.value for intent in Intent), NAMED)
LEVELS = (50, 80, 100)
"""Per cent of a limit at which its holder is told."""
COUNTER_PREFIX = "limit:"
UTC_ZONE = ZoneInfo("UTC")
"""Of holders who never said where they live."""
_MONDAY = 0


class LimitPeriod(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Span(NamedTuple):
    """One calendar period: ``first`` is its first day where the holder lives; ``begins`` and ``ends`` in UTC, half-open."""

    first: date
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class SpendLimit:
    """At most ``ceiling`` in each ``period``, of what this holder's accounts of ``token`` spend.

    It counts what is charged and what is set aside. ``key``, ``model`` and ``way`` narrow it down: to one key, to what one
    model answers, to requests that ask so (an intent, or ``named``). None: all.
    """

    id: LimitId
    holder: Address
    token: Address
    period: LimitPeriod
    ceiling: NanoCredits
    set_at: datetime
    key: KeyId | None = None
    model: str | None = None
    way: str | None = None

    def binds(self, models: Iterable[str], way: str) -> bool:
        """Whether it may come to count for a request that one of ``models`` answers. Whose it is, is not asked here."""
        return (self.model is None or self.model in models) and (self.way is None or self.way == way)

    def counter(self, span: Span) -> str:
        """The name that the ledger counts the period's spending under."""
        return f"{COUNTER_PREFIX}{self.id}:{span.first.isoformat()}"


def limit_of_counter(counter: str) -> tuple[LimitId, str]:
    """The limit and the first day that ``SpendLimit.counter`` wrote."""
    _, limit, first = counter.split(":")
    return LimitId(limit), first


def span_at(period: LimitPeriod, zone: ZoneInfo, now: datetime) -> Span:
    """The period that ``now`` is in."""
    today = now.astimezone(zone).date()
    match period:
        case LimitPeriod.DAY:
            first, after = today, today + timedelta(days=1)
        case LimitPeriod.WEEK:
            first = today - timedelta(days=(today.weekday() - _MONDAY) % 7)
            after = first + timedelta(days=7)
        case LimitPeriod.MONTH:
            first = today.replace(day=1)
            after = (first + timedelta(days=31)).replace(day=1)
    return Span(first, _midnight(first, zone), _midnight(after, zone))


class Calendar:
    """Periods that were found out before: the hot path asks for the same few, and each holds for hours."""

    def __init__(self) -> None:
        self._newest: dict[tuple[LimitPeriod, str], Span] = {}

    def span_at(self, period: LimitPeriod, zone: ZoneInfo, now: datetime) -> Span:
        known = self._newest.get((period, zone.key))
        if known is None or not known.begins <= now < known.ends:
            known = self._newest[period, zone.key] = span_at(period, zone, now)
        return known


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """When ``day`` begins. A midnight that clocks skip is the moment at which they do; of one that comes twice, the first."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
