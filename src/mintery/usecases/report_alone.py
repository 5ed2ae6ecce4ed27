"""One reporter by itself: it signs what it saw, reads what the others signed, and sends all of it when a quorum agrees.

Nobody stands between reporters. Each shows its own report of the present epoch at an address that the others list, and each
of them may send the reports that it has: the oracle takes an epoch's report once, whoever sends it. An alarm names a
reporter whose price a quorum contradicts, one that is silent, and one that shows what is not its report of this epoch.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

from mintery.chain.packing import pack_changed, pack_unchanged
from mintery.chain.price_oracle import PriceVector, SignedReport
from mintery.chain.sender import Sender
from mintery.domain.observation import SkuState, is_due, sighting
from mintery.domain.reporting import Vote, agreed_prices, is_seen_by, is_turn_of
from mintery.domain.voucher import Address
from mintery.errors import FetchFailed, MalformedReport, NotReporter, ReportForOtherConfig, SystemRefused
from mintery.units import UnixSeconds, UsdWad
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.exchange_reports import prices_in, read_report, report_json
from mintery.usecases.observe_prices import prices_of
from mintery.usecases.onchain import OnChain
from mintery.usecases.report_prices import (
    NothingToReport,
    PricesReported,
    Reporter,
    read_states,
    send_reports,
    tell_dissent,
    tell_unroutable,
)
from mintery.usecases.report_round import Round, read_round

log = logging.getLogger(__name__)

SILENT_EPOCHS = 2
"""So many epochs without a report of its own, and a reporter is called silent."""


class KeptReport(Protocol):
    """Where a reporter's newest report outlives its process."""

    def read(self) -> bytes | None:
        """None before the first. Raises SystemRefused."""

    def write(self, report: bytes) -> None:
        """Raises SystemRefused."""


FetchAll = Callable[[Sequence[str], int], Sequence[bytes | FetchFailed]]
"""The bodies behind URLs, each of at most so many bytes."""


