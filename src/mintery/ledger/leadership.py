"""Which process leads which job, by locks that end with the process that holds them.

A leader that was stopped for a while, and wakes up after another one took over, writes nothing: every durable step asks
``check`` first. Where it wakes between that question and the step itself, the ledger's own rules make the step harmless;
``mintery.jobs.works`` names the rule of each job.

PostgreSQL (14 or newer): advisory locks of a session of their own, which the server ends when the process dies, and when
process or machine is silent for ten seconds. The session must reach the server itself: a pooler that hands out sessions by transaction would lose
them. SQLite: locks on files beside the database.
"""

import contextlib
import hashlib
import logging
import os
import sys
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from mintery.errors import LeadershipLost
from mintery.ledger.engines import is_sqlite
from mintery.ledger.opening import ledger_url

_log = logging.getLogger(__name__)

_OWNER_ONLY = 0o600
_SUFFIX = ".leader"
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
_HOLDERS = text(
    "SELECT held.objid::bigint, active.application_name, held.pid = pg_backend_pid()"
    " FROM pg_locks held LEFT JOIN pg_stat_activity active ON active.pid = held.pid"
    " WHERE held.locktype = 'advisory' AND held.classid = :class AND held.objsubid = 2 AND held.granted"
    " AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Leadership(Protocol):
    """The jobs that this process may lead; each has one leader among all processes on the ledger. Safe between threads."""

    def contend(self, jobs: Collection[str]) -> frozenset[str]:
        """Those of ``jobs`` that this process leads now: what it led and what nobody led. Waits for no other process."""

    def check(self, job: str) -> None:
        """Asked before every durable step of a job.

        Raises:
            LeadershipLost: this process does not lead it, or no longer.
        """

    def is_led(self, job: str) -> bool:
        """Whether any process leads it; True where that cannot be known now."""

    def leaders(self) -> Mapping[str, str]:
        """Who leads each job that was contended for, as of the last look, by the names that processes give themselves."""

    def close(self) -> None:
        """Lead nothing any more: another process takes over at its next look."""


def open_leadership(url_or_path: str | Path, process: str) -> Leadership:
    """The leadership over the jobs of one ledger. ``process`` is how others see this one, at most 63 bytes."""
    url = ledger_url(url_or_path)
    if is_sqlite(url):
        return FileLeadership(Path(str(make_url(url).database)), process)
    return PostgresLeadership(url, process)


class PostgresLeadership:
    """Advisory locks. What ``pg_locks`` does not confirm is not led, whatever the lock's function said."""

    def __init__(self, url: str, process: str) -> None:
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
            if self._session is None:
                return True
            try:
                holders = self._session.execute(_HOLDERS, {"class": _CLASS})
            except DBAPIError as error:
                self._drop(error)
                return True
            return _key(job) in {key for key, _, _ in holders}

    def leaders(self) -> Mapping[str, str]:
        return dict(self._leaders)

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
            self._session = session
        return self._session

    def _held(self, session: Connection) -> frozenset[str]:
        """What this session leads; who leads the rest is remembered on the way."""
        rows = [
            (self._names[key], name or "", mine)
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


class FileLeadership:
    """One locked file for each job, named ``<database>-<job>.leader``; its text names the leader, for people."""

    def __init__(self, database: Path, process: str) -> None:
        self._database = database
        self._process = process
        self._files: dict[str, int] = {}
        self._leaders: dict[str, str] = {}
        self._lock = threading.Lock()
        # A killed process leaves its files. Removing one that somebody takes at this moment costs that one a second try.
        for path in database.parent.glob(f"{database.name}-*{_SUFFIX}"):
            if not self.is_led(path.name.removeprefix(f"{database.name}-").removesuffix(_SUFFIX)):
                path.unlink(missing_ok=True)

    def contend(self, jobs: Collection[str]) -> frozenset[str]:
        with self._lock:
            return frozenset(job for job in jobs if self._leads(job) or self._take(job))

    def check(self, job: str) -> None:
        with self._lock:
            if not self._leads(job):
                raise LeadershipLost(job)

    def is_led(self, job: str) -> bool:
        with self._lock:
            if self._leads(job):
                return True
            try:
                file = os.open(self._path(job), os.O_RDWR)
            except FileNotFoundError:
                return False
            free = _try_lock(file)
            os.close(file)
            return not free

    def leaders(self) -> Mapping[str, str]:
        return dict(self._leaders)

    def close(self) -> None:
        with self._lock:
            for job in [*self._files]:
                if self._leads(job):
                    self._path(job).unlink(missing_ok=True)
                    self._give_up(job)

    def _path(self, job: str) -> Path:
        return self._database.with_name(f"{self._database.name}-{job}{_SUFFIX}")

    def _leads(self, job: str) -> bool:
        """The lock is on the file, not on its name: if somebody removed that, the next process locks another file."""
        if (file := self._files.get(job)) is None:
            return False
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), self._path(job).stat()):
                return True
        self._give_up(job)
        return False

    def _take(self, job: str) -> bool:
        file = os.open(self._path(job), os.O_CREAT | os.O_RDWR, _OWNER_ONLY)
        if not _try_lock(file):
            self._leaders[job] = os.pread(file, 100, 1).decode(errors="replace")
            os.close(file)
            return False
        # The first byte is the lock's own, as one system locks bytes and keeps others from reading them.
        os.ftruncate(file, 1)
        os.pwrite(file, self._process.encode(), 1)
        self._files[job], self._leaders[job] = file, self._process
        return self._leads(job)

    def _give_up(self, job: str) -> None:
        os.close(self._files.pop(job))
        self._leaders.pop(job, None)


def _try_lock(file: int) -> bool:
    """Until the descriptor is closed, by whatever ends the process."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 -- there is no other file lock on that system

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 -- not on every system

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _key(job: str) -> int:
    """32 bits, as ``pg_locks`` shows them."""
    return int.from_bytes(hashlib.sha256(job.encode()).digest()[:4])


def _signed(key: int) -> int:
    """As the lock's function takes them."""
    return key - 2**32 if key >= 2**31 else key
