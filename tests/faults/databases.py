"""Where a run keeps its ledger: a file of its own, or a database of its own on one PostgreSQL behind a cutter."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Protocol

import psycopg
from tests.faults.base import Base, in_a_child
from tests.faults.page import Page
from tests.faults.scenario import POSTGRESQL, Scenario
from tests.postgres import FAST, Postgres, running_postgres

from mintery.ledger.store import open_ledger
from mintery.usecases.alarms import Alarms
from mintery.usecases.sync_chain import sync_chain

TEMPLATE = "base"
_PIECE = 1 << 16


class Servers:
    """Begins what scenarios need, when the first one needs it; the server outlives runs and is this process's alone."""

    def __init__(self, base: Base, page: Page) -> None:
        self._base, self._page = base, page
        self._opened = ExitStack()
        self._postgres: Postgres | None = None

    def prepare(self, scenario: Scenario) -> None:
        if scenario.database == POSTGRESQL:
            self.postgres()

    def postgres(self) -> Postgres:
        """Called where no thread runs: its template is written in a child."""
        if self._postgres is None:
            started = self._opened.enter_context(running_postgres({**FAST, "deadlock_timeout": "20ms"}))
            with started.connect() as admin:
                admin.execute(f"CREATE DATABASE {TEMPLATE}")
            self._page.stand_still(self._base.offset)
            in_a_child(lambda: self._write_template(started.url(TEMPLATE)))
            self._postgres = started
        self._postgres.start()
        return self._postgres

    def close(self) -> None:
        self._opened.close()

    def _write_template(self, url: str) -> None:
        base = self._base
        with open_ledger(url, base.ledger_identity) as ledger:
            sync_chain(base.town.chain, ledger, base.identity.address, Alarms(), self._page.now(), through=base.synced)


class Database(Protocol):
    """``url`` opens it as gateways do, ``inner_url`` past all trouble."""

    url: str
    inner_url: str

    async def begin(self) -> None: ...

    async def usable(self) -> None:
        """Waits while it is stopped: a gateway's supervisor would do so."""

    def connect(self) -> "Connection":
        """Another hand on it, past all trouble."""

    def end(self) -> None: ...


class Connection(Protocol):
    """Parameters are ``?``, as SQLite writes them."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]: ...

    def run(self, sql: str) -> None: ...

    def close(self) -> None: ...


class SqliteFile:
    def __init__(self, base: Base, directory: Path) -> None:
        self._base = base
        self._path = directory / "ledger.sqlite"
        self.url = self.inner_url = str(self._path)

    async def begin(self) -> None:
        self._base.copy_ledger(self._path)

    async def usable(self) -> None:
        """A file always is."""

    def connect(self) -> "SqliteConnection":
        return SqliteConnection(sqlite3.connect(self._path, timeout=5, isolation_level=None))

    def end(self) -> None:
        """Its directory goes with the run."""


class SqliteConnection:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        return self._connection.execute(sql, parameters).fetchall()

    def run(self, sql: str) -> None:
        self._connection.execute(sql)

    def close(self) -> None:
        self._connection.close()


class PostgresDatabase:
    """Gateways reach it through a door that can be slammed in the middle of a COMMIT."""

    def __init__(self, postgres: Postgres) -> None:
        self.server = postgres
        self._name = f"run_{os.getpid()}"
        self.url = ""
        self.inner_url = postgres.url(self._name)
        self._running = asyncio.Event()
        self._running.set()
        self.on_cut: Callable[[str], None] = lambda _: None
        self._cut: tuple[int, bool] | None = None
        """Commits to let through, and whether the one after them reaches the server."""

    async def begin(self) -> None:
        with self.server.connect() as admin:
            admin.execute(f"CREATE DATABASE {self._name} TEMPLATE {TEMPLATE}")
            # A clone's sequences are logged as they stand: recovery before the next checkpoint would set them back.
            admin.execute("CHECKPOINT")
        door = await asyncio.start_server(self._entered, "127.0.0.1", 0)
        port = door.sockets[0].getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{port}/{self._name}"

    def connect(self) -> "PostgresConnection":
        return PostgresConnection(self.server, self._name)

    def end(self) -> None:
        self.server.start()
        with self.server.connect() as admin:
            admin.execute(f"DROP DATABASE {self._name} WITH (FORCE)")

    async def usable(self) -> None:
        await self._running.wait()

    async def stop(self) -> None:
        """At once, as if its machine had died."""
        self._running.clear()
        await asyncio.to_thread(self.server.stop_at_once)

    async def start(self) -> None:
        await asyncio.to_thread(self.server.start)
        self._running.set()

    def cut_commit(self, spared: int, *, committed: bool) -> None:
        self._cut = (spared, committed)

    def heal(self) -> None:
        self._cut = None

    async def _entered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inside, out = await asyncio.open_unix_connection(self.server.socket)
        except OSError:
            writer.transport.abort()
            return
        ways = [
            asyncio.ensure_future(self._pass(reader, out)),
            asyncio.ensure_future(_pass_back(inside, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in (out, writer):
            end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        """Ends where the connection is to be cut."""
        with suppress(OSError):
            while piece := await reader.read(_PIECE):
                if b"COMMIT\x00" in piece and self._cut is not None:
                    spared, committed = self._cut
                    if not spared:
                        self._cut = None
                        self.on_cut(f"the connection is cut in COMMIT, which {'was' if committed else 'was not'} done")
                        if committed:
                            out.write(piece)
                            await asyncio.sleep(0.03)
                        return
                    self._cut = (spared - 1, committed)
                out.write(piece)


async def _pass_back(inside: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await inside.read(_PIECE):
            writer.write(piece)


class PostgresConnection:
    """Connects anew where the server was stopped meanwhile."""

    def __init__(self, server: Postgres, name: str) -> None:
        self._server, self._name = server, name
        self._connection: psycopg.Connection | None = None

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        return list(self._execute(sql.replace("?", "%s"), parameters).fetchall())

    def run(self, sql: str) -> None:
        self._execute(sql, None)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _execute(self, sql: str, parameters: Sequence[Any] | None) -> psycopg.Cursor:
        try:
            return self._opened().execute(sql, parameters)
        except psycopg.OperationalError:
            self.close()
            self._connection = None
            return self._opened().execute(sql, parameters)

    def _opened(self) -> psycopg.Connection:
        if self._connection is None:
            self._connection = self._server.connect(self._name)
        return self._connection