@dataclass(slots=True)
class LoneReporter:
    """``peers``: where each other reporter shows its report. ``heartbeat``: seconds after which a price is reported anew.
    ``kept``: two reports for one epoch would be held against this reporter, also when it was started again in between.

    ``tick`` is called from one thread; ``shown`` and ``epochs`` from any.
    """

    chain: OnChain
    reporter: Reporter
    sender: Sender
    peers: Mapping[Address, str]
    fetch_all: FetchAll
    alarms: Alarms
    heartbeat: int
    kept: KeptReport
    _reports: dict[Address, SignedReport] = field(default_factory=dict)
    """The newest of each reporter, its own among them."""
    _signed_on: Mapping[str, SkuState] = field(default_factory=dict)
    """The SKUs as they stood when it signed."""
    _newest: Mapping[str, SkuState] = field(default_factory=dict)
    """As they were last read: at signing, and before anything is sent. There may be thousands."""
    _began: int | None = None
    _shown: bytes | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> Address:
        return self.reporter.key.address

    def shown(self) -> bytes | None:
        """Its own report as the others read it; None before the first."""
        with self._lock:
            return self._shown

    def epochs(self) -> Mapping[Address, int]:
        """The newest epoch of each reporter whose report is here, its own among them."""
        with self._lock:
            return {who: report.vector.epoch for who, report in self._reports.items()}

    def tick(self, now: datetime) -> PricesReported | NothingToReport:
        """Sign once an epoch, hear the others, and send when it is time to.

        Raises:
            NotReporter: the oracle does not count this key.
            ChainError
        """
        at = read_round(self.chain)
        if self.address not in at.reporters:
            raise NotReporter(self.address)
        self._began = at.epoch if self._began is None else self._began
        self._sign(at, now)
        self._hear(at, now)
        self._tell_silent(at, now)
        return self._send(at, now)

    def _sign(self, at: Round, now: datetime) -> None:
        """One vector an epoch and no second, whatever the sources say meanwhile. One that saw nothing is signed too."""
        own = self._reports.get(self.address)
        if own is not None and (own.vector.epoch, own.vector.config) == (at.epoch, at.terms.config):
            return
        states = self._signed_on = self._newest = read_states(self.chain, at.head)
        if own is None and (before := self._recalled(at)) is not None:
            self._show(before, at)
            return
        observed = self.reporter.observe(tuple(states), now)
        tell_unroutable(observed, self.alarms, now)
        seen = sighting(states, prices_of(observed))
        vector = PriceVector(
            config=at.terms.config,
            epoch=at.epoch,
            observed_at=at.observed_at,
            changed=pack_changed(seen.changed),
            unchanged=pack_unchanged(seen.unchanged),
        )
        signed = self.chain.oracle.sign_report(self.reporter.key, vector)
        self._keep(report_json(signed, at.terms), now)
        self._show(signed, at)
        log.info("report signed", extra={"epoch": at.epoch, "prices": len(seen.changed) + len(seen.unchanged)})

    def _recalled(self, at: Round) -> SignedReport | None:
        """What this reporter signed for this epoch before it was started."""
        body = self.kept.read()
        try:
            report = None if body is None else read_report(body, at.terms, self.address)
        except MalformedReport as error:
            log.warning("kept report is none of this oracle's", extra={"why": error.why})
            return None
        return report if report is not None and report.vector.epoch == at.epoch else None

    def _keep(self, report: bytes, now: datetime) -> None:
        """Before anybody sees it. A disk that refuses it makes no price stale: it only is no help after a restart."""
        try:
            self.kept.write(report)
        except SystemRefused as error:
            why = f"started again in this epoch, this reporter would sign a second report: {error}"
            self.alarms.sound(Alarm.REPORT_NOT_KEPT, why, now)
        else:
            self.alarms.clear(Alarm.REPORT_NOT_KEPT)

    def _show(self, report: SignedReport, at: Round) -> None:
        with self._lock:
            self._reports[self.address] = report
            self._shown = report_json(report, at.terms)

    def _hear(self, at: Round, now: datetime) -> None:
        bodies = self.fetch_all(tuple(self.peers.values()), at.terms.most_bytes)
        for peer, body in zip(self.peers, bodies, strict=True):
            if isinstance(body, FetchFailed):
                continue
            try:
                self._take(peer, read_report(body, at.terms, peer), at)
            except ReportForOtherConfig:
                # The oracle changed just now, and one of us has not seen it yet. Who never does is called silent.
                continue
            except MalformedReport as error:
                self.alarms.sound(Alarm.REPORTER_REPLAYS, f"{peer}: {error.why}", now, subject=peer)
            except Exception as error:  # the edge between peers: what one of them shows stops nobody else's report
                log.exception("report unread", extra={"reporter": peer})
                self.alarms.sound(Alarm.REPORTER_REPLAYS, f"{peer}: {type(error).__name__}", now, subject=peer)
            else:
                self.alarms.clear(Alarm.REPORTER_REPLAYS, subject=peer)

    def _take(self, peer: Address, report: SignedReport, at: Round) -> None:
        """Keep it where it is newer. One of the epoch before may still be renewed; what is older is shown again.

        Raises:
            MalformedReport
        """
        kept, vector = self._reports.get(peer), report.vector
        if vector.epoch > at.epoch + 1:
            raise MalformedReport(f"it is of epoch {vector.epoch}, and the chain is at {at.epoch}")
        if vector.epoch < at.epoch - 1 or (kept is not None and vector.epoch < kept.vector.epoch):
            raise MalformedReport(f"it is an old one of epoch {vector.epoch}; the chain is at {at.epoch}")
        if kept is not None and (kept.vector.epoch, kept.vector.config) == (vector.epoch, vector.config):
            # Who was started again without its disk signs again, later: that alone is no other report.
            if (kept.vector.changed, kept.vector.unchanged) != (vector.changed, vector.unchanged):
                raise MalformedReport(f"it is the second one that was signed for epoch {vector.epoch}")
            return
        with self._lock:
            self._reports[peer] = report

    def _tell_silent(self, at: Round, now: datetime) -> None:
        for reporter in at.reporters:
            report = self._reports.get(reporter)
            last = self._began if report is None else report.vector.epoch
            if last is not None and at.epoch - last >= SILENT_EPOCHS:
                where = _host(self.peers[reporter]) if reporter in self.peers else "no address of it is known here"
                why = f"{reporter} has signed nothing since epoch {last} ({where}); it is {at.epoch} now"
                self.alarms.sound(Alarm.REPORTER_SILENT, why, now, subject=reporter)
            else:
                self.alarms.clear(Alarm.REPORTER_SILENT, subject=reporter)

    def _send(self, at: Round, now: datetime) -> PricesReported | NothingToReport:
        present = {who: report for who, report in self._reports.items() if _counts(who, report.vector, at)}
        votes = self._votes(present)
        if self._is_due(agreed := agreed_prices(votes, at.quorum), at):
            self._newest = read_states(self.chain, at.head)
            votes = self._votes(present)
            agreed = agreed_prices(votes, at.quorum)
        others = tell_dissent(votes, agreed, self._newest, self.alarms, now)
        if not self._is_due(agreed, at):
            return NothingToReport("nothing that a quorum agrees on is due")
        if not is_turn_of(self.address, at.reporters, at.epoch, at.terms.epoch_length, at.now):
            return NothingToReport("another reporter comes first in this epoch")
        agreeing = [vote for vote in votes if vote.reporter not in others]
        # Who errs about one SKU may be needed for the quorum of another; the median of each bears it.
        sent = agreeing if all(is_seen_by(agreeing, sku, at.quorum) for sku in agreed) else votes
        reports = [present[vote.reporter] for vote in sent]
        return send_reports(self.chain, self.sender, reports, self._newest)

    def _votes(self, present: Mapping[Address, SignedReport]) -> list[Vote]:
        return [
            Vote(reporter, prices_in(report.vector, self._in_force_at(report.vector.observed_at)))
            for reporter, report in present.items()
        ]

    def _in_force_at(self, observed_at: UnixSeconds) -> Mapping[int, UsdWad]:
        """Who looked before a price came into force meant the one before it."""
        return {
            state.index: state.in_force if observed_at >= state.refreshed_at else self._signed_on[name].in_force
            for name, state in self._newest.items()
            if name in self._signed_on
        }

    def _is_due(self, agreed: Mapping[int, UsdWad], at: Round) -> bool:
        return any(
            is_due(state, agreed[state.index], now=at.now, heartbeat=self.heartbeat, queue_delay=at.queue_delay)
            for state in self._newest.values()
            if state.index in agreed
        )


def _counts(reporter: Address, vector: PriceVector, at: Round) -> bool:
    """One that was observed later than now would revert all reports that are sent with it."""
    known = reporter in at.reporters and vector.config == at.terms.config
    return known and vector.epoch == at.epoch and vector.observed_at <= at.now


def _host(url: str) -> str:
    """Alarms are open to everybody, and the rest of a URL may let its reader in."""
    try:
        return urlsplit(url).hostname or "an address without a host"
    except ValueError:
        return "an address that is none"
