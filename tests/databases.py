"""The two databases that a ledger may stand on, as tests look into them beside the ledger."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.pool import NullPool

from mintery.ledger.migrations import upgrade

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Database:
    """``url`` opens a ledger. ``run`` is another hand on the same tables."""

    url: str

    @property
    def kind(self) -> str:
        return self.url.partition(":")[0].partition("+")[0]

    @property
    def name(self) -> str:
        """Of a PostgreSQL database."""
        return str(make_url(self.url).database)

    def run(self, statement: str) -> Sequence[Any]:
        """Its rows, if it has any. Raises SQLAlchemy's errors."""
        with _engine(self.url).begin() as connection:
            result = connection.exec_driver_sql(statement)
            return result.all() if result.returns_rows else []

    def contents(self) -> dict[str, list[Any]]:
        """Every table with its rows."""
        catalog = (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            if self.kind == "sqlite"
            else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        with _engine(self.url).connect() as connection:
            names = connection.exec_driver_sql(catalog).scalars().all()
            rows = {name: connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names}  # noqa: S608
        return {name: sorted(map(repr, each)) for name, each in rows.items()}


@cache
def _engine(url: str) -> Engine:
    """It keeps no connection: the first one of an engine asks the server who it is."""
    return create_engine(url, poolclass=NullPool)


def sqlite_database(path: "os.PathLike[str]") -> Database:
    return Database(f"sqlite:///{os.fspath(path)}")


def new_ledger(path: Path) -> Path:
    """A new SQLite file with all tables and without an identity, as the first opening leaves it: migrated once in a process,
    then copied, as all revisions take a sixth of a second.
    """
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(_migrated())
    return path


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
        with engine.begin() as connection:
            upgrade(connection)
        engine.dispose()
        return path.read_bytes()


@contextmanager
def locked(database: Database) -> Iterator[Callable[[], None]]:
    """Nobody else can write until the function that it gives is called, or at the end."""
    engine = create_engine(database.url, poolclass=NullPool, connect_args=_by_hand(database))
    with engine.connect() as connection:
        if database.kind == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            for (name,) in connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
                connection.exec_driver_sql(f"LOCK TABLE {name} IN EXCLUSIVE MODE")
        yield connection.rollback
    engine.dispose()


def _by_hand(database: Database) -> dict[str, Any]:
    """SQLite's driver would begin transactions of another kind."""
    return {"isolation_level": None} if database.kind == "sqlite" else {}
