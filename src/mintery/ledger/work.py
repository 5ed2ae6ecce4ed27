"""One open transaction of the writer, and the statements it runs.

A statement is written once in SQLAlchemy Core, compiled once for each dialect, and then run on the driver's own cursor:
Core's execution costs five times the statement itself, and the ledger runs a dozen for every paid request.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Dialect, Executable, Table, bindparam
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from mintery.domain.voucher import AccountId, EscrowDomain

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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
    """The writer's cursor inside one transaction. ``domain`` is the escrow that this ledger belongs to."""

    cursor: DBAPICursor
    dialect: Dialect
    domain: EscrowDomain
    known_vouchers: set[tuple[AccountId, bytes]]
    """Accounts and digests that this transaction or an earlier one stored; the writer forgets them all when it rolls back."""

    def run(self, statement: Statement, /, **parameters: Any) -> int:
        """Rows changed."""
        self._execute(statement, parameters)
        return self.cursor.rowcount

    def row(self, statement: Statement, /, **parameters: Any) -> Any | None:
        """The one row, as a tuple in the order of its columns, or None."""
        self._execute(statement, parameters)
        rows = self.cursor.fetchall()
        return rows[0] if rows else None

    def rows(self, statement: Statement, /, **parameters: Any) -> Sequence[Any]:
        self._execute(statement, parameters)
        return self.cursor.fetchall()

    def run_each(self, statement: Statement, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Run once for each row of values, which are those of the statement's parameters ``names``, in its own order."""
        if not rows:
            return
        compiled = statement.on(self.dialect)
        if compiled.positions is None:
            self.cursor.executemany(compiled.sql, [dict(zip(names, values, strict=True)) for values in rows])
        elif compiled.positions == tuple(names):
            self.cursor.executemany(compiled.sql, rows)
        else:
            raise ValueError(names)

    @contextmanager
    def undoable(self) -> Iterator["Undo"]:
        """What runs inside is undone together if ``undo`` is called."""
        self.cursor.execute("SAVEPOINT undoable")
        undo = Undo(self.cursor)
        yield undo
        self.cursor.execute("RELEASE SAVEPOINT undoable")

    def _execute(self, statement: Statement, parameters: dict[str, Any]) -> None:
        compiled = statement.on(self.dialect)
        if compiled.fixed:
            parameters = {**compiled.fixed, **parameters}
        if compiled.positions is None:
            self.cursor.execute(compiled.sql, parameters)
        else:
            self.cursor.execute(compiled.sql, [parameters[name] for name in compiled.positions])


@dataclass(frozen=True, slots=True)
class Undo:
    cursor: DBAPICursor

    def undo(self) -> None:
        self.cursor.execute("ROLLBACK TO SAVEPOINT undoable")
