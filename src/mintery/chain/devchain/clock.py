"""Block time: the wall clock, unless a test moved it."""

from __future__ import annotations

from collections.abc import Callable

from mintery.chain.devchain.faults import invalid_params


class Clock:
    """Gives each block its timestamp, in unix seconds.

    Blocks made within one second share its timestamp, as on Arbitrum: a chain that adds a second per block would run
    minutes ahead of the wall clock after a burst of transactions, and every deadline would be judged by a wrong time.
    """

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._offset = 0
        self._next: int | None = None

    @property
    def offset(self) -> int:
        """Seconds that tests have moved this chain ahead of the wall clock (negative: behind)."""
        return self._offset

    def peek(self, parent_time: int) -> int:
        """The timestamp a block after ``parent_time`` would get now."""
        if self._next is not None:
            return self._next
        return max(parent_time, int(self._wall()) + self._offset)

    def take(self, parent_time: int) -> int:
        """Like ``peek``, for a block that is really made: a timestamp set for the next block is used up."""
        timestamp = self.peek(parent_time)
        if self._next is not None:
            self._next = None
            self._offset = timestamp - int(self._wall())
        return timestamp

    def advance(self, seconds: int) -> int:
        """Move the clock ahead and return the total offset in seconds."""
        self._offset += seconds
        return self._offset

    def set_next(self, timestamp: int, parent_time: int) -> None:
        """Fix the next block's timestamp; later blocks go on from there."""
        if timestamp < parent_time:
            raise invalid_params(f"timestamp {timestamp} is lower than the previous block's timestamp {parent_time}")
        self._next = timestamp

    def restore(self, offset: int) -> None:
        """Go back to an earlier offset, as a snapshot recorded it."""
        self._offset = offset
        self._next = None
