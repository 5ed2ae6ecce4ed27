"""Leadership on PostgreSQL: advisory locks of a session that does nothing else."""

import contextlib
import hashlib
import logging
import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from mintery.errors import LeadershipLost

_log = logging.getLogger(__name__)

_CLASS = int.from_bytes(b"MINT")
"""First half of every advisory lock of ours; the job is the second."""
_SECONDS = 5
"""Longest wait for the database: to connect, and for one statement."""
_SESSION = (
    f"SET statement_timeout = '{_SECONDS}s'",
    # A process that hangs, or is stopped, must not lead for ever; one that lives asks every second.
    "SET idle_session_timeout = '10s'",
    # How soon the server notices that this machine is gone; the driver's own settings tell us of the server's.
    "SET tcp_keepalives_idle = 4",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 3",
)
_DRIVER: Mapping[str, Any] = {
    "connect_timeout": _SECONDS,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 1_000 * _SECONDS,
}
_TRY = text("SELECT pg_try_advisory_lock(:class, :key)")
_RENAME = text("SELECT set_config('application_name', :name, false)")
_HOLDERS = text(
    "SELECT held.objid::bigint, active.application_name, held.pid = pg_backend_pid()"
    " FROM pg_locks held LEFT JOIN pg_stat_activity active ON active.pid = held.pid"
    " WHERE held.locktype = 'advisory' AND held.classid = :class AND held.objsubid = 2 AND held.granted"
    " AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class SessionLeadership:
    """Implements ``leadership.Leadership``. What ``pg_locks`` does not confirm is not led, whatever the lock's function said."""

    def __init__(self, url: str, process: str) -> None:
        self._process, self._note = process, ""
        arguments = {**_DRIVER, "application_name": process}
        self._engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=arguments)
        self._session: Connection | None = None
        self._leaders: dict[str, str] = {}
        self._names: dict[int, str] = {}
        self._lock = threading.Lock()

    def contend(self, jobs: Collection[str]) -> frozenset[str]:
        with self._lock:
            self._names |= {_key(job): job for job in jobs}
            try:
                session = self._connected()
                for job in frozenset(jobs) - self._held(session):
                    session.execute(_TRY, {"class": _CLASS, "key": _signed(_key(job))})
                return self._held(session) & frozenset(jobs)
            except DBAPIError as error:
                self._drop(error)
                return frozenset()

    def check(self, job: str) -> None:
        with self._lock:
            try:
                held = frozenset() if self._session is None else self._held(self._session)
            except DBAPIError as error:
                self._drop(error)
                raise LeadershipLost(job) from error
        if job not in held:
            raise LeadershipLost(job)

    def is_led(self, job: str) -> bool:
        with self._lock:
            try:
                holders = self._connected().execute(_HOLDERS, {"class": _CLASS})
            except DBAPIError as error:
                self._drop(error)
                return True
            return _key(job) in {key for key, _, _ in holders}

    def leaders(self) -> Mapping[str, str]:
        return dict(self._leaders)

    def announce(self, note: str) -> None:
        with self._lock:
            self._note = note
            try:
                if self._session is not None:
                    self._session.execute(_RENAME, {"name": self._name})
            except DBAPIError as error:
                self._drop(error)

    def notes(self) -> Sequence[str]:
        with self._lock:
            try:
                if self._session is None:
                    raise LeadershipLost("notes")
                names = {name or "" for _, name, mine in self._session.execute(_HOLDERS, {"class": _CLASS}) if not mine}
            except DBAPIError as error:
                self._drop(error)
                raise LeadershipLost("notes") from error
        return [note for name in sorted(names) if (note := name.partition(" ")[2])]

    def close(self) -> None:
        with self._lock:
            if self._session is not None:
                # The server takes a moment to end a session, and others should not have to wait for it.
                with contextlib.suppress(DBAPIError):
                    self._session.exec_driver_sql("SELECT pg_advisory_unlock_all()")
            self._disconnect()
        self._engine.dispose()

    def _connected(self) -> Connection:
        if self._session is None:
            session = self._engine.connect()
            for setting in _SESSION:
                session.exec_driver_sql(setting)
            session.execute(_RENAME, {"name": self._name})
            self._session = session
        return self._session

    @property
    def _name(self) -> str:
        return f"{self._process} {self._note}".strip()

    def _held(self, session: Connection) -> frozenset[str]:
        """What this session leads; who leads the rest is remembered on the way."""
        rows = [
            (self._names[key], (name or "").partition(" ")[0], mine)
            for key, name, mine in session.execute(_HOLDERS, {"class": _CLASS})
            if key in self._names
        ]
        self._leaders = {job: name for job, name, _ in rows}
        return frozenset(job for job, _, mine in rows if mine)

    def _drop(self, error: DBAPIError) -> None:
        """Its locks went with the session, or go when the server notices; both ways this process leads nothing."""
        _log.warning("the session of the leadership broke: %s", type(error.orig).__name__)
        self._disconnect()

    def _disconnect(self) -> None:
        self._leaders = {}
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(DBAPIError):  # it is being given up because it is broken
                session.close()


def _key(job: str) -> int:
    """32 bits, as ``pg_locks`` shows them."""
    return int.from_bytes(hashlib.sha256(job.encode()).digest()[:4])


def _signed(key: int) -> int:
    """As the lock's function takes them."""
    return key - 2**32 if key >= 2**31 else key
