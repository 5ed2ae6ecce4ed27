"""Writes a group of lists in one transaction, whatever the database does meanwhile.

- A deadlock or a serialization failure wrote nothing: the group is written again, a bounded number of times.
- A key that another process wrote meanwhile is a race: the group is decided again, once, and finds it.
- A connection that broke leaves it open what became of the commit. Every command takes effect once by its id, so the group
  is written again on a new connection and finds what was written. For a few seconds the database may be away for that.
- A list that the database refuses, or that raises, is its caller's alone: the group's lists are written one by one.
- An outage is nobody's fault: all are told, and may ask again.
"""

import logging
import random
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.engine.interfaces import DBAPICursor

from mintery.domain.voucher import AccountId, EscrowDomain
from mintery.errors import LedgerUnavailable
from mintery.ledger.alerts import Alert
from mintery.ledger.apply import apply_all
from mintery.ledger.commands import Command, Result
from mintery.ledger.faults import Fault, fault_of, told
from mintery.ledger.memory import Memory
from mintery.ledger.pipeline import Pipeline
from mintery.ledger.work import Work

CONTENTION_TRIES = 12
RACE_TRIES = 2
RECONNECT_SECONDS = 5.0
"""How long a group whose commit is uncertain waits for the database to come back."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.005, 0.5
_KNOWN_VOUCHERS = 100_000
_KNOWN_ALERTS = 10_000
_ITS_OWN = frozenset({Fault.REFUSED, Fault.RACE, Fault.OTHER})
"""Faults of one list, not of the database or of the group."""
_ROWS = frozenset({Fault.REFUSED, Fault.RACE})
"""What may come of a request that was taken to be new and is not: the next try trusts nothing."""

_log = logging.getLogger(__name__)

Written = Sequence[Result] | Exception
"""What became of one list: its results, or what its caller is told."""


class GroupWriter:
    """Belongs to one thread. ``domain`` is the escrow that the ledger belongs to."""

    def __init__(self, engine: Engine, domain: EscrowDomain) -> None:
        self._engine = engine
        self._domain = domain
        self._connection: PoolProxiedConnection | None = None
        self._cursor: DBAPICursor | None = None
        self._pipeline: Pipeline | None = None
        self._known_vouchers: set[tuple[AccountId, bytes]] = set()
        self._known_alerts: set[Alert] = set()
        self._memory = Memory()

    def write(self, lists: Sequence[Sequence[Command]]) -> list[Written]:
        """One outcome for each list, in order. All lists are written in one transaction unless one of them fails."""
        try:
            return list(self._insist(lists))
        except Exception as error:  # noqa: BLE001 -- the thread's edge: it goes to the callers
            if len(lists) == 1 or fault_of(self._engine.dialect, error) not in _ITS_OWN:
                return [told(self._engine.dialect, error)] * len(lists)
            _log.warning("ledger group of %d lists failed, writing them one by one: %s", len(lists), error)
        return self._write_each(lists)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = self._cursor = None

    def _write_each(self, lists: Sequence[Sequence[Command]]) -> list[Written]:
        written: list[Written] = []
        for commands in lists:
            (outcome,) = self.write([commands])
            if isinstance(outcome, LedgerUnavailable):
                return [*written, *[outcome] * (len(lists) - len(written))]
            written.append(outcome)
        return written

    def _insist(self, lists: Sequence[Sequence[Command]]) -> Sequence[Sequence[Result]]:
        uncertain_until: float | None = None
        for tries in range(1, 1_000):
            trusting = self._memory.trusted
            try:
                return self._transaction(lists)
            except Exception as error:
                fault = fault_of(self._engine.dialect, error, self._driver_connection())
                self._roll_back(fault)
                if fault is Fault.BROKEN:
                    uncertain_until = uncertain_until or time.monotonic() + RECONNECT_SECONDS
                uncertain = fault in {Fault.BROKEN, Fault.OUTAGE} and uncertain_until is not None
                if not (
                    (fault in _ROWS and trusting)
                    or (fault is Fault.CONTENTION and tries < CONTENTION_TRIES)
                    or (fault is Fault.RACE and tries < RACE_TRIES)
                    or (uncertain and time.monotonic() < (uncertain_until or 0))
                ):
                    raise
                _log.warning("ledger group of %d lists is written again: %s", len(lists), type(error).__name__)
            time.sleep(random.uniform(0.5, 1) * min(_SHORTEST_PAUSE * 2**tries, _LONGEST_PAUSE))  # noqa: S311 -- jitter
        raise AssertionError

    def _transaction(self, lists: Sequence[Sequence[Command]]) -> list[list[Result]]:
        cursor = self._connect()
        memory = self._memory if self._pipeline is None else Memory()
        work = Work(
            cursor,
            self._engine.dialect,
            self._domain,
            self._known_vouchers,
            memory,
            self._pipeline,
            known_alerts=self._known_alerts,
        )
        results = apply_all(work, lists)
        work.commit()
        if len(self._known_vouchers) > _KNOWN_VOUCHERS:
            self._known_vouchers.clear()
        if len(self._known_alerts) > _KNOWN_ALERTS:
            self._known_alerts.clear()
        return results

    def _connect(self) -> DBAPICursor:
        """The connection's one cursor: to make one costs as much as a statement."""
        if self._connection is None or self._cursor is None:
            self._connection = self._engine.raw_connection()
            self._cursor = self._connection.cursor()
            if self._engine.dialect.name == "postgresql":
                self._driver_connection().autocommit = True  # BEGIN and COMMIT are ours
                # What the driver prepares it deallocates after any rollback, and everything else on the connection with it.
                self._driver_connection().prepare_threshold = None
                self._pipeline = Pipeline(self._driver_connection())
        return self._cursor

    def _driver_connection(self) -> Any:
        return None if self._connection is None else self._connection.dbapi_connection

    def _roll_back(self, fault: Fault) -> None:
        """Forget what the transaction knew. A connection that cannot even roll back is dropped."""
        self._known_vouchers.clear()
        self._memory.forget()
        if self._connection is None:
            return
        try:
            if fault is not Fault.BROKEN:
                self._connection.cursor().execute("ROLLBACK")
                return
        except self._engine.dialect.loaded_dbapi.Error as error:
            _log.warning("a rollback failed, the connection is dropped: %s", type(error).__name__)
        self._connection.invalidate()
        self._connection = self._cursor = None
