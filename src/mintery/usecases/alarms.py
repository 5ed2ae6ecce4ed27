"""What stands out of order, so that settlement stops and a person is told. An alarm falls only when its check passes."""

import threading
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mintery.errors import SettlementHalted


class Alarm(StrEnum):
    RECONCILIATION = "reconciliation"
    """Chain and ledger differ."""
    BLOCK_REPLACED = "block_replaced"
    """A block that was believed is gone."""
    OUTCOME_MISMATCH = "outcome_mismatch"
    """The chain settled a batch that is not the one recorded."""
    LEDGER_INCONSISTENT = "ledger_inconsistent"
    """The ledger contradicts itself, or cannot follow the chain."""
    PRICES = "prices"
    """A SKU has no price that its sources agree on, or no quorum reports."""
    RECEIPTS_LEFT_OUT = "receipts_left_out"
    """Receipts that no batch can carry."""
    SETTLEMENT_WAITS = "settlement_waits"
    """A batch is in no block, and a person can do something about it."""
    RPC_ENDPOINT = "rpc_endpoint"
    """An endpoint of the chain is silent, of another chain, or says what the others do not."""
    JOB_FAILED = "job_failed"
    """A job ended with an error."""


HALTING = frozenset({Alarm.RECONCILIATION, Alarm.BLOCK_REPLACED, Alarm.OUTCOME_MISMATCH, Alarm.LEDGER_INCONSISTENT})
"""Alarms that no settlement may pass."""


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """``subject`` tells alarms of one kind apart (a job's name); ``since`` is when it was first raised."""

    alarm: Alarm
    subject: str
    why: str
    since: datetime


class Alarms:
    """Standing alarms of this process. Safe to share between threads."""

    def __init__(self) -> None:
        self._standing: dict[tuple[Alarm, str], StandingAlarm] = {}
        self._lock = threading.Lock()

    def sound(self, alarm: Alarm, why: str, now: datetime, *, subject: str = "") -> bool:
        """True when it did not stand before."""
        with self._lock:
            before = self._standing.get((alarm, subject))
            since = now if before is None else before.since
            self._standing[alarm, subject] = StandingAlarm(alarm, subject, why, since)
            return before is None

    def clear(self, alarm: Alarm, *, subject: str = "") -> bool:
        """True when it stood."""
        with self._lock:
            return self._standing.pop((alarm, subject), None) is not None

    def standing(self) -> tuple[StandingAlarm, ...]:
        with self._lock:
            return tuple(self._standing.values())

    def check_may_settle(self) -> None:
        """Raises SettlementHalted while a halting alarm stands."""
        for standing in self.standing():
            if standing.alarm in HALTING:
                raise SettlementHalted(standing.alarm, standing.why)
