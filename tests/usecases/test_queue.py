"""Waiting for room: who goes on first, who gives up, and that no room is lost or given twice."""

import asyncio
import random
from collections import Counter

import pytest

from mintery.crypto.hashing import keccak
from mintery.domain.hold import RequestId
from mintery.domain.voucher import AccountId
from mintery.errors import AccountBusy, AnswerLost, Overloaded
from mintery.ledger.commands import RequestKey
from mintery.usecases.attempts import Attempt, Attempts
from mintery.usecases.queue import STEP_SECONDS

pytestmark = pytest.mark.anyio
ALICE, BOB, CAROL, DAVE = (AccountId(f"0x{number:064x}") for number in range(4))


def attempt(number: int, account: AccountId) -> Attempt:
    return Attempt(RequestId(f"req_{number:032x}"), RequestKey(keccak(b""), keccak(b"")), account)


class Room:
    """Attempts whose order of coming in is noted."""

    def __init__(
        self, in_flight: int, *, per_account: int | None = None, waiting: int = 10, seconds: float = 5
    ) -> None:
        self.attempts = Attempts(in_flight, per_account=per_account, waiting=waiting, wait_seconds=seconds)
        self.entered: list[str] = []
        self.refused: list[str] = []
        self.inside: dict[str, Attempt] = {}
        self._numbers = 0

    async def ask(self, name: str, account: AccountId = ALICE, priority: int = 0) -> None:
        try:
            await self.attempts.find_room(account, priority)
        except (Overloaded, AccountBusy) as error:
            self.refused.append(f"{name}: {type(error).__name__}")
            return
        self._numbers += 1
        self.inside[name] = attempt(self._numbers, account)
        self.attempts.register(self.inside[name])
        self.entered.append(name)

    def leave(self, name: str) -> None:
        gone = self.inside.pop(name)
        self.attempts.forget(gone, AnswerLost(gone.request))


async def started(*coroutines: object) -> list[asyncio.Task]:
    tasks = []
    for each in coroutines:
        tasks.append(asyncio.ensure_future(each))
        await asyncio.sleep(0)
    return tasks


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_who_has_priority_goes_first_and_then_who_came_first():
    room = Room(1)
    await room.ask("running")
    waiting = await started(room.ask("a"), room.ask("b", DAVE), room.ask("member", BOB, 1), room.ask("more", CAROL, 2))

    for name in ("running", "more", "member", "a", "b"):
        await turn()
        room.leave(name)

    await asyncio.gather(*waiting)
    assert room.entered == ["running", "more", "member", "a", "b"]


async def test_who_waited_longer_than_a_priority_is_worth_is_not_overtaken(monkeypatch: pytest.MonkeyPatch):
    loop, room = asyncio.get_running_loop(), Room(1)
    await room.ask("running")
    waiting = await started(room.ask("patient"))
    began = loop.time()
    monkeypatch.setattr(loop, "time", lambda: began + STEP_SECONDS + 0.1)
    waiting += await started(room.ask("member", BOB, 1))
    monkeypatch.undo()

    room.leave("running")
    await turn()

    assert room.entered == ["running", "patient"]
    room.leave("patient")
    await asyncio.gather(*waiting)


async def test_without_a_queue_there_is_no_waiting():
    room = Room(1, waiting=0)
    await room.ask("running")
    await room.ask("refused", BOB)

    assert room.refused == ["refused: Overloaded"]


async def test_of_too_many_who_wait_the_last_in_rank_gives_up():
    room = Room(1, waiting=2)
    await room.ask("running")
    waiting = await started(room.ask("a", ALICE), room.ask("b", BOB), room.ask("member", CAROL, 1))
    waiting += await started(room.ask("late", DAVE))
    await turn()

    assert room.refused == ["b: Overloaded", "late: Overloaded"]
    room.leave("running")
    await turn()
    room.leave("member")
    await asyncio.gather(*waiting)
    assert room.entered == ["running", "member", "a"]


async def test_nobody_waits_longer_than_allowed():
    room = Room(1, seconds=0.01)
    await room.ask("running")
    await asyncio.wait_for(room.ask("late", BOB), 5)

    assert room.refused == ["late: Overloaded"]
    assert len(room.attempts.queue) == 0


async def test_a_busy_account_waits_and_others_pass_it():
    room = Room(3, per_account=1, seconds=0.05)
    await room.ask("alice")
    waiting = await started(room.ask("alice again"), room.ask("and again"))
    await room.ask("bob", BOB)
    await asyncio.gather(*waiting)

    assert room.entered == ["alice", "bob"]
    assert sorted(room.refused) == ["alice again: AccountBusy", "and again: AccountBusy"]


async def test_the_room_of_one_whose_turn_came_is_not_taken_by_one_who_comes_now():
    room = Room(1)
    await room.ask("running")
    waiting = await started(room.ask("waiting"))
    room.leave("running")

    waiting += await started(room.ask("new", BOB))
    await turn()

    assert room.entered == ["running", "waiting"]
    room.leave("waiting")
    await asyncio.gather(*waiting)
    assert room.entered == ["running", "waiting", "new"]


@pytest.mark.parametrize("after_turn", [False, True])
async def test_one_who_is_stopped_while_waiting_leaves_its_room_to_the_next(after_turn: bool):
    room = Room(1)
    await room.ask("running")
    first, second = await started(room.ask("first"), room.ask("second", BOB))
    if after_turn:
        room.leave("running")
    first.cancel()
    await turn()
    if not after_turn:
        room.leave("running")
    await asyncio.gather(second)

    assert first.cancelled()
    assert room.entered == ["running", "second"]
    room.leave("second")
    room.attempts.check_room(ALICE)


async def test_a_request_that_fails_after_its_turn_passes_the_room_on():
    room = Room(1)
    await room.ask("running")

    async def fails() -> None:
        assert await room.attempts.find_room(ALICE, 0)
        room.attempts.pass_on()

    waiting = await started(fails(), room.ask("next", BOB))
    room.leave("running")
    await asyncio.gather(*waiting)

    assert room.entered == ["running", "next"]


async def test_no_room_is_lost_or_given_twice_whatever_comes_and_goes():
    chance, room = random.Random(7), Room(4, per_account=2, waiting=6, seconds=0.003)
    tasks: list[asyncio.Task] = []
    for number in range(400):
        tasks += await started(room.ask(str(number), chance.choice((ALICE, BOB, CAROL)), chance.randrange(3)))
        if room.inside and chance.random() < 0.6:
            room.leave(chance.choice(sorted(room.inside)))
        if chance.random() < 0.2:
            chance.choice(tasks).cancel()
        if chance.random() < 0.1:
            await asyncio.sleep(0.004)
        of = Counter(each.account for each in room.inside.values())
        assert len(room.inside) <= 4
        assert max(of.values(), default=0) <= 2
    while not all(task.done() for task in tasks):
        for name in sorted(room.inside):
            room.leave(name)
        await asyncio.sleep(0.004)
    for name in sorted(room.inside):
        room.leave(name)

    ended = len(room.entered) + len(room.refused) + sum(task.cancelled() for task in tasks)
    assert ended == len(tasks)
    for account in (ALICE, ALICE, BOB, BOB):
        assert not await room.attempts.find_room(account, 0)
        room.attempts.register(attempt(1_000 + len(room.attempts), account))
    assert len(room.attempts) == 4
    assert len(room.attempts.queue) == 0
