"""The one writer of a process: a thread that commits what many callers ask for in one transaction.

While a commit waits for the disk, the next lists gather; so the disk's speed limits the wait, not the throughput. Each
caller's list keeps its order. What can go wrong in between is for ``groups``.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import NamedTuple

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


class _Entry(NamedTuple):
    commands: Sequence[Command]
    future: Future[Sequence[Result]] | asyncio.Future[Sequence[Result]]
    loop: asyncio.AbstractEventLoop | None


class Writer:
    def __init__(self, engine: Engine, domain: EscrowDomain, *, waiting_limit: int = WAITING_LIMIT) -> None:
        self._groups = GroupWriter(engine, domain)
        self._waiting_limit = waiting_limit
        self._waiting: deque[_Entry] = deque()
        self._lock = threading.Lock()
        self._wakes: SimpleQueue[None] = SimpleQueue()
        """Waited for without the interpreter's lock, which a loop that is told of its commits needs at once."""
        self._idle = False
        self._will_be_woken = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="mintery-ledger-writer", daemon=True)
        self._thread.start()

    def submit(self, commands: Sequence[Command]) -> Future[Sequence[Result]]:
        """Raises LedgerClosed, Overloaded."""
        future: Future[Sequence[Result]] = Future()
        with self._lock:
            self._enter(_Entry(tuple(commands), future, None))
            if self._idle:
                self._wakes.put(None)
        return future

    def submit_async(self, commands: Sequence[Command]) -> asyncio.Future[Sequence[Result]]:
        """As ``submit``; the future belongs to the running loop.

        The writer is woken once the loop has run all that it can run now: what others ask for meanwhile is then in the
        same group.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sequence[Result]] = loop.create_future()
        with self._lock:
            self._enter(_Entry(tuple(commands), future, loop))
            if self._idle and not self._will_be_woken:
                self._will_be_woken = True
                loop.call_soon(self._wake_up)
        return future

    def close(self) -> None:
        """Writes what waits, then stops."""
        with self._lock:
            self._closed = True
            self._wakes.put(None)
        self._thread.join()

    def _enter(self, entry: _Entry) -> None:
        if self._closed:
            raise LedgerClosed
        if len(self._waiting) >= self._waiting_limit:
            raise Overloaded
        self._waiting.append(entry)

    def _wake_up(self) -> None:
        with self._lock:
            self._will_be_woken = False
            if self._idle:
                self._wakes.put(None)

    def _run(self) -> None:
        while group := self._next_group():
            _tell_all(group, self._groups.write([entry.commands for entry in group]))
        self._groups.close()

    def _next_group(self) -> list[_Entry]:
        """Empty once it is closed and nothing waits. It may be woken for what it took already."""
        while True:
            with self._lock:
                self._idle = not self._waiting
                if self._waiting or self._closed:
                    return [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_LIMIT))]
            self._wakes.get()


def _tell_all(group: list[_Entry], outcomes: list[Written]) -> None:
    """Wake each event loop once for all of its callers."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Entry, Written]]] = {}
    for entry, written in zip(group, outcomes, strict=True):
        if entry.loop is None:
            _tell([(entry, written)])
        else:
            by_loop.setdefault(entry.loop, []).append((entry, written))
    for loop, told in by_loop.items():
        try:
            loop.call_soon_threadsafe(_tell, told)
        except RuntimeError:
            _log.warning("the event loop of %d ledger callers was closed before their commit", len(told))


def _tell(told: list[tuple[_Entry, Written]]) -> None:
    """Runs where the futures live. A caller that went away no longer asks; what it wrote stays written."""
    for entry, written in told:
        if entry.future.done():
            continue
        if isinstance(written, Exception):
            entry.future.set_exception(written)
        else:
            entry.future.set_result(written)
