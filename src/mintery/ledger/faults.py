"""What a database's error means for those who wait: the only place that reads SQLSTATEs and drivers' errors.

Callers meet errors of ``mintery.errors`` alone; the driver's own is the cause.
"""

from enum import Enum
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mintery.errors import LedgerRefused, LedgerUnavailable

_CONTENTION = frozenset({"40001", "40P01"})
_UNIQUE = "23505"
_OUTAGES = ("08", "53", "57", "58", "55P03", "25006", "25P03", "25P04")
"""Connection, resources, operator intervention, input or output; a lock not granted in time; a server that has become a
read-only standby; a transaction that outlasted what the server allows."""


class Fault(Enum):
    CONTENTION = "contention"
    """A deadlock or a serialization failure: nothing was written, and it may be written again as it is."""
    RACE = "race"
    """Another process wrote, under the same key, what was not there when this one looked: to be decided again, once."""
    BROKEN = "broken"
    """The connection is gone, and nobody knows what became of a commit."""
    OUTAGE = "outage"
    """The database could not go on (locked, full, out of reach), whatever it was asked to write."""
    REFUSED = "refused"
    """The database took offence at what was to be written: one list's own doing."""
    OTHER = "other"
    """No database's error."""


def fault_of(dialect: Dialect, error: BaseException, connection: Any = None) -> Fault:
    """``connection`` is the driver's own, where there was one."""
    if isinstance(error, PoolTimeout):
        return Fault.OUTAGE
    raised = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(raised, OverflowError):  # SQLite's driver, of what passes 63 bits
        return Fault.REFUSED
    if not isinstance(raised, dialect.loaded_dbapi.Error):
        return Fault.OTHER
    invalidated = isinstance(error, DBAPIError) and error.connection_invalidated
    if invalidated or dialect.is_disconnect(raised, connection, None):
        return Fault.BROKEN
    return _by_state(getattr(raised, "sqlstate", None), raised, dialect)


def _by_state(state: str | None, raised: Exception, dialect: Dialect) -> Fault:
    """SQLite knows no states; nor does a connection to PostgreSQL that was never made."""
    if state is None:
        return Fault.OUTAGE if isinstance(raised, dialect.loaded_dbapi.OperationalError) else Fault.REFUSED
    if state in _CONTENTION:
        return Fault.CONTENTION
    if state == _UNIQUE:
        return Fault.RACE
    return Fault.OUTAGE if state.startswith(_OUTAGES) else Fault.REFUSED


def told(dialect: Dialect, error: Exception) -> Exception:
    """What a caller is told of ``error``: it may ask again, or what it asked for cannot be written."""
    match fault_of(dialect, error):
        case Fault.OTHER:
            return error
        case Fault.REFUSED | Fault.RACE:
            typed: LedgerRefused | LedgerUnavailable = LedgerRefused(_name(error))
        case _:
            typed = LedgerUnavailable(_name(error))
    typed.__cause__ = error
    return typed


def _name(error: Exception) -> str:
    """Its kind: its text may repeat what was to be written."""
    raised = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    state = getattr(raised, "sqlstate", None)
    return type(raised).__name__ if state is None else f"{type(raised).__name__} ({state})"
