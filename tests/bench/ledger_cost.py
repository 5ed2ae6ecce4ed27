"""Processor time that the ledger's writer spends on a paid request: ``python -m tests.bench.ledger_cost [URL [GROUP …]]``.

The writer is run by hand in this thread, so nothing but its own work is measured: its thread's processor time, however busy
the machine is. A group is that many lists: half of them place a hold, half capture one that an earlier group placed. What
was captured is marked delivered 16 at a time, and rows are sealed 500 at a time, as a gateway's jobs do. Each figure is
microseconds a request; ``wait`` is wall time that the writer's thread did not run.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TypeVar

from tests.ledger.samples import IDENTITY, NOON, TOKEN, Chain, Wallet, capture, deposit, place, wallet

from mintery.crypto.hashing import keccak
from mintery.domain.hold import Constraint, Ending
from mintery.ledger.commands import Answer, CaptureHold, Command, MarkDelivered, PlaceHold, Result, SealRows
from mintery.ledger.engines import writer_engine
from mintery.ledger.groups import GroupWriter
from mintery.ledger.store import open_ledger
from mintery.units import NanoCredits

T = TypeVar("T")
REQUESTS = 4_000
ALONE = 800
BODY = b"x" * 600
_ROOM = (Constraint(f"payout:{TOKEN}", NanoCredits(10**15), Ending.SETTLEMENT),)
_DELIVERED_AT_ONCE = 16
_SEALED_AT_ONCE = 500
_HOLDERS = 16


class Clock:
    """Adds up thread time and wall time by what was done."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.waited = 0.0

    def run(self, what: str, action: Callable[[], T]) -> T:
        wall, cpu = time.perf_counter(), time.thread_time()
        done = action()
        cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
        self.spent[what] = self.spent.get(what, 0) + cpu
        self.waited += wall - cpu
        return done


class Bench:
    def __init__(self, url: str) -> None:
        self.numbers = count(1)
        self.wallets = [wallet(number) for number in range(1, _HOLDERS + 1)]
        with open_ledger(url, IDENTITY) as store:
            store.commit([Chain().block(*(deposit(each, 10**14) for each in self.wallets))])
        self.engine = writer_engine(url)
        self.writer = GroupWriter(self.engine, IDENTITY.domain)

    def close(self) -> None:
        self.writer.close()
        self.engine.dispose()

    def pair(self) -> tuple[PlaceHold, CaptureHold]:
        number = next(self.numbers)
        own: Wallet = self.wallets[number % _HOLDERS]
        at = NOON + timedelta(milliseconds=number)
        # As a gateway's ids: a process's mark, the time, and what is random.
        id_ = (0x6D << 120) + (number << 64) + int.from_bytes(keccak(number.to_bytes(8))[:8])
        body = keccak(b"body" + number.to_bytes(8))
        placed = place(id_, own, 100, constraints=_ROOM, at=at, body=body)
        return placed, capture(placed, own, 50, answer=Answer(200, "application/json", BODY))

    def measure(self, group: int, requests: int) -> Clock:
        """Groups of ``group`` lists until ``requests`` were captured, delivered and sealed."""
        clock, half = Clock(), max(group // 2, 1)
        pairs = [self.pair() for _ in range(requests)]
        waiting: list[CaptureHold] = []
        done: list[MarkDelivered] = []
        for first in range(0, requests, half):
            now = pairs[first : first + half]
            places = [[placed] for placed, _ in now]
            if group == 1:
                self.write(clock, "place", places)
                self.write(clock, "capture", [[captured] for _, captured in now])
            else:
                self.write(clock, "place and capture", [*places, *([each] for each in waiting)])
                done += [MarkDelivered(each.request, each.receipt.captured_at) for each in waiting]
            waiting = [captured for _, captured in now]
            if group == 1:
                done += [MarkDelivered(each.request, each.receipt.captured_at) for each in waiting]
                waiting = []
            if len(done) >= _DELIVERED_AT_ONCE:
                self.write(clock, "deliver", [done])
                done = []
        if waiting:
            self.write(clock, "place and capture", [[each] for each in waiting])
        sealed = 1
        while sealed:
            [(result,)] = self.write(clock, "seal", [[SealRows(_SEALED_AT_ONCE, NOON)]])
            sealed = result.changed  # type: ignore[union-attr]  # a seal is answered with Done
        return clock

    def write(self, clock: Clock, what: str, lists: Sequence[Sequence[Command]]) -> list[Sequence[Result]]:
        written = clock.run(what, lambda: self.writer.write(lists))
        for each in written:
            if isinstance(each, Exception):
                raise each
        return written  # type: ignore[return-value]  # none is an exception


def main() -> None:
    url, *groups = sys.argv[1:] or [""]
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(url or f"sqlite:///{Path(folder) / 'ledger.sqlite'}")
        bench.measure(16, 400)
        for group in [int(each) for each in groups] or [1, 16]:
            requests = ALONE if group == 1 else REQUESTS
            clock = bench.measure(group, requests)
            parts = ", ".join(f"{what} {spent / requests * 1e6:.0f}" for what, spent in clock.spent.items())
            total, waited = (each / requests * 1e6 for each in (sum(clock.spent.values()), clock.waited))
            print(f"groups of {group:3}: {total:5.0f} us ({parts}; wait {waited:.0f})")  # noqa: T201 -- its purpose
        bench.close()


if __name__ == "__main__":
    main()
