"""Prices that depend on the length of the input, or on the time of day: each tier and each window is a SKU of its own.

A SKU's unit is then followed by the window's name, and by the tier's: ``output_token.off_peak``,
``input_token.above_200000``, ``input_token.off_peak.above_200000``. The plain unit is for what lies outside all windows and
above no boundary. A request's whole usage falls into one tier, by all its input tokens together; into one window, by the
time of its quote.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mintery.errors import MalformedWindow
from mintery.units import UnixSeconds

ABOVE = "above_"
TOKEN = "token"  # noqa: S105 -- how the units end that tiers apply to, no secret
DAY_MINUTES = 1_440
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Window:
    """Part of each UTC day: minutes from ``start`` on and before ``end``, over midnight where ``end`` comes first."""

    name: str
    start: int
    end: int

    def covers(self, minute: int) -> bool:
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


@dataclass(frozen=True, slots=True)
class Band:
    """Requests of one tier, by their input tokens: more than ``above``, and at most ``most`` (None: without end)."""

    above: int = 0
    most: int | None = None


def parse_window(name: str, start: str, end: str) -> Window:
    """``("off_peak", "16:30", "00:30")``, in UTC.

    Raises:
        MalformedWindow
    """
    if not name.isascii() or not name.replace("_", "").isalnum() or name.startswith(ABOVE):
        raise MalformedWindow(name, "its name is made of letters, digits and underscores")
    window = Window(name, _parse_minute(name, start), _parse_minute(name, end))
    if window.start == window.end:
        raise MalformedWindow(name, "it begins where it ends")
    return window


def _parse_minute(name: str, text: str) -> int:
    hours, colon, minutes = text.partition(":")
    digits = hours.isascii() and minutes.isascii() and hours.isdigit() and minutes.isdigit()
    if not (colon and digits and len(hours) == len(minutes) == 2 and int(hours) < 24 and int(minutes) < 60):
        raise MalformedWindow(name, f"{text[:20]!r} is no time of day like 16:30")
    return int(hours) * _MINUTE + int(minutes)


def check_windows(windows: Sequence[Window]) -> None:
    """Several windows may share a name. Raises MalformedWindow where two overlap, or where all of the day is covered."""
    covered = 0
    for minute in range(DAY_MINUTES):
        names = [window.name for window in windows if window.covers(minute)]
        if len(names) > 1:
            raise MalformedWindow(names[1], f"it overlaps with {names[0]}")
        covered += len(names)
    if covered == DAY_MINUTES:
        raise MalformedWindow(windows[0].name, "the windows cover the day: leave one out, for the plain unit")


def minute_of(now: UnixSeconds) -> int:
    """Of the UTC day. Unix days have no leap second and no summer time."""
    return now // _MINUTE % DAY_MINUTES


def window_at(windows: Iterable[Window], minute: int) -> str:
    """The name of the window; empty outside all of them."""
    return next((window.name for window in windows if window.covers(minute)), "")


def next_turn(windows: Iterable[Window], now: UnixSeconds) -> UnixSeconds | None:
    """When a window next begins or ends, after ``now``; None without any."""
    second = now % (DAY_MINUTES * _MINUTE)
    edges = {edge * _MINUTE for window in windows for edge in (window.start, window.end)}
    waits = [(edge - second) % (DAY_MINUTES * _MINUTE) or DAY_MINUTES * _MINUTE for edge in edges]
    return UnixSeconds(now + min(waits)) if waits else None


def bands_of(tiers: Sequence[int]) -> tuple[Band, ...]:
    """One more than there are boundaries, which ascend."""
    starts = (0, *tiers)
    return (*(Band(above, most) for above, most in pairwise(starts)), Band(starts[-1]))


def band_at(bands: Sequence[Band], inputs: int) -> int:
    """The place of the band that ``inputs`` tokens fall into: a boundary that is hit exactly is not passed."""
    return next(place for place in reversed(range(len(bands))) if inputs > bands[place].above or not place)


def unit_text(unit: str, window: str = "", above: int = 0) -> str:
    """How a SKU of that window and tier ends. Tiers are of tokens alone."""
    tier = f".{ABOVE}{above}" if above and unit.partition(".")[0].endswith(TOKEN) else ""
    return f"{unit}.{window}{tier}" if window else f"{unit}{tier}"


@dataclass(frozen=True, slots=True)
class MeteredUnit:
    """What ``unit_text`` was made of."""

    unit: str
    window: str
    above: int


def parse_unit(text: str, windows: Iterable[Window] = ()) -> MeteredUnit:
    """What is neither a tier nor one of ``windows`` stays with the unit: ``image.1024x1024-high`` is one."""
    above, window = 0, ""
    unit, point, last = text.rpartition(".")
    digits = last.removeprefix(ABOVE)
    if point and last.startswith(ABOVE) and digits.isascii() and digits.isdigit() and len(digits) < 19:
        text, above = unit, int(digits)
        unit, point, last = text.rpartition(".")
    if point and any(known.name == last for known in windows):
        text, window = unit, last
    return MeteredUnit(text, window, above)
