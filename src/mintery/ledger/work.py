"""One open transaction of the writer, and the statements it runs.

A statement is written once in SQLAlchemy Core, compiled once for each dialect, and then run on the driver's own cursor:
Core's execution costs five times the statement itself, and the ledger runs a dozen for every paid request.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Dialect, Executable, Table, bindparam
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from mintery.domain.voucher import AccountId, EscrowDomain
from mintery.errors import LedgerInconsistent
from mintery.ledger.bulk import Bulk, Rows, postgresql_statement, sqlite_statements
from mintery.ledger.pipeline import Pipeline, Sent

if TYPE_CHECKING:
    from mintery.ledger.alerts import Alert
    from mintery.ledger.memory import Memory

_log = logging.getLogger(__name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BEGIN = "BEGIN"
_BEGIN_IMMEDIATE = "BEGIN IMMEDIATE"
"""SQLite's write lock is taken at once, so that no transaction fails half-way for want of it."""
_DATA_VERSION = "PRAGMA data_version"
"""SQLite's: another number than before where another connection committed meanwhile."""


def micros(instant: datetime) -> int:
    """Microseconds since 1970 UTC, exact. ``instant`` is aware."""
    return (instant - _EPOCH) // _MICROSECOND


def instant_of(stored: int) -> datetime:
    return _EPOCH + timedelta(microseconds=stored)


def insert_of(table: Table) -> Insert:
    """All columns of ``table`` but its sequence, by name. Both dialects read PostgreSQL's ON CONFLICT."""
    return Insert(table).values(
        {column.name: bindparam(column.name) for column in table.columns if not column.identity}
    )


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    positions: tuple[str, ...] | None
    """Parameter names in order, or None where the driver takes them by name."""
    fixed: Mapping[str, Any]


class Statement:
    """A Core statement with named parameters. Parameters are int, str, bytes or None, as the driver takes them."""

    def __init__(self, core: Executable) -> None:
        self._core = core
        self._compiled: dict[str, _Compiled] = {}

    def on(self, dialect: Dialect) -> _Compiled:
        if (known := self._compiled.get(dialect.name)) is None:
            known = self._compiled[dialect.name] = self._compile(dialect)
        return known

    def _compile(self, dialect: Dialect) -> _Compiled:
        core = self._core
        if not isinstance(core, ClauseElement):
            raise TypeError(core)
        compiled = core.compile(dialect=dialect)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError(compiled)
        positions = None if compiled.positiontup is None else tuple(compiled.positiontup)
        # A parameter without a value is the caller's to give; a literal NULL must therefore be written as ``null()``.
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        return _Compiled(compiled.string, positions, fixed)


