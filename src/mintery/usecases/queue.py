"""Where requests wait for room, a few seconds at most: whoever has priority first, then whoever came first.

A place further ahead is worth ``STEP_SECONDS`` of waiting and no more: who came that much earlier for each step is not
overtaken, so nobody is kept waiting by a stream of others.
"""

import asyncio
from bisect import insort
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from mintery.domain.voucher import AccountId

STEP_SECONDS = 1.0


class _Place(NamedTuple):
    """Ordered by ``rank``, seconds of the loop's clock, then by arrival. ``turn`` comes (True), or is given up."""

    rank: float
    number: int
    account: AccountId
    turn: "asyncio.Future[bool]"


class Queue:
    """Belongs to one event loop. ``most`` wait at once, ``most_of_one`` of them one account's; ``seconds`` at most."""

    def __init__(self, most: int, *, most_of_one: int, seconds: float) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._seconds = seconds
        self._places: list[_Place] = []
        self._waiting_of: Counter[AccountId] = Counter()
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._places)

    def takes(self, account: AccountId) -> bool:
        """Whether ``account`` may wait here at all."""
        return self._most > 0 and self._waiting_of[account] < self._most_of_one

    async def wait(self, account: AccountId, priority: int, give_back: Callable[[AccountId], None]) -> bool:
        """Whether its turn came: not where the time is over, nor where more wait than may and it ranks last.

        A turn that came and that nobody takes any more, as the caller was stopped meanwhile, is given back.
        """
        loop = asyncio.get_running_loop()
        self._numbers += 1
        place = _Place(loop.time() - priority * STEP_SECONDS, self._numbers, account, loop.create_future())
        insort(self._places, place)
        self._waiting_of[account] += 1
        if len(self._places) > self._most:
            self._end(self._places[-1], came=False)
        timer = loop.call_later(self._seconds, lambda: self._end(place, came=False))
        try:
            return await place.turn
        except asyncio.CancelledError:
            if place.turn.cancelled():
                self._leave(place)
            elif place.turn.result():
                give_back(account)
            raise
        finally:
            timer.cancel()

    def call(self, has_room: Callable[[AccountId], bool], take: Callable[[AccountId], None]) -> None:
        """Those for whom there is room have their turn, in order; ``take`` notes that the room is theirs."""
        for place in tuple(self._places):
            if has_room(place.account) and not place.turn.done():
                take(place.account)
                self._end(place, came=True)

    def _end(self, place: _Place, *, came: bool) -> None:
        if not place.turn.done():
            self._leave(place)
            place.turn.set_result(came)

    def _leave(self, place: _Place) -> None:
        self._places.remove(place)
        self._waiting_of[place.account] -= 1
        if not self._waiting_of[place.account]:
            del self._waiting_of[place.account]
