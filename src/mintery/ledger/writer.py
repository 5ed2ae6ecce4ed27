"""The one writer of a process: a thread that commits what many callers ask for in one transaction.

While a commit waits for the disk, the next lists gather; so the disk's speed limits the wait, not the throughput. Each
caller's list keeps its order. An exception that a list raises is its caller's alone: the group is rolled back and its
lists are written again one by one. The same is done when the connection broke in COMMIT and nobody knows what became of
it: every command takes effect once, so writing it again finds what was written.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from mintery.domain.voucher import AccountId, EscrowDomain
from mintery.errors import LedgerClosed, LedgerUnavailable, Overloaded
from mintery.ledger.apply import apply_all
from mintery.ledger.commands import Command, Result
from mintery.ledger.engines import is_disconnect, is_outage
from mintery.ledger.work import Work

WAITING_LIMIT = 4_096
"""Lists that may wait before callers are told to come back later."""
GROUP_LIMIT = 256
"""Lists in one transaction: bounds the wait of the first for the last."""
_KNOWN_VOUCHERS = 100_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Entry:
    commands: Sequence[Command]
    future: Future[Sequence[Result]] | asyncio.Future[Sequence[Result]]
    loop: asyncio.AbstractEventLoop | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    entry: _Entry
    results: Sequence[Result] | None
    error: Exception | None

    def tell(self) -> None:
        """Runs where the future lives. A caller that went away no longer asks; what it wrote stays written."""
        future = self.entry.future
        if future.done():
            return
        if self.error is not None:
            future.set_exception(self.error)
        elif self.results is not None:
            future.set_result(self.results)


class Writer:
    def __init__(self, engine: Engine, domain: EscrowDomain, *, waiting_limit: int = WAITING_LIMIT) -> None:
        self._engine = engine
        self._domain = domain
        self._waiting_limit = waiting_limit
        self._waiting: deque[_Entry] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._connection: Connection | None = None
        self._known_vouchers: set[tuple[AccountId, bytes]] = set()
        self._thread = threading.Thread(target=self._run, name="mintery-ledger-writer", daemon=True)
        self._thread.start()

    def submit(self, commands: Sequence[Command]) -> Future[Sequence[Result]]:
        """Raises LedgerClosed, Overloaded."""
        future: Future[Sequence[Result]] = Future()
        self._enter(_Entry(tuple(commands), future, None))
        return future

    def submit_async(self, commands: Sequence[Command]) -> asyncio.Future[Sequence[Result]]:
        """As ``submit``; the future belongs to the running loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sequence[Result]] = loop.create_future()
        self._enter(_Entry(tuple(commands), future, loop))
        return future

    def close(self) -> None:
        """Writes what waits, then stops."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _enter(self, entry: _Entry) -> None:
        with self._wake:
            if self._closed:
                raise LedgerClosed
            if len(self._waiting) >= self._waiting_limit:
                raise Overloaded
            self._waiting.append(entry)
            self._wake.notify()

    def _run(self) -> None:
        while group := self._next_group():
            _tell_all(self._write_group(group))
        self._disconnect()

    def _next_group(self) -> list[_Entry]:
        with self._wake:
            while not self._waiting and not self._closed:
                self._wake.wait()
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_LIMIT))]

    def _write_group(self, group: list[_Entry]) -> list[_Outcome]:
        try:
            written = self._transaction([entry.commands for entry in group])
        except Exception as error:  # noqa: BLE001 -- the thread's edge: it goes to the caller whose list raised it
            broken = self._recover(error)
            if len(group) == 1 and not broken:
                return [_Outcome(group[0], None, self._told(error))]
            _log.warning("ledger group of %d lists failed, writing them one by one: %s", len(group), error)
            return [self._write_alone(entry) for entry in group]
        return [_Outcome(entry, results, None) for entry, results in zip(group, written, strict=True)]

    def _write_alone(self, entry: _Entry) -> _Outcome:
        try:
            (results,) = self._transaction([entry.commands])
        except Exception as error:  # noqa: BLE001 -- the thread's edge: it goes to the caller whose list raised it
            self._recover(error)
            return _Outcome(entry, None, self._told(error))
        return _Outcome(entry, results, None)

    def _transaction(self, lists: list[Sequence[Command]]) -> list[list[Result]]:
        connection = self._connection = self._connection or self._engine.connect()
        with connection.begin():
            cursor = connection.connection.cursor()
            try:
                work = Work(cursor, self._engine.dialect, self._domain, self._known_vouchers)
                results = [apply_all(work, commands) for commands in lists]
            finally:
                cursor.close()
        if len(self._known_vouchers) > _KNOWN_VOUCHERS:
            self._known_vouchers.clear()
        return results

    def _recover(self, error: Exception) -> bool:
        """Forget what the rolled back transaction knew; drop the connection if it broke, and say so."""
        self._known_vouchers.clear()
        if broken := is_disconnect(self._engine, error):
            self._disconnect()
        return broken

    def _told(self, error: Exception) -> Exception:
        """An outage is no fault of the caller's list: it may ask again."""
        if not is_outage(self._engine, error):
            return error
        unavailable = LedgerUnavailable(type(error).__name__)
        unavailable.__cause__ = error
        return unavailable

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _tell_all(outcomes: list[_Outcome]) -> None:
    """Wake each event loop once for all of its callers."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Callable[[], None]]] = {}
    for outcome in outcomes:
        if outcome.entry.loop is None:
            outcome.tell()
        else:
            by_loop.setdefault(outcome.entry.loop, []).append(outcome.tell)
    for loop, tells in by_loop.items():
        try:
            loop.call_soon_threadsafe(_call_each, tells)
        except RuntimeError:
            _log.warning("the event loop of %d ledger callers was closed before their commit", len(tells))


def _call_each(tells: list[Callable[[], None]]) -> None:
    for tell in tells:
        tell()
