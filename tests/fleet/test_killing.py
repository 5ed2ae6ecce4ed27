"""Four gateway processes, 64 clients, and one process killed every few seconds: afterwards every unit is accounted for."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from tests.databases import Database
from tests.fleet.clients import Call, Crowd, Saw
from tests.fleet.fleet import MODEL, Serving, Site, launch

from mintery.bootstrap.gateway import Gateway, build_gateway
from mintery.bootstrap.opening import utc_now
from mintery.domain.hold import HoldStatus
from mintery.settings import load_settings
from mintery.usecases.expire_holds import EVIDENCE_SECONDS, expire_holds

PROCESSES, CLIENTS = 4, 64
LEASE = timedelta(seconds=60)
"""Longer than any hold's here: a call takes 5 s at most."""


@dataclass
class Fleet:
    """The processes by number; one that was killed is started again and counts when it is ready."""

    site: Site
    ledger: str
    log: Path
    random: random.Random

    def __post_init__(self) -> None:
        starting = [self._launch() for _ in range(PROCESSES)]
        self.running = [serving.wait_until_ready() for serving in starting]
        self.killed = 0

    def urls(self) -> list[str]:
        return [serving.url.removesuffix("/v1") for serving in self.running]

    def alive(self) -> list[int]:
        return [number for number, serving in enumerate(self.running) if serving.process.poll() is None]

    def kill(self, number: int) -> None:
        self.running[number].kill()
        self.killed += 1

    def replace(self, number: int) -> None:
        self.running[number] = self._launch().wait_until_ready()

    def stop(self) -> list[int]:
        return [serving.stop() for serving in self.running]

    def _launch(self) -> Serving:
        return launch(self.site.environment(self.ledger), "--port", "0", log=self.log)


async def spend(fleet: Fleet, crowd: Crowd, *, seconds: float, every: float) -> None:
    """Clients pay, while one process after another is killed; half of them live at any time."""
    until = asyncio.Event()
    paying = asyncio.create_task(crowd.run(CLIENTS, until))
    replacing: set[asyncio.Future[None]] = set()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(every)
        if len(alive := fleet.alive()) > PROCESSES // 2:
            number = fleet.random.choice(alive)
            fleet.kill(number)
            replacing.add(asyncio.ensure_future(asyncio.to_thread(fleet.replace, number)))
    until.set()
    await asyncio.gather(paying, *replacing)


@contextmanager
def operator(site: Site, ledger: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A gateway whose jobs are run by hand, when all processes have ended."""
    for name in [name for name in os.environ if name.startswith("MINTERY_")]:
        monkeypatch.delenv(name)
    for name, value in site.environment(ledger).items():
        if name.startswith("MINTERY_"):
            monkeypatch.setenv(name, value)
    gateway = build_gateway(load_settings())
    try:
        yield gateway
    finally:
        gateway.close()


def end_everything(gateway: Gateway) -> None:
    """As the jobs of a process would, when the leases and the time for evidence are over."""
    gateway.sync()
    later = utc_now() + LEASE + timedelta(seconds=EVIDENCE_SECONDS)
    expire_holds(gateway.ledger, gateway.parts.domain, gateway.settler.address, later)
    gateway.settle()
    gateway.sync()


def requests(database: Database) -> set[str]:
    return {request for (request,) in database.run("SELECT id FROM requests")}


def check_calls(calls: list[Call], database: Database, *, older: set[str]) -> None:
    """Each was charged at most once, and exactly once where the client has the whole answer, on the receipt it names."""
    rows = database.run("SELECT body, id, captured FROM requests")
    charged: dict[bytes, list[str]] = {}
    for body, request, captured in rows:
        if captured is not None and request not in older:
            charged.setdefault(bytes(body), []).append(request)
    for call in calls:
        receipts = charged.pop(call.digest, [])
        assert len(receipts) <= 1, f"charged twice: {call}"
        if call.saw is Saw.END:
            assert receipts == [call.receipt], f"seen to its end: {call}"
    assert charged == {}, "somebody was charged for what no client asked for"


def check_money(gateway: Gateway) -> None:
    """Ledger = chain = receipts, and nothing is open."""
    ledger = gateway.ledger
    ledger.check()
    assert ledger.open_holds() == []
    assert ledger.open_batches() == []
    assert ledger.unbatched(limit=1) == []
    (totals,) = ledger.totals()
    assert (totals.held, totals.captured, totals.losses) == (0, 0, 0)
    assert totals.receipts == totals.burned > 0
    receipts = [record.receipt for record in ledger.receipts(limit=100_000)]
    assert sum(receipt.cost for receipt in receipts) == totals.receipts
    for receipt in receipts:
        record = ledger.request(receipt.id)
        assert record is not None
        assert record.hold.status_at(utc_now()) in {HoldStatus.CAPTURED, HoldStatus.RELEASED}
        assert (record.hold.captured or 0) == receipt.cost
    assert gateway.reconciler.reconcile(utc_now()).differences == ()


@pytest.mark.parametrize(
    ("seconds", "every"), [pytest.param(12, 3, id="short"), pytest.param(60, 3, id="minute", marks=pytest.mark.deep)]
)
def test_nothing_is_lost_or_paid_twice_while_processes_are_killed(  # noqa: PLR0917 -- fixtures
    town: Site,
    shared: Database,
    log: Path,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    every: float,
):
    fleet = Fleet(town, shared.url, log, random.Random(1))
    older = requests(shared)
    crowd = Crowd(fleet.urls, town.keys, MODEL, seed=1)
    try:
        asyncio.run(spend(fleet, crowd, seconds=seconds, every=every))
    finally:
        codes = fleet.stop()
    assert codes == [0] * PROCESSES
    batches_before = len(shared.run("SELECT 1 FROM batches WHERE settled_block IS NOT NULL"))

    with operator(town, shared.url, monkeypatch) as gateway:
        end_everything(gateway)
        check_money(gateway)
    check_calls(crowd.calls, shared, older=older)

    seen = Counter(call.saw for call in crowd.calls)
    words = f"{len(crowd.calls)} calls, {seen}, {fleet.killed} killed, {batches_before} batches"
    assert seen[Saw.END] > CLIENTS, words
    assert {call.code for call in crowd.calls if call.saw is Saw.REFUSAL} <= {"request_unresolved"}, words
    assert batches_before > 0, "settlement went on while its leaders died"
    assert fleet.killed >= 2, words
