"""Requests that are being answered, apart from the connections that asked: an answer goes on when its reader is gone,
and a retry reads it from the start.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from typing import NamedTuple

from mintery.domain.hold import RequestId
from mintery.domain.rates import RatesLeft
from mintery.domain.voucher import AccountId
from mintery.errors import AccountBusy, AnswerLost, MinteryError, Overloaded, StreamBroke
from mintery.ledger.commands import Answer, RequestKey
from mintery.providers.reading import is_ended
from mintery.units import NanoCredits
from mintery.usecases.queue import Queue

LOG = logging.getLogger(__name__)

EVENTS = "text/event-stream"


class Head(NamedTuple):
    """What is known when an answer begins.

    Attributes:
        held: nanocredits set aside; None for an answer that is read again.
        cost: nanocredits charged, None while a stream runs.
        replayed: the answer was given before.
        route: which one answers, where the request left that open or another stood in; ``backup`` says that one did.
        left: of the account's rates, where it has any.
    """

    status: int
    content_type: str
    held: NanoCredits | None = None
    cost: NanoCredits | None = None
    replayed: bool = False
    route: str | None = None
    backup: bool = False
    left: RatesLeft | None = None


class Attempt:
    """One request's answer as it grows. Any number of readers follow it from its first byte.

    ``account`` pays for it; None where it is another process that answers.
    """

    def __init__(self, request: RequestId, key: RequestKey, account: AccountId | None = None) -> None:
        self.request = request
        self.key = key
        self.account = account
        self._head: Head | None = None
        self._pieces: list[bytes] = []
        self._ended = False
        self._error: MinteryError | None = None
        self._readers: list[asyncio.Future[None]] = []
        """Each waits for whatever comes next."""

    @classmethod
    def replay(cls, request: RequestId, key: RequestKey, answer: Answer) -> "Attempt":
        """An answer that was kept. A stream that had broken breaks again."""
        attempt = cls(request, key)
        attempt.begin(Head(answer.status, answer.content_type, replayed=True))
        attempt.add(answer.body)
        if answer.content_type == EVENTS and not is_ended(answer.body):
            attempt.fail(StreamBroke("the provider", request, "it had broken when it was first sent"))
        else:
            attempt.end()
        return attempt

    @property
    def begun(self) -> bool:
        return self._head is not None

    @property
    def ended(self) -> bool:
        return self._ended

    @property
    def error(self) -> MinteryError | None:
        """Why the answer failed or broke off; None for one that is whole or still grows."""
        return self._error

    def begin(self, head: Head) -> None:
        self._head = head
        self._wake()

    def add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._wake()

    def end(self) -> None:
        self._ended = True
        self._wake()

    def fail(self, error: MinteryError) -> None:
        """Before the answer began, the error is the answer; afterwards the answer breaks off."""
        self._error = error
        self.end()

    def so_far(self) -> bytes:
        return b"".join(self._pieces)

    async def head(self) -> Head:
        """Waits for the answer to begin. Raises what ``fail`` was given before."""
        while self._head is None:
            if self._error is not None:
                raise self._error
            await self._more()
        return self._head

    async def pieces(self) -> AsyncIterator[bytes]:
        """Everything from the first byte on, until the answer ends. What came while the reader was away comes as one."""
        read = 0
        while True:
            if read < (there := len(self._pieces)):
                new = self._pieces[read:there]
                read = there
                yield new[0] if len(new) == 1 else b"".join(new)
            elif self._ended:
                return
            else:
                await self._more()

    async def whole(self) -> bytes:
        """Everything, once the answer has ended."""
        while not self._ended:
            await self._more()
        return self.so_far()

    async def _more(self) -> None:
        reader = asyncio.get_running_loop().create_future()
        self._readers.append(reader)
        await reader

    def _wake(self) -> None:
        if self._readers:
            for reader in self._readers:
                if not reader.done():  # one that was cancelled reads no more
                    reader.set_result(None)
            self._readers.clear()


class Attempts:
    """The attempts of this process, and the tasks that answer them."""

    def __init__(
        self, in_flight: int, *, per_account: int | None = None, waiting: int = 0, wait_seconds: float = 0
    ) -> None:
        """``waiting`` may wait for room at once, ``wait_seconds`` each; of one account, no more than it may have in flight."""
        self._limit = in_flight
        self._limit_of_one = in_flight if per_account is None else per_account
        self.queue = Queue(waiting, most_of_one=self._limit_of_one, seconds=wait_seconds)
        self._called: Counter[AccountId] = Counter()
        """Those whose turn came and who have not gone on yet."""
        self._called_in_all = 0
        self._running_of: Counter[AccountId] = Counter()
        self._running: dict[RequestId, Attempt] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.draining = False

    def __len__(self) -> int:
        return len(self._running)

    def check_room(self, account: AccountId) -> None:
        """Raises Overloaded, AccountBusy."""
        if not self._has_room_for_one(account):
            raise AccountBusy(account, self._limit_of_one)
        if len(self._running) + self._called_in_all >= self._limit:
            raise Overloaded

    async def find_room(self, account: AccountId, priority: int) -> bool:
        """Wait for room where there is none; whether it had to. The room is the caller's until it next waits for anything: it
        registers an attempt before that, or calls ``pass_on``.

        Raises:
            Overloaded, AccountBusy
        """
        if self.has_room(account):
            return False
        if not self.queue.takes(account):
            self.check_room(account)
        if await self.queue.wait(account, priority, self._give_back):
            self._take_turn(account)
        else:
            self.check_room(account)
        return True

    def pass_on(self) -> None:
        """Let those who wait take what room there is."""
        if self.queue:
            self.queue.call(self.has_room, self._note_turn)

    def has_room(self, account: AccountId) -> bool:
        """Whether a request of this account would not have to wait."""
        return len(self._running) + self._called_in_all < self._limit and self._has_room_for_one(account)

    def _has_room_for_one(self, account: AccountId) -> bool:
        return self._running_of[account] + self._called[account] < self._limit_of_one

    def _note_turn(self, account: AccountId) -> None:
        self._called[account] += 1
        self._called_in_all += 1

    def _take_turn(self, account: AccountId) -> None:
        self._called_in_all -= 1
        self._called[account] -= 1
        if not self._called[account]:
            del self._called[account]

    def _give_back(self, account: AccountId) -> None:
        self._take_turn(account)
        self.pass_on()

    def find(self, request: RequestId) -> Attempt | None:
        return self._running.get(request)

    def newest(self, key: RequestKey) -> Attempt | None:
        """The newest running attempt with this credential and body."""
        for attempt in reversed(self._running.values()):
            if (attempt.key.credential, attempt.key.body) == (key.credential, key.body):
                return attempt
        return None

    def register(self, attempt: Attempt) -> None:
        """From here on retries find it."""
        self._running[attempt.request] = attempt
        if attempt.account is not None:
            self._running_of[attempt.account] += 1

    def forget(self, attempt: Attempt, error: MinteryError) -> None:
        """It was never dispatched; whoever joined it meanwhile is told ``error``."""
        self._drop(attempt)
        attempt.fail(error)

    def start(self, attempt: Attempt, work: Coroutine[None, None, None]) -> None:
        """Answer ``attempt`` in a task of its own, which no connection's end stops."""
        self.spawn(self._answer(attempt, work))

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drained(self, seconds: float) -> int:
        """Wait for what is running; the number of tasks that had to be cancelled."""
        if not self._tasks:
            return 0
        _, late = await asyncio.wait(set(self._tasks), timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)

    async def _answer(self, attempt: Attempt, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except MinteryError as error:
            attempt.fail(error)
        except Exception:  # the edge of a detached task: nobody above it would ever hear of this
            LOG.exception("attempt_lost request=%s", attempt.request)
            attempt.fail(AnswerLost(attempt.request))
        finally:
            if not attempt.ended:
                attempt.fail(AnswerLost(attempt.request))
            self._drop(attempt)

    def _drop(self, attempt: Attempt) -> None:
        if self._running.pop(attempt.request, None) is None:
            return
        if attempt.account is not None:
            self._running_of[attempt.account] -= 1
            if not self._running_of[attempt.account]:
                del self._running_of[attempt.account]
        self.pass_on()
