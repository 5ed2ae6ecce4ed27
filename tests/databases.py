"""The two databases that a ledger may stand on, as tests look into them beside the ledger."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

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
        engine = create_engine(self.url, poolclass=NullPool)
        try:
            with engine.begin() as connection:
                result = connection.exec_driver_sql(statement)
                return result.all() if result.returns_rows else []
        finally:
            engine.dispose()

    def contents(self) -> dict[str, list[Any]]:
        """Every table with its rows."""
        catalog = (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            if self.kind == "sqlite"
            else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        return {name: sorted(map(repr, self.run(f"SELECT * FROM {name}"))) for (name,) in self.run(catalog)}  # noqa: S608


def sqlite_database(path: "os.PathLike[str]") -> Database:
    return Database(f"sqlite:///{os.fspath(path)}")


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
