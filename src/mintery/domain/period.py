"""Whole calendar months as people in one time zone count them."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mintery.errors import MalformedPeriod, UnknownTimeZone

MOST_MONTHS = 24
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1971, 9998
_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` up to, and without, ``end``: aware instants, midnights of ``zone``.

    Attributes:
        name: ``2026-11``, or ``2026-01 to 2026-12``.
    """

    name: str
    start: datetime
    end: datetime
    zone: ZoneInfo

    def day_of(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its IANA name, like ``Europe/Berlin``.

    Raises:
        UnknownTimeZone
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        raise UnknownTimeZone(name) from None


def months(first: str, last: str | None, zone: ZoneInfo) -> Period:
    """The months ``first`` to ``last`` (both ``YYYY-MM``), or ``first`` alone.

    Raises:
        MalformedPeriod: a month is no month, they are the wrong way round, or more than ``MOST_MONTHS``.
    """
    begins = _count(first)
    ends = begins if last is None else _count(last)
    if not 0 <= ends - begins < MOST_MONTHS:
        raise MalformedPeriod(f"{first} to {last}", f"it must be 1 to {MOST_MONTHS} months, the earlier one first")
    name = first if ends == begins else f"{first} to {last}"
    return Period(name, _midnight(begins, zone), _midnight(ends + 1, zone), zone)


def month_of(instant: datetime, zone: ZoneInfo) -> str:
    """``YYYY-MM`` of an aware instant."""
    return instant.astimezone(zone).strftime("%Y-%m")


def _count(text: str) -> int:
    """Months since the year 0."""
    if (found := _MONTH.fullmatch(text)) is None or not _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
        raise MalformedPeriod(text, "write a month as 2026-11")
    return int(found[1]) * _MONTHS_A_YEAR + int(found[2]) - 1


def _midnight(count: int, zone: ZoneInfo) -> datetime:
    """When the month begins. A midnight that the clocks skip is the moment at which they do."""
    year, month = divmod(count, _MONTHS_A_YEAR)
    return datetime(year, month + 1, 1, tzinfo=zone).astimezone(UTC)