@dataclass(slots=True)
class Work:
    """The writer's cursor inside one transaction. ``domain`` is the escrow that this ledger belongs to.

    What was written later is written before anything else is asked: on PostgreSQL a transaction of a group's requests is
    then two round trips, one that begins and reads, and one that writes and commits.
    """

    cursor: Any
    dialect: Dialect
    domain: EscrowDomain
    known_vouchers: set[tuple[AccountId, bytes]]
    """Accounts and digests that an earlier transaction stored; the writer forgets them all when it rolls back."""
    memory: "Memory"
    pipeline: Pipeline | None = None
    """PostgreSQL's."""
    new_vouchers: set[tuple[AccountId, bytes]] = field(default_factory=set)
    known_alerts: "set[Alert]" = field(default_factory=set)
    """Those that an earlier transaction of this writer wrote; another's are written over by nothing."""
    new_alerts: "list[Alert]" = field(default_factory=list)
    _begun: bool = False
    _later: list[tuple[Bulk, Rows]] = field(default_factory=list)

    def begin(self) -> None:
        """SQLite's transaction has begun, and ``memory`` holds in it: nobody else writes before it ends."""
        if self._begun or self.pipeline is not None:
            return
        self.cursor.execute(_BEGIN_IMMEDIATE)
        self._begun = True
        self.memory.hold_true_of(self.cursor.execute(_DATA_VERSION).fetchall()[0][0])

    def run(self, statement: Statement, /, **parameters: Any) -> int:
        """Rows changed."""
        self._execute(statement, parameters)
        return int(self.cursor.rowcount)

    def row(self, statement: Statement, /, **parameters: Any) -> Any | None:
        """The one row, as a tuple in the order of its columns, or None."""
        self._execute(statement, parameters)
        rows = self.cursor.fetchall()
        return rows[0] if rows else None

    def rows(self, statement: Statement, /, **parameters: Any) -> Sequence[Any]:
        self._execute(statement, parameters)
        return cast("Sequence[Any]", self.cursor.fetchall())

    def ask(self, text: str, parameters: Sequence[Any]) -> Sequence[Any]:
        """SQLite's: the rows of one statement that is written for it."""
        self._catch_up()
        return cast("Sequence[Any]", self.cursor.execute(text, parameters).fetchall())

    def ask_all(self, questions: Sequence[Sent]) -> list[Sequence[Any]]:
        """PostgreSQL's: the rows of each statement, in one round trip. One without rows gives none."""
        before = [*self._begin_first(), *self._writes()]
        return self._run_all([*before, *questions])[len(before) :]

    def write_later(self, writes: Sequence[tuple[Bulk, Rows]]) -> None:
        """Rows that need not be seen before the next question or the commit."""
        self._later += [(bulk, rows) for bulk, rows in writes if rows]

    def commit(self) -> None:
        if self.pipeline is None:
            self._catch_up()
            self.cursor.execute("COMMIT")
        else:
            self._run_all([*self._begin_first(), *self._writes(), ("COMMIT", ())])
            if not self.pipeline.idle:
                raise LedgerInconsistent("a commit left its transaction open")
        self.known_vouchers |= self.new_vouchers
        for alert in self.new_alerts:
            self.known_alerts.add(alert)
            _log.warning("limit_alert limit=%s first=%s level=%s", *alert)
        if self.pipeline is None:
            self.memory.committed()

    @contextmanager
    def undoable(self) -> Iterator["Undo"]:
        """What runs inside is undone together if ``undo`` is called."""
        self._catch_up()
        self.cursor.execute("SAVEPOINT undoable")
        undo = Undo(self.cursor)
        yield undo
        self.cursor.execute("RELEASE SAVEPOINT undoable")

    def _execute(self, statement: Statement, parameters: dict[str, Any]) -> None:
        self._catch_up()
        compiled = statement.on(self.dialect)
        if compiled.fixed:
            parameters = {**compiled.fixed, **parameters}
        if compiled.positions is None:
            self.cursor.execute(compiled.sql, parameters)
        else:
            self.cursor.execute(compiled.sql, [parameters[name] for name in compiled.positions])

    def _catch_up(self) -> None:
        if self.pipeline is not None:
            if before := [*self._begin_first(), *self._writes()]:
                self._run_all(before)
            return
        self.begin()
        for bulk, rows in self._later:
            for text, parameters in sqlite_statements(bulk, rows):
                self.cursor.execute(text, parameters)
        self._later.clear()

    def _begin_first(self) -> list[Sent]:
        return [] if self._begun else [(_BEGIN, ())]

    def _writes(self) -> list[Sent]:
        writes, self._later = self._later, []
        return [postgresql_statement(writes)] if writes else []

    def _run_all(self, statements: Sequence[Sent]) -> list[Sequence[Any]]:
        assert self.pipeline is not None  # noqa: S101 -- only PostgreSQL is asked so
        self._begun = True
        return self.pipeline.run(statements)


@dataclass(frozen=True, slots=True)
class Undo:
    cursor: Any

    def undo(self) -> None:
        self.cursor.execute("ROLLBACK TO SAVEPOINT undoable")
