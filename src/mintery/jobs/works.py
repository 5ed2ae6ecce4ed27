"""What a gateway does besides answering: each work is a use case on its interval, in the process that leads it.

A process that was stopped in the middle of a work, and goes on when another one leads, asks before each commit and writes
nothing more. Should it stop between that question and the commit, what it writes late is harmless by these rules:

- sync: a block is appended once by its hash, and only after the last one recorded (``AppendBlock``, NotNext).
- settle: a receipt is in one standing batch, a batch id in one (``FormBatch``); what was signed is saved before it leaves;
  the escrow takes a batch id once, so whoever sends it, and however often, it settles once; a batch with an attempt that
  may still take effect is not abandoned (``AbandonBatch.dead_attempts``).
- expire_holds: one conditional update ends a hold, and who comes second changes nothing (HoldNotEnding); the time of the
  decision is the run's, so a late one finds fewer holds lapsed, never more.
- reconcile: what it found is recorded before an alarm sounds or falls, so whoever lost the lead while it compared says nothing.
- follow_jobs: a job is charged, released and accepted by one conditional update each, and who comes second changes nothing; only
  a provider that takes the same request for the same job is asked for it again.
- drop_answers: the limit is a day before the run, so a late one drops less.
- observe_reserve: what is noted is of a final block, once for each, so a late note is as true as an early one.
- renew_memberships: a calendar month is charged once, and not once its agreement has ended (``ChargeMonth``).
- seal_ledger: the marks of what is sealed are locked while rows are sealed, and a place in the chain of seals is taken once.
- watch_disputes: a dispute and a refund by hand are counted once by the rail's name of them, and what has ended stays ended.
- watch_orders, mint_orders: an order's facts are set once, a payment is counted once by the rail's name of it, and what a call does
  on chain is done once by the nonce of its authorization.
- trace_lots: the mark of what was followed is locked while lots are written.
- report_prices: the oracle takes a report for the present epoch only, and ignores one that is older than what it has.
- market, channels, endpoints, memberships, watch_sources: led by nobody. Each process reads its own, and only for itself; it tells the others how far its market is,
  and the ledger is never brought further than that.

Withdrawing margin or what a provider is owed is a person's command, never a work: the vault pays what is there, once.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from mintery.chain.sender import Sender
from mintery.domain.model import Model
from mintery.domain.price import FreshnessLimits
from mintery.domain.quote import is_hard_stale
from mintery.domain.voucher import Address
from mintery.errors import NotAvailable
from mintery.jobs.scheduler import Work
from mintery.ledger.commands import DropAnswers
from mintery.ledger.leadership import Leadership
from mintery.ledger.reads import Ledger
from mintery.ledger.store import LedgerStore
from mintery.units import UnixSeconds
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.channel_board import ChannelBoard
from mintery.usecases.expire_holds import expire_holds
from mintery.usecases.follow_long_jobs import Follower, tell_unreadable
from mintery.usecases.mint_orders import mint_orders
from mintery.usecases.note_months import note_months
from mintery.usecases.observe_reserve import observe_reserve
from mintery.usecases.onchain import OnChain
from mintery.usecases.order_desk import OrderDesk
from mintery.usecases.parts import GatewayParts
from mintery.usecases.reconcile import Reconciler
from mintery.usecases.refresh_market import MarketBoard
from mintery.usecases.refund_lot import owe_unused
from mintery.usecases.renew_memberships import renew_memberships
from mintery.usecases.report_prices import Reporter, report_prices
from mintery.usecases.seal_ledger import seal_ledger
from mintery.usecases.send_calls import send_calls
from mintery.usecases.settle_batch import Settlement, settle_batch
from mintery.usecases.sync_chain import sync_chain
from mintery.usecases.tariffs import Tariffs
from mintery.usecases.tell_prices import tell_prices
from mintery.usecases.trace_lots import trace_lots
from mintery.usecases.watch_disputes import watch_disputes
from mintery.usecases.watch_endpoints import watch_endpoints
from mintery.usecases.watch_orders import watch_orders
from mintery.usecases.watch_sources import watch_sources

log = logging.getLogger(__name__)

ANSWER_HOURS = 24
DROP_ANSWERS_SECONDS = 600
WATCH_ENDPOINTS_SECONDS = 30
SEAL_SECONDS = 2
MEMBERSHIPS_SECONDS = 2
"""What was bought at one process counts at the others within so long."""
RENEWAL_SECONDS = 60
CHANNELS_SECONDS = 1
"""What an operator switches off is sold by no process for longer."""
FOLLOW_SECONDS = 1
LOTS_SECONDS = 2
DISPUTES_SECONDS = 60
"""How long a dispute is unknown at most whose webhook was lost."""


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
    reserve: float = 60.0
    orders: float = 5.0


@dataclass(frozen=True, slots=True)
class JobParts:
    """What the works are made of. No ``reporters``: prices are reported elsewhere. ``selling``: what charges memberships."""

    chain: OnChain
    ledger: LedgerStore
    leadership: Leadership
    follower: Follower
    gateway: Address
    alarms: Alarms
    board: MarketBoard
    settlement: Settlement
    reconciler: Reconciler
    reporters: Sequence[Reporter]
    channels: ChannelBoard
    tariffs: Tariffs
    freshness: FreshnessLimits
    report_sender: Sender | None
    intervals: Intervals
    selling: GatewayParts | None = None
    desk: OrderDesk | None = None


def works_of(parts: JobParts) -> Iterator[Work]:
    intervals = parts.intervals
    yield Work("sync", intervals.sync, partial(_sync, parts, _fenced(parts, "sync")))
    yield Work("market", intervals.market, partial(_read_market, parts), led=False)
    yield Work("channels", CHANNELS_SECONDS, lambda _now: parts.channels.refresh(), led=False)
    yield Work("settle", intervals.settlement, partial(_settle, parts, _fenced(parts, "settle")))
    yield Work("expire_holds", intervals.expiry, partial(_expire, parts, _fenced(parts, "expire_holds")))
    yield Work("follow_jobs", FOLLOW_SECONDS, partial(_follow_jobs, parts, _fenced(parts, "follow_jobs")))
    yield Work("reconcile", intervals.reconcile, partial(_reconcile, parts, _fenced(parts, "reconcile")))
    yield Work(
        "endpoints", WATCH_ENDPOINTS_SECONDS, lambda now: watch_endpoints(parts.chain, parts.alarms, now), led=False
    )
    yield Work(
        "observe_reserve", intervals.reserve, partial(_observe_reserve, parts, _fenced(parts, "observe_reserve"))
    )
    yield Work("drop_answers", DROP_ANSWERS_SECONDS, partial(_drop_answers, _fenced(parts, "drop_answers")))
    yield Work("seal_ledger", SEAL_SECONDS, partial(seal_ledger, _fenced(parts, "seal_ledger")))
    yield Work("trace_lots", LOTS_SECONDS, partial(trace_lots, _fenced(parts, "trace_lots")))
    if parts.desk is not None:
        fenced = parts.desk.over(parts.ledger.fenced(partial(parts.leadership.check, "watch_orders")))
        yield Work("watch_orders", intervals.orders, partial(watch_orders, fenced))
        fenced = parts.desk.over(parts.ledger.fenced(partial(parts.leadership.check, "watch_disputes")))
        yield Work("watch_disputes", DISPUTES_SECONDS, partial(watch_disputes, fenced))
        yield Work("mint_orders", intervals.orders, partial(_mint, parts, parts.desk))
    if parts.selling is not None and parts.selling.standings.offers.offers:
        yield Work("memberships", MEMBERSHIPS_SECONDS, partial(note_months, parts.selling), led=False)
        yield Work("renew_memberships", RENEWAL_SECONDS, partial(_renew, parts, parts.selling))
    if parts.reporters:
        yield Work("watch_sources", intervals.price, partial(_watch, parts, parts.reporters[0]), led=False)
    if parts.reporters and parts.report_sender is not None:
        yield Work("report_prices", intervals.price, partial(_report, parts, parts.report_sender))


def _follow_jobs(parts: JobParts, ledger: Ledger, now: datetime) -> None:
    tell_unreadable(ledger, parts.alarms, now)
    parts.follower.follow(ledger, now)


def _mint(parts: JobParts, desk: OrderDesk, now: datetime) -> None:
    """In one work: what was planned leaves at once, and one key's transactions are signed by one process."""
    fenced = desk.over(parts.ledger.fenced(partial(parts.leadership.check, "mint_orders")))
    mint_orders(fenced, now)
    send_calls(fenced, now)
    owe_unused(fenced, now)


