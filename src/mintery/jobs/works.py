"""What a gateway does besides answering: each work is a use case on its interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mintery.chain.sender import Sender
from mintery.domain.voucher import Address
from mintery.jobs.scheduler import Work
from mintery.ledger.commands import DropAnswers
from mintery.ledger.reads import Ledger
from mintery.usecases.alarms import Alarms
from mintery.usecases.expire_holds import expire_holds
from mintery.usecases.onchain import OnChain
from mintery.usecases.reconcile import Reconciler
from mintery.usecases.refresh_market import MarketBoard
from mintery.usecases.report_prices import Reporter, report_prices
from mintery.usecases.seal_ledger import seal_ledger
from mintery.usecases.settle_batch import Settlement, settle_batch
from mintery.usecases.sync_chain import sync_chain
from mintery.usecases.watch_endpoints import watch_endpoints

ANSWER_HOURS = 24
DROP_ANSWERS_SECONDS = 600
WATCH_ENDPOINTS_SECONDS = 30
SEAL_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Intervals:
    """Seconds between two runs; ``heartbeat``: an unchanged price is reported again after it."""

    sync: float
    market: float
    settlement: float
    price: float
    heartbeat: int
    expiry: float
    reconcile: float


@dataclass(frozen=True, slots=True)
class JobParts:
    """What the works are made of. No ``reporters``: prices are reported elsewhere."""

    chain: OnChain
    ledger: Ledger
    gateway: Address
    alarms: Alarms
    board: MarketBoard
    settlement: Settlement
    reconciler: Reconciler
    reporters: Sequence[Reporter]
    report_sender: Sender | None
    intervals: Intervals


def works_of(parts: JobParts) -> Iterator[Work]:
    intervals = parts.intervals
    yield Work("sync", intervals.sync, lambda now: _sync(parts, now))
    yield Work("market", intervals.market, lambda _: parts.board.refresh())
    yield Work("settle", intervals.settlement, lambda now: _settle(parts, now))
    yield Work("expire_holds", intervals.expiry, lambda now: _expire(parts, now))
    yield Work("reconcile", intervals.reconcile, lambda now: _reconcile(parts, now))
    yield Work("endpoints", WATCH_ENDPOINTS_SECONDS, lambda now: watch_endpoints(parts.chain, parts.alarms, now))
    yield Work("drop_answers", DROP_ANSWERS_SECONDS, lambda now: _drop_answers(parts, now))
    yield Work("seal_ledger", SEAL_SECONDS, lambda now: seal_ledger(parts.ledger, now))
    if parts.reporters and parts.report_sender is not None:
        sender = parts.report_sender
        yield Work("report_prices", intervals.price, lambda now: _report(parts, sender, now))


def _sync(parts: JobParts, now: datetime) -> None:
    through = parts.board.refresh().block_number
    sync_chain(parts.chain, parts.ledger, parts.gateway, parts.alarms, now, through=through)


def _settle(parts: JobParts, now: datetime) -> None:
    """A process that has just begun reconciles before it settles: its alarms did not outlive the last one."""
    _sync(parts, now)
    if parts.reconciler.last is None:
        parts.reconciler.reconcile(now).raise_on_difference()
    settle_batch(parts.settlement, now)


def _reconcile(parts: JobParts, now: datetime) -> None:
    _sync(parts, now)
    parts.reconciler.reconcile(now).raise_on_difference()


def _expire(parts: JobParts, now: datetime) -> None:
    expire_holds(parts.ledger, parts.chain.domain, parts.settlement.settler.address, now)


def _drop_answers(parts: JobParts, now: datetime) -> None:
    parts.ledger.commit([DropAnswers(now - timedelta(hours=ANSWER_HOURS))])


def _report(parts: JobParts, sender: Sender, now: datetime) -> None:
    report_prices(parts.chain, parts.reporters, sender, parts.alarms, now=now, heartbeat=parts.intervals.heartbeat)
