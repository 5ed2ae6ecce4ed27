"""The one writer of a process: a thread that commits what many callers ask for in one transaction.

While a commit waits for the disk, the next lists gather; so the disk's speed limits the wait, not the throughput. Each
caller's list keeps its order. What can go wrong in between is for ``groups``.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy import Engine

from mintery.domain.voucher import EscrowDomain
from mintery.errors import LedgerClosed, Overloaded
from mintery.ledger.commands import Command, Result
from mintery.ledger.groups import GroupWriter, Written

WAITING_LIMIT = 4_096
"""Lists that may wait before callers are told to come back later."""
GROUP_LIMIT = 256
"""Lists in one transaction: bounds the wait of the first for the last."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Entry:
    commands: Sequence[Command]
    future: Future[Sequence[Result]] | asyncio.Future[Sequence[Result]]
    loop: asyncio.AbstractEventLoop | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    entry: _Entry
    written: Written

    def tell(self) -> None:
        """Runs where the future lives. A caller that went away no longer asks; what it wrote stays written."""
        future = self.entry.future
        if future.done():
            return
        if isinstance(self.written, Exception):
            future.set_exception(self.written)
        else:
            future.set_result(self.written)


class Writer:
    def __init__(self, engine: Engine, domain: EscrowDomain, *, waiting_limit: int = WAITING_LIMIT) -> None:
        self._groups = GroupWriter(engine, domain)
        self._waiting_limit = waiting_limit
        self._waiting: deque[_Entry] = deque()
        self._wake = threading.Condition()
        self._closed = False
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
            written = self._groups.write([entry.commands for entry in group])
            _tell_all([_Outcome(entry, result) for entry, result in zip(group, written, strict=True)])
        self._groups.close()

    def _next_group(self) -> list[_Entry]:
        with self._wake:
            while not self._waiting and not self._closed:
                self._wake.wait()
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_LIMIT))]


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
