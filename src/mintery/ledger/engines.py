"""How each database is opened: the only place that knows one dialect from another.

SQLite runs in WAL with synchronous=FULL, so a commit that returned survives a power cut. Readers see the last commit and
never wait for the writer.
"""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.engine.interfaces import DBAPIConnection

from mintery.ledger.texts import TextParameter

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
_MIGRATION_LOCK = 0x6D696E74657279
"""An advisory lock's number: the letters of our name."""
_NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""A server that fell silent is noticed within 30 s; without these a commit could wait for it for hours."""
_WRITER_SETTINGS = {
    "lock_timeout": "10s",
    # A process that was stopped in the middle of a group must not keep accounts locked.
    "idle_in_transaction_session_timeout": "30s",
    # Everything the writer asks for is found by an index. A plan that was made while a table was small stays right.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}


def writer_engine(url: str) -> Engine:
    """One connection; its transactions take the write lock when they begin, so that none fails half-way for want of it."""
    if not is_sqlite(url):
        arguments = _postgresql(url, **_WRITER_SETTINGS)
        return _with_plain_texts(create_engine(url, pool_size=1, max_overflow=0, connect_args=arguments))
    engine = create_engine(url, pool_size=1, max_overflow=0)
    event.listen(engine, "connect", _open_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def reader_engine(url: str) -> Engine:
    """A small pool; every read is one snapshot."""
    if not is_sqlite(url):
        engine = create_engine(
            url,
            pool_size=_READERS,
            max_overflow=_READERS,
            isolation_level="REPEATABLE READ",
            execution_options={"postgresql_readonly": True},
            connect_args=_postgresql(url),
        )
        return _with_plain_texts(engine)
    engine = create_engine(url, pool_size=_READERS, max_overflow=_READERS)
    event.listen(engine, "connect", _open_sqlite)
    event.listen(engine, "connect", _read_only)
    event.listen(engine, "begin", _begin_snapshot)
    return engine


def _postgresql(url: str, **settings: str) -> dict[str, Any]:
    """Arguments of a connection; what the URL itself says comes first."""
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    arguments = {**_NETWORK, "options": options, "application_name": "mintery"}
    return {name: value for name, value in arguments.items() if name not in make_url(url).query}


def is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def lock_out_others(connection: Connection) -> None:
    """Until this transaction ends no other process migrates the ledger. SQLite's write lock says so already."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))


def _with_plain_texts(engine: Engine) -> Engine:
    event.listen(engine, "connect", _take_plain_texts)
    return engine


def _take_plain_texts(connection: Any, _record: Any) -> None:
    connection.adapters.register_dumper(str, TextParameter)


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
