"""One page of memory that all processes of a run share: what time it is, and which points were reached."""

import mmap
import struct
import time
from datetime import UTC, datetime, timedelta

from tests.faults.points import POINTS

BEGINNING = 1_800_000_000
"""Unix seconds at which every world begins, so that no run depends on the day."""
PROCESSES = 2
LIVES = 64
"""Gateway processes in one run, restarts included, of which a death can be told."""

_HEAD = struct.Struct("<qqq")
_SKEWS_AT = _HEAD.size
_REACHED_AT = _SKEWS_AT + 8 * PROCESSES
_DIED_AT = _REACHED_AT + 4 * len(POINTS)
_SIZE = _DIED_AT + LIVES
_NANOS = 10**9
_MICROS = 10**6


class Page:
    """Anonymous shared memory: a fork keeps it, and a process that is killed loses nothing that it wrote."""

    def __init__(self) -> None:
        self.part()

    def part(self) -> None:
        """From here on this process and its forks have a page of their own."""
        self._memory = mmap.mmap(-1, _SIZE)

    def begin(self, offset: int) -> None:
        """A new run, ``offset`` seconds after the beginning. From here on time runs."""
        self._memory[:] = bytes(_SIZE)
        self._write(offset * _NANOS, time.monotonic_ns(), running=True)

    def stand_still(self, offset: int) -> None:
        self._memory[:] = bytes(_SIZE)
        self._write(offset * _NANOS, 0, running=False)

    def skip(self, seconds: float) -> None:
        """Time moves on for everybody."""
        offset, started, running = _HEAD.unpack_from(self._memory, 0)
        self._write(offset + int(seconds * _NANOS), started, running=bool(running))

    def skew(self, slot: int, seconds: int) -> None:
        """One gateway's clock goes wrong by so much."""
        struct.pack_into("<q", self._memory, _SKEWS_AT + 8 * slot, seconds * _NANOS)

    def wall(self) -> float:
        """The world's time, unix seconds: what chain and clients go by."""
        return self._nanos() / _NANOS

    def now(self, slot: int | None = None) -> datetime:
        """The world's time, or what the gateway in ``slot`` takes for it."""
        nanos = self._nanos()
        if slot is not None:
            nanos += struct.unpack_from("<q", self._memory, _SKEWS_AT + 8 * slot)[0]
        return datetime.fromtimestamp(nanos // _NANOS, UTC) + timedelta(microseconds=nanos % _NANOS // 1000)

    def reach(self, point: int) -> None:
        at = _REACHED_AT + 4 * point
        (count,) = struct.unpack_from("<I", self._memory, at)
        struct.pack_into("<I", self._memory, at, count + 1)

    def reached(self) -> dict[int, int]:
        """How often each point was reached, by its number."""
        counts = struct.unpack_from(f"<{len(POINTS)}I", self._memory, _REACHED_AT)
        return {point: count for point, count in enumerate(counts) if count}

    def die(self, life: int, point: int) -> None:
        self._memory[_DIED_AT + life] = point + 1

    def died_at(self, life: int) -> int | None:
        """The number of the point at which that gateway process killed itself."""
        return self._memory[_DIED_AT + life] - 1 if self._memory[_DIED_AT + life] else None

    def _write(self, offset: int, started: int, *, running: bool) -> None:
        _HEAD.pack_into(self._memory, 0, offset, started, int(running))

    def _nanos(self) -> int:
        offset, started, running = _HEAD.unpack_from(self._memory, 0)
        elapsed = time.monotonic_ns() - started if running else 0
        return BEGINNING * _NANOS + int(offset) + elapsed
