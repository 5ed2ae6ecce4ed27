"""What stands out of order, so that settlement stops and a person is told. An alarm falls only when its check passes."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mintery.errors import LedgerError, SettlementHalted
from mintery.ledger.commands import LiftHalt, RaiseHalt
from mintery.ledger.reads import Ledger

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HaltBook:
    """Where halts are kept for every process. ``clock``: aware UTC, for the time at which one falls."""

    ledger: Ledger
    clock: Callable[[], datetime]


class Alarm(StrEnum):
    RECONCILIATION = "reconciliation"
    """Chain and ledger differ."""
    BLOCK_REPLACED = "block_replaced"
    """A block that was believed is gone."""
    OUTCOME_MISMATCH = "outcome_mismatch"
    """The chain settled a batch that is not the one recorded."""
    LEDGER_INCONSISTENT = "ledger_inconsistent"
    """The ledger contradicts itself, or cannot follow the chain."""
    UNDERCOLLATERAL = "undercollateral"
    """The vault holds less than is claimed of it. Nothing is sold; what is open settles."""
    PRICES = "prices"
    """A SKU has no price that its sources agree on, or no quorum reports."""
    PRICES_STALE = "prices_stale"
    """A price that is sold here was last seen by a quorum longer ago than two heartbeats."""
    PRICES_QUEUED = "prices_queued"
    """A price that is sold here waits for another: the guardian may veto that while it waits."""
    REPORTER_DISAGREES = "reporter_disagrees"
    """A reporter's price is not the one that a quorum agrees on. The subject is its address."""
    REPORTER_SILENT = "reporter_silent"
    """A reporter has signed nothing for the last epochs. The subject is its address."""
    REPORTER_REPLAYS = "reporter_replays"
    """A reporter shows an old report, another's, or two for one epoch. The subject is its address."""
    REPORT_NOT_KEPT = "report_not_kept"
    """A reporter's own report is shown, and could not be written to its disk."""
    WRITE_OFF_UNDONE = "write_off_undone"
    """The chain settled a receipt that had been written off; the books follow it. The subject is its request."""
    RECEIPTS_LEFT_OUT = "receipts_left_out"
    """Receipts that no batch can carry."""
    SETTLEMENT_WAITS = "settlement_waits"
    """A batch is in no block, and a person can do something about it."""
    ORDERS_WAIT = "orders_wait"
    """An order or a refund cannot go on, and a person can do something about it. The subject is its id."""
    CALL_GIVEN_UP = "call_given_up"
    """What an order or a refund needed on chain can never take effect any more. The subject is its id, whose status says where
    the credits are.
    """
    LONG_JOB_UNREADABLE = "long_job_unreadable"
    """What is kept of a job under way cannot be read: it is not followed. The subject is its id."""
    DISPUTED = "disputed"
    """A card payment is disputed, or the rail contradicts itself about it. The subject is the dispute's id."""
    RPC_ENDPOINT = "rpc_endpoint"
    """An endpoint of the chain is silent, of another chain, or says what the others do not."""
    JOB_FAILED = "job_failed"
    """A job ended with an error."""


HALTING = frozenset({Alarm.RECONCILIATION, Alarm.BLOCK_REPLACED, Alarm.OUTCOME_MISMATCH, Alarm.LEDGER_INCONSISTENT})
"""Alarms that no settlement may pass."""
LIFTED = frozenset({Alarm.RECONCILIATION, Alarm.BLOCK_REPLACED})
"""Halts that fall by themselves, when a later reconciliation finds everything equal, or every recorded block is of the chain
again. What the chain settled otherwise than recorded, and books that contradict themselves, an operator clears by hand:
passing again proves nothing of what happened meanwhile.
"""


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """``subject`` tells alarms of one kind apart (a job's name); ``since`` is when it was first raised. ``halt``: its number
    in the ledger, by which an operator clears it.
    """

    alarm: Alarm
    subject: str
    why: str
    since: datetime
    halt: int | None = None


class Alarms:
    """Standing alarms of this process, and halts of every process on its ledger. Safe to share between threads.

    With a book, an alarm that no settlement may pass is a row in it: a restarted or another process keeps to it. Those of
    ``LIFTED`` fall when their check passes again, in whichever process; the others when an operator clears them. One that
    could not be written stands in this process until it can.
    """

    def __init__(self, book: HaltBook | None = None) -> None:
        self._book = book
        self._standing: dict[tuple[Alarm, str], StandingAlarm] = {}
        self._halts: tuple[StandingAlarm, ...] = ()
        self._lock = threading.Lock()

    def sound(self, alarm: Alarm, why: str, now: datetime, *, subject: str = "") -> bool:
        """True when it did not stand before."""
        if alarm in HALTING and self._book is not None:
            try:
                return self._halt(self._book.ledger, alarm, why, now, subject)
            except LedgerError as error:
                log.error("halt not written", extra={"alarm": alarm.value, "why": str(error)})  # noqa: TRY400 -- no fault of ours
        with self._lock:
            before = self._standing.get((alarm, subject))
            since = now if before is None else before.since
            self._standing[alarm, subject] = StandingAlarm(alarm, subject, why, since)
            return before is None

    def clear(self, alarm: Alarm, *, subject: str = "") -> bool:
        """Its check passes. True when it stood, and falls by that."""
        with self._lock:
            stood = self._standing.pop((alarm, subject), None) is not None
        if self._book is None or alarm not in LIFTED:
            return stood
        if not any((halt.alarm, halt.subject) == (alarm, subject) for halt in self._read_halts()):
            return stood
        self._book.ledger.commit([LiftHalt(alarm.value, subject, "its check passes again", self._book.clock())])
        return True

    def standing(self) -> tuple[StandingAlarm, ...]:
        """As far as known: where the ledger does not answer, its halts of the last time."""
        try:
            halts = self._read_halts()
        except LedgerError:
            halts = self._halts
        with self._lock:
            return (*self._standing.values(), *halts)

    def check_may_settle(self) -> None:
        """Raises SettlementHalted while a halting alarm stands, and what reading the ledger raises."""
        halts = self._read_halts()
        with self._lock:
            standing = (*self._standing.values(), *halts)
        for each in standing:
            if each.alarm in HALTING:
                raise SettlementHalted(each.alarm, each.why, halt=each.halt)

    def _halt(self, ledger: Ledger, alarm: Alarm, why: str, now: datetime, subject: str) -> bool:
        news = not any((halt.alarm, halt.subject) == (alarm, subject) for halt in self._read_halts())
        if news:
            ledger.commit([RaiseHalt(alarm.value, subject, why, now)])
            log.error("settlement halted", extra={"alarm": alarm.value, "why": why})
        with self._lock:
            self._standing.pop((alarm, subject), None)
        return news

    def _read_halts(self) -> tuple[StandingAlarm, ...]:
        if self._book is None:
            return ()
        self._halts = tuple(
            StandingAlarm(Alarm(halt.alarm), halt.subject, halt.why, halt.since, halt.id)
            for halt in self._book.ledger.halts()
        )
        return self._halts
