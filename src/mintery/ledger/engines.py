"""How each database is opened: the only place that knows one dialect from another.

SQLite runs in WAL with synchronous=FULL, so a commit that returned survives a power cut. Readers see the last commit and
never wait for the writer.
"""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError

_PRAGMAS = (
    "busy_timeout=10000",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    # 64 MiB of pages in memory, and a log of 40 MB before it is copied back: a page is then written once for many commits.
    "cache_size=-65536",
    "wal_autocheckpoint=10000",
)
_READERS = 8


def writer_engine(url: str) -> Engine:
    """One connection; its transactions take the write lock when they begin, so that none fails half-way for want of it."""
    if not is_sqlite(url):
        return create_engine(url, pool_size=1, max_overflow=0)
    engine = create_engine(url, pool_size=1, max_overflow=0)
    event.listen(engine, "connect", _open_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def reader_engine(url: str) -> Engine:
    """A small pool; every read is one snapshot."""
    if not is_sqlite(url):
        return create_engine(
            url, pool_size=_READERS, isolation_level="REPEATABLE READ", execution_options={"postgresql_readonly": True}
        )
    engine = create_engine(url, pool_size=_READERS, max_overflow=_READERS)
    event.listen(engine, "connect", _open_sqlite)
    event.listen(engine, "connect", _read_only)
    event.listen(engine, "begin", _begin_snapshot)
    return engine


def is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def is_disconnect(engine: Engine, error: Exception) -> bool:
    """Whether the connection broke, so that nobody knows what became of a commit."""
    dialect = engine.dialect
    return isinstance(error, dialect.loaded_dbapi.Error) and dialect.is_disconnect(error, None, None)


def is_outage(engine: Engine, error: Exception) -> bool:
    """Whether the database itself could not go on (locked, full, unreachable), whatever it was asked to write."""
    return isinstance(error, OperationalError | engine.dialect.loaded_dbapi.OperationalError)


def _open_sqlite(connection: DBAPIConnection, _record: Any) -> None:
    # The driver must not begin transactions of its own; the "begin" listeners do.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _read_only(connection: DBAPIConnection, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_snapshot(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