def _fenced(parts: JobParts, job: str) -> Ledger:
    """The ledger as the leader of ``job`` writes it, and nobody else under that name."""
    return parts.ledger.fenced(partial(parts.leadership.check, job))


def _read_market(parts: JobParts, now: datetime) -> None:
    """Every process tells the others how far its market is, and that it has none when it sells by none."""
    try:
        market = parts.board.refresh()
        tell_prices(market, _sold(parts), parts.freshness, parts.alarms, now)
        if (recorded := parts.ledger.last_block()) is not None:
            parts.board.followed(recorded.number)
    finally:
        try:
            selling_at = str(parts.board.newest().block_number)
        except NotAvailable:
            selling_at = ""
        parts.leadership.announce(selling_at)


def _sync(parts: JobParts, ledger: Ledger, now: datetime) -> None:
    """No further than any process's market: one that sells by an older reading would give the room in a payout window, which
    a settlement frees in the ledger and takes from the next reading, away twice.
    """
    own = parts.board.refresh().block_number
    through = min([own, *map(int, parts.leadership.notes())])
    sync_chain(parts.chain, ledger, parts.gateway, parts.alarms, now, through=through)


def _settle(parts: JobParts, ledger: Ledger, now: datetime) -> None:
    """A process that has just begun reconciles before it settles, which no difference that halts lets it do."""
    _sync(parts, ledger, now)
    if parts.reconciler.last is None:
        parts.reconciler.reconcile(now, ledger=ledger)
    settle_batch(replace(parts.settlement, ledger=ledger), now)


