"""Each reporter signs what it saw; a quorum of them goes to the oracle."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mintery.chain.events import PriceInForce, PriceQueued, events_of
from mintery.chain.packing import pack_changed, pack_unchanged
from mintery.chain.price_oracle import PriceVector, SignedReport
from mintery.chain.rpc import BlockRef, TxReceipt
from mintery.chain.sender import Sender
from mintery.crypto.keys import PrivateKey
from mintery.domain.observation import Observation, SkuState, is_due, sighting
from mintery.domain.reporting import Dissent, Vote, agreed_prices, dissents
from mintery.domain.voucher import Address
from mintery.errors import QuorumMissing, TransactionReverted
from mintery.units import UnixSeconds, UsdWad, format_usd
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.observe_prices import prices_of, unroutable
from mintery.usecases.onchain import OnChain

log = logging.getLogger(__name__)

ASSET_NAME = "asset:usd"
"""SKU 0, the reserve asset itself."""

_MOVED_ON = frozenset({"WrongEpoch", "EpochAlreadyReported", "ObservedOutsideEpoch"})
"""Another report came first, or the epoch ended meanwhile: nothing is wrong."""
_ATTEMPTS = 3

Observe = Callable[[Sequence[str], datetime], Sequence[Observation]]
"""A reporter's own look at its sources, for SKUs by name."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """A reporter's key, and its own eyes."""

    key: PrivateKey
    observe: Observe


@dataclass(frozen=True, slots=True)
class PricesReported:
    """``in_force`` and ``queued`` are new prices by SKU name, 1e-18 USD per unit; other reported SKUs were refreshed."""

    epoch: int
    reports: int
    in_force: Mapping[str, UsdWad]
    queued: Mapping[str, UsdWad]
    tx: TxReceipt


@dataclass(frozen=True, slots=True)
class NothingToReport:
    """``why``: all prices are fresh, no source has a price, or the epoch has its report."""

    why: str


@dataclass(frozen=True, slots=True)
class _Round:
    """What all vectors of one report share."""

    config: bytes
    epoch: int
    observed_at: UnixSeconds
    states: Mapping[str, SkuState]


def report_prices(
    chain: OnChain,
    reporters: Sequence[Reporter],
    sender: Sender,
    alarms: Alarms,
    *,
    now: datetime,
    heartbeat: int,
    everything: bool = False,
) -> PricesReported | NothingToReport:
    """Report what changed, what a queue waits for, and what was last seen ``heartbeat`` seconds ago.

    A first price and a leap wait in the oracle's queue, so a price is in force after a second report, when the queue's
    delay has passed. ``everything`` reports fresh prices too.

    Raises:
        QuorumMissing: fewer reporters than the oracle's quorum saw a price.
    """
    head = chain.rpc.block()
    states = read_states(chain, head)
    saw = [(reporter, reporter.observe(tuple(states), now)) for reporter in reporters]
    tell_unroutable(saw[0][1] if saw else (), alarms, now)

    prices = [(reporter, seen) for reporter, observed in saw if (seen := prices_of(observed))]
    if not prices:
        return NothingToReport("no source has a price")
    at = chain.next_time()
    due = [
        sku
        for _, seen in prices
        for sku, usd in seen.items()
        if is_due(states[sku], usd, now=at, heartbeat=heartbeat, queue_delay=chain.oracle.queue_delay())
    ]
    if not due and not everything:
        return NothingToReport("all prices are fresh")
    if len(prices) < (quorum := chain.oracle.quorum(at=head)):
        raise QuorumMissing(len(prices), quorum)
    votes = [_vote(reporter.key.address, seen, states) for reporter, seen in prices]
    tell_dissent(votes, agreed_prices(votes, quorum), states, alarms, now)
    return _submit(chain, prices, sender, states, head)


def read_states(chain: OnChain, at: BlockRef) -> dict[str, SkuState]:
    """Every SKU of the oracle by name, at one block."""
    oracle = chain.oracle
    names = oracle.sku_names(at=at)
    skus = range(len(names))
    current = oracle.read_each("currentPrice", skus, at=at)
    refreshed = oracle.read_each("refreshedAt", skus, at=at)
    queued = oracle.read_each("queuedPriceOf", skus, at=at)
    return {
        name: SkuState(
            index=index,
            in_force=UsdWad(usd),
            refreshed_at=int(seen),
            queued=UsdWad(waiting["usdWad"]),
            queued_at=int(waiting["since"]),
        )
        for index, name, (_, usd), seen, waiting in zip(skus, names, current, refreshed, queued, strict=True)
    }


def _vote(reporter: Address, seen: Mapping[str, UsdWad], states: Mapping[str, SkuState]) -> Vote:
    return Vote(reporter, {states[sku].index: usd for sku, usd in seen.items() if sku in states})


def _submit(
    chain: OnChain,
    prices: Sequence[tuple[Reporter, Mapping[str, UsdWad]]],
    sender: Sender,
    states: Mapping[str, SkuState],
    head: BlockRef,
) -> PricesReported | NothingToReport:
    """Where epochs are short, one may end before its report is in a block; then the next one is signed."""
    config = chain.oracle.config_digest(at=head)
    outcome: PricesReported | NothingToReport = NothingToReport("a later epoch has its report")
    for _ in range(_ATTEMPTS):
        observed_at = chain.next_time()
        epoch = chain.oracle.epoch_at(observed_at)
        # The same epoch may still lack prices: a report that came first need not have carried a quorum for every SKU.
        if epoch < chain.oracle.last_epoch():
            return NothingToReport("a later epoch has its report")
        shared = _Round(config, epoch, observed_at, states)
        reports = [_sign(chain, reporter.key, shared, seen) for reporter, seen in prices]
        outcome = send_reports(chain, sender, reports, states)
        if isinstance(outcome, PricesReported):
            return outcome
    return outcome


def send_reports(
    chain: OnChain, sender: Sender, reports: Sequence[SignedReport], states: Mapping[str, SkuState]
) -> PricesReported | NothingToReport:
    """All ``reports`` are of one epoch. Nothing, where another report came first or the epoch has ended meanwhile."""
    try:
        tx = chain.oracle.report(sender, reports)
    except TransactionReverted as error:
        if error.error not in _MOVED_ON:
            raise
        return NothingToReport(str(error))
    return _reported(chain, tx, reports[0].vector.epoch, len(reports), states)


def _sign(chain: OnChain, key: PrivateKey, shared: _Round, seen: Mapping[str, UsdWad]) -> SignedReport:
    reported = sighting(shared.states, seen)
    vector = PriceVector(
        config=shared.config,
        epoch=shared.epoch,
        observed_at=shared.observed_at,
        changed=pack_changed(reported.changed),
        unchanged=pack_unchanged(reported.unchanged),
    )
    return chain.oracle.sign_report(key, vector)


def _reported(
    chain: OnChain, tx: TxReceipt, epoch: int, reports: int, states: Mapping[str, SkuState]
) -> PricesReported:
    names = {state.index: name for name, state in states.items()}
    oracle = chain.oracle.address
    in_force = {names[seen.sku]: seen.usd_wad for seen in events_of(tx.logs, oracle, PriceInForce)}
    queued = {names[seen.sku]: seen.usd_wad for seen in events_of(tx.logs, oracle, PriceQueued)}
    log.info("prices reported", extra={"epoch": epoch, "in_force": in_force, "queued": queued})
    return PricesReported(epoch, reports, in_force, queued, tx)


def tell_unroutable(observed: Sequence[Observation], alarms: Alarms, now: datetime) -> None:
    """The asset's own price is optional: its absence is no alarm."""
    missing = [seen for seen in unroutable(observed) if seen.sku != ASSET_NAME]
    if missing:
        alarms.sound(Alarm.PRICES, f"{missing[0].sku}: {missing[0].why} ({len(missing)} in all)", now)
    else:
        alarms.clear(Alarm.PRICES)


def tell_dissent(
    votes: Sequence[Vote],
    agreed: Mapping[int, UsdWad],
    states: Mapping[str, SkuState],
    alarms: Alarms,
    now: datetime,
) -> Mapping[Address, Dissent]:
    """Name each reporter whose price a quorum contradicts; those who voted otherwise, by their addresses."""
    names, found = {state.index: name for name, state in states.items()}, dissents(votes, agreed)
    for vote in votes:
        if (dissent := found.get(vote.reporter)) is None:
            alarms.clear(Alarm.REPORTER_DISAGREES, subject=vote.reporter)
            continue
        why = (
            f"{vote.reporter} says that {names[dissent.sku]} costs {format_usd(dissent.said)} USD; "
            f"a quorum says {format_usd(dissent.agreed)} USD"
        )
        alarms.sound(Alarm.REPORTER_DISAGREES, why, now, subject=vote.reporter)
    return found
