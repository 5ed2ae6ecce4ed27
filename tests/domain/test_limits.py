"""Days, weeks and months of a holder's time zone leave no instant out and share none, whatever clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.limits import Calendar, LimitId, LimitPeriod, SpendLimit, limit_of_counter, span_at
from mintery.domain.voucher import Address
from mintery.units import NanoCredits

ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "America/Havana", "America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut",
    "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns", "Atlantic/Azores",
]  # fmt: skip
"""With midnights that clocks skip, midnights that come twice, quarters of hours, and a day that never was."""
instants = st.integers(1_200_000_000, 2_200_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(now=instants, zone=st.sampled_from(ZONES), period=st.sampled_from(LimitPeriod))
def test_periods_are_a_partition(now: datetime, zone: str, period: LimitPeriod):
    where = ZoneInfo(zone)
    span = span_at(period, where, now)

    assert span.begins <= now < span.ends
    for inside in (span.begins, span.ends - timedelta(microseconds=1)):
        assert span_at(period, where, inside) == span
    assert span_at(period, where, span.ends).begins == span.ends
    assert span_at(period, where, span.begins - timedelta(microseconds=1)).ends == span.begins


@given(now=instants, zone=st.sampled_from(ZONES), period=st.sampled_from(LimitPeriod))
def test_a_calendar_tells_what_is_found_anew(now: datetime, zone: str, period: LimitPeriod):
    calendar, where = Calendar(), ZoneInfo(zone)

    for moment in (now, now + timedelta(hours=1), now + timedelta(days=40), now):
        assert calendar.span_at(period, where, moment) == span_at(period, where, moment)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29T12:00", 23),
        ("Europe/Berlin", "2026-10-25T12:00", 25),
        ("Africa/Cairo", "2026-04-24T12:00", 23),
        ("America/Havana", "2026-11-01T17:00", 25),
        ("Australia/Lord_Howe", "2026-04-04T18:00", 24.5),
    ],
)
def test_the_day_on_which_clocks_change_is_longer_or_shorter(zone: str, day: str, hours: float):
    span = span_at(LimitPeriod.DAY, ZoneInfo(zone), datetime.fromisoformat(day).replace(tzinfo=UTC))

    assert (span.ends - span.begins) == timedelta(hours=hours)


def test_a_week_begins_on_monday_where_the_holder_lives():
    sunday_evening = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)

    in_berlin = span_at(LimitPeriod.WEEK, ZoneInfo("Europe/Berlin"), sunday_evening)
    in_tokyo = span_at(LimitPeriod.WEEK, ZoneInfo("Asia/Tokyo"), sunday_evening)

    assert (in_berlin.first.isoformat(), in_tokyo.first.isoformat()) == ("2026-11-16", "2026-11-23")
    assert in_berlin.ends == datetime(2026, 11, 22, 23, tzinfo=UTC)


def test_a_counter_names_its_limit_and_period():
    limit = SpendLimit(
        LimitId("lim_0123456789abcdef"),
        Address("0x"),
        Address("0x"),
        LimitPeriod.MONTH,
        NanoCredits(1),
        datetime.now(UTC),
    )
    span = span_at(LimitPeriod.MONTH, ZoneInfo("UTC"), datetime(2026, 11, 21, tzinfo=UTC))

    assert limit_of_counter(limit.counter(span)) == ("lim_0123456789abcdef", "2026-11-01")