def _reconcile(parts: JobParts, ledger: Ledger, now: datetime) -> None:
    _sync(parts, ledger, now)
    parts.reconciler.reconcile(now, ledger=ledger).raise_on_difference()


def _expire(parts: JobParts, ledger: Ledger, now: datetime) -> None:
    """A process without a market sells nothing, and leaves holds to their leases."""
    try:
        market, at = parts.board.newest(), int(now.timestamp())
    except NotAvailable:
        expire_holds(ledger, parts.chain.domain, parts.settlement.settler.address, now)
        return
    time = UnixSeconds(max(market.block_time, at))
    expire_holds(
        ledger,
        parts.chain.domain,
        parts.settlement.settler.address,
        now,
        is_stale=lambda quoted: is_hard_stale(quoted.lines, market.prices, time, parts.freshness),
    )


def _observe_reserve(parts: JobParts, ledger: Ledger, _now: datetime) -> None:
    observe_reserve(parts.chain, ledger, tuple(parts.board.last()[0].projects))


def _sold(parts: JobParts) -> Mapping[str, Model]:
    """Models, and what the gateway sells of itself."""
    fees = () if parts.selling is None else parts.selling.standings.offers.fees
    return {**parts.channels.models, **{fee.id: fee for fee in fees}}


def _renew(parts: JobParts, selling: GatewayParts, now: datetime) -> None:
    renew_memberships(replace(selling, ledger=_fenced(parts, "renew_memberships")), now)


def _drop_answers(ledger: Ledger, now: datetime) -> None:
    ledger.commit([DropAnswers(now - timedelta(hours=ANSWER_HOURS))])


def _watch(parts: JobParts, reporter: Reporter, now: datetime) -> None:
    watch_sources(reporter, parts.channels.listed, parts.tariffs, now)


def _report(parts: JobParts, sender: Sender, now: datetime) -> None:
    parts.leadership.check("report_prices")
    here, quorum = len(parts.reporters), parts.chain.oracle.quorum()
    if here < quorum:
        why = (
            f"{here} of the {quorum} reporters that the oracle needs have their keys here, and can report nothing by "
            f"themselves: run `mintery reporter` with each key, or list {quorum} keys in MINTERY_REPORTER_KEYS"
        )
        if parts.alarms.sound(Alarm.PRICES, why, now, subject="quorum"):
            log.warning("prices not reported", extra={"why": why})
        return
    parts.alarms.clear(Alarm.PRICES, subject="quorum")
    report_prices(parts.chain, parts.reporters, sender, parts.alarms, now=now, heartbeat=parts.intervals.heartbeat)
