"""Months, as the holder's own calendar has them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mintery.domain.period import MOST_MONTHS, month_of, months, zone_of
from mintery.errors import MalformedPeriod, UnknownTimeZone

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana")


def test_a_month_ends_where_the_next_begins_across_a_clock_change():
    berlin = zone_of("Europe/Berlin")

    march, april = months("2026-03", None, berlin), months("2026-04", None, berlin)

    assert march.start == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert march.end == april.start == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert (march.end - march.start) == timedelta(days=31) - timedelta(hours=1)
    assert (march.day_of(march.start), march.day_of(march.end)) == (date(2026, 3, 1), date(2026, 4, 1))
    assert march.day_of(march.end - timedelta(microseconds=1)) == date(2026, 3, 31)


def test_a_midnight_that_the_clocks_skip_is_the_moment_at_which_they_do():
    """Havana put its clocks on at midnight; in April 2001 on the first of the month."""
    april = months("2001-04", None, zone_of("America/Havana"))

    assert april.start == datetime(2001, 4, 1, 5, tzinfo=UTC)
    assert april.day_of(april.start) == date(2001, 4, 1)
    assert april.day_of(april.start - timedelta(microseconds=1)) == date(2001, 3, 31)


def test_a_year_is_its_months():
    year = months("2025-12", "2026-11", zone_of("Asia/Tokyo"))

    assert year.name == "2025-12 to 2026-11"
    assert (year.day_of(year.end) - year.day_of(year.start)).days == 365


@settings(max_examples=60)
@given(
    name=st.sampled_from(ZONES), year=st.integers(1990, 2050), month=st.integers(1, 12), offset=st.integers(0, 10**9)
)
def test_every_instant_is_in_exactly_the_month_that_it_says(name: str, year: int, month: int, offset: int):
    zone = zone_of(name)
    instant = datetime(year, month, 1, tzinfo=UTC) + timedelta(milliseconds=2 * offset)

    its = months(month_of(instant, zone), None, zone)

    assert its.start <= instant < its.end
    first, end = its.day_of(its.start), its.day_of(its.end)
    assert first.day == end.day == 1
    assert 28 <= (end - first).days <= 31


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-13", None), ("2026-1", None), ("26-11", None), ("", None), ("2026-11-01", None), ("0001-01", None),
        ("9999-12", None), ("٢٠٢٦-11", None), ("2026-11", "2026-10"), ("2026-01", "2028-01"), ("2026-11", "x"),
    ],
)  # fmt: skip
def test_what_is_no_row_of_months_is_refused(first: str, last: str | None):
    with pytest.raises(MalformedPeriod):
        months(first, last, zone_of("UTC"))
    assert months("2026-01", "2027-12", zone_of("UTC")).name
    assert MOST_MONTHS == 24


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../UTC", "/etc/passwd", "Europe", "x" * 300, "UTC\0"])
def test_what_is_no_time_zone_is_refused(name: str):
    with pytest.raises(UnknownTimeZone):
        zone_of(name)
