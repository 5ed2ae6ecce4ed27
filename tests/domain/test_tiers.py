"""Tiers by the input's length and windows of the UTC day."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.tiers import (
    DAY_MINUTES,
    Band,
    MeteredUnit,
    Window,
    band_at,
    bands_of,
    check_windows,
    minute_of,
    parse_unit,
    parse_window,
    unit_text,
    window_at,
)
from mintery.errors import MalformedWindow
from mintery.units import UnixSeconds

OFF_PEAK = parse_window("off_peak", "16:30", "00:30")
MIDNIGHT = 1_795_305_600
"""2026-11-22 00:00 UTC."""

tier_lists = st.lists(st.integers(1, 10**7), unique=True, max_size=5).map(sorted)


@pytest.mark.parametrize(
    ("seconds", "window"),
    [
        (-7 * 3_600 - 30 * 60 - 1, ""),
        (-7 * 3_600 - 30 * 60, "off_peak"),
        (-1, "off_peak"),
        (0, "off_peak"),
        (30 * 60 - 1, "off_peak"),
        (30 * 60, ""),
        (12 * 3_600, ""),
    ],
)
def test_a_window_over_midnight_is_half_open(seconds: int, window: str):
    assert window_at([OFF_PEAK], minute_of(UnixSeconds(MIDNIGHT + seconds))) == window


@given(st.integers(0, DAY_MINUTES - 1), st.integers(0, DAY_MINUTES - 1), st.integers(0, DAY_MINUTES - 1))
def test_each_minute_is_in_a_window_or_in_the_rest_of_the_day(start: int, end: int, minute: int):
    if start != end:
        assert Window("a", start, end).covers(minute) != Window("b", end, start).covers(minute)


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("night", "22:00", "22:00"),
        ("night", "24:00", "06:00"),
        ("night", "22:60", "06:00"),
        ("night", "7:00", "08:00"),
        ("night", "²2:00", "06:00"),
        ("night", "2200", "06:00"),
        ("", "22:00", "06:00"),
        ("ni.ght", "22:00", "06:00"),
        ("above_5", "22:00", "06:00"),
    ],
)
def test_what_is_no_window_is_refused(name: str, start: str, end: str):
    with pytest.raises(MalformedWindow):
        parse_window(name, start, end)


def test_windows_that_overlap_or_leave_nothing_are_refused():
    day, night = parse_window("day", "06:00", "18:00"), parse_window("night", "17:59", "06:00")
    with pytest.raises(MalformedWindow, match="overlaps"):
        check_windows([day, night])
    with pytest.raises(MalformedWindow, match="plain unit"):
        check_windows([day, parse_window("night", "18:00", "06:00")])
    check_windows([parse_window("peak", "01:00", "04:00"), parse_window("peak", "06:00", "10:00")])
    check_windows([])


@given(tier_lists, st.integers(0, 2 * 10**7))
def test_every_length_falls_into_one_band(tiers: list[int], inputs: int):
    bands = bands_of(tiers)
    holding = [
        place
        for place, band in enumerate(bands)
        if (inputs > band.above or not band.above) and (band.most is None or inputs <= band.most)
    ]
    assert holding == [band_at(bands, inputs)]


def test_a_boundary_that_is_hit_exactly_is_not_passed():
    bands = bands_of([200_000])
    assert bands == (Band(0, 200_000), Band(200_000))
    assert [band_at(bands, inputs) for inputs in (0, 1, 199_999, 200_000, 200_001)] == [0, 0, 0, 0, 1]


@given(
    st.sampled_from(["input_token", "output_token", "image.1024x1024-high", "request"]),
    st.sampled_from(["", "off_peak"]),
    st.sampled_from([0, 1, 200_000]),
)
def test_a_units_text_is_read_back(unit: str, window: str, above: int):
    shown = above if unit.endswith("token") else 0
    assert parse_unit(unit_text(unit, window, above), [OFF_PEAK]) == MeteredUnit(unit, window, shown)


@pytest.mark.parametrize(
    "text", ["image.1024x1024-high", "input_token.night", "input_token.above_", "input_token.above_x", "above_5"]
)
def test_what_is_no_tier_and_no_known_window_stays_with_the_unit(text: str):
    assert parse_unit(text, [OFF_PEAK]) == MeteredUnit(text, "", 0)
