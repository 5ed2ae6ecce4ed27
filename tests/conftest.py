"""What every test may ask for: a database of its own, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.databases import KINDS, Database, sqlite_database

if TYPE_CHECKING:
    from tests.postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator["Postgres"]:
    """One server for the session; it takes about two seconds, and only tests that ask for it wait."""
    from tests.postgres import running_postgres  # noqa: PLC0415 -- only where a test needs it

    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_database(postgres: "Postgres") -> Iterator[Database]:
    with postgres.new_database() as name:
        yield Database(postgres.url(name))


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """New and empty, of each kind in turn: ``open_ledger(database.url, identity)`` makes it a ledger."""
    if request.param == "sqlite":
        return sqlite_database(tmp_path / "ledger.sqlite")
    return request.getfixturevalue("postgres_database")


@pytest.fixture(params=KINDS)
def bare_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """As ``database``, but with no tables in it."""
    if request.param == "sqlite":
        yield sqlite_database(tmp_path / "ledger.sqlite")
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.new_database(migrated=False) as name:
        yield Database(server.url(name))
