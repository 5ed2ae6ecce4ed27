"""What every test may ask for: a database of its own, on SQLite and on PostgreSQL."""

import gc
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from tests.databases import KINDS, Database, new_ledger, sqlite_database

if TYPE_CHECKING:
    from tests.postgres import Postgres

settings.register_profile("mintery", deadline=None)
settings.load_profile("mintery")
"""A busy machine makes no example wrong."""
LONGEST = (
    "tests/faults/test_seeds.py",
    "tests/e2e/test_devchain.py",
    "tests/ledger/test_model.py",
    "tests/chain/test_bundle.py",
    "tests/browser/",
    "tests/e2e/",
    "tests/fleet/",
    "tests/usecases/test_settle_batch.py",
    "tests/ledger/test_groups.py",
    "tests/gateway/test_openapi.py",
    "tests/ledger/test_opening.py",
    "tests/ledger/test_rollback.py",
    "tests/usecases/test_report_alone.py",
    "tests/chain/",
    "tests/usecases/",
    "tests/gateway/",
    "tests/ledger/",
    "tests/wallet/",
)
"""Begun last, one would keep a worker busy after the others have ended."""
MEMORY = Path("/dev/shm")  # noqa: S108 -- folders of random names are made in it
ROOM = 4 << 30


def temporary_folders_in_memory() -> None:
    """Of this process and of those that it starts, where there is room and programs may run: thousands of commits, each on
    disk before the next, need no disk.
    """
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return
    there = os.statvfs(MEMORY)
    if there.f_bavail * there.f_frsize >= ROOM and not there.f_flag & os.ST_NOEXEC:
        tempfile.tempdir = os.environ["TMPDIR"] = str(MEMORY)


temporary_folders_in_memory()


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
        return sqlite_database(new_ledger(tmp_path / "ledger.sqlite"))
    return request.getfixturevalue("postgres_database")


@contextmanager
def new_database(request: pytest.FixtureRequest, kind: str) -> Iterator[Database]:
    """One more database of ``kind``, empty, for tests that need many; in memory where that can be."""
    if kind == "sqlite":
        with TemporaryDirectory(prefix="mintery-") as folder:
            yield sqlite_database(new_ledger(Path(folder) / "ledger.sqlite"))
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.new_database() as name:
        yield Database(server.url(name))


@pytest.fixture(params=KINDS)
def bare_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """As ``database``, but with no tables in it."""
    if request.param == "sqlite":
        yield sqlite_database(tmp_path / "ledger.sqlite")
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.new_database(migrated=False) as name:
        yield Database(server.url(name))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes a minute runs only where `-m` asks for it. The longest files begin first."""
    items.sort(key=_place)
    if "deep" in (config.getoption("-m") or ""):
        return
    chosen = [item for item in items if item.get_closest_marker("deep") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def _place(item: pytest.Item) -> int:
    return next((place for place, files in enumerate(LONGEST) if item.nodeid.startswith(files)), len(LONGEST))


def pytest_collection_finish() -> None:
    """What was imported and collected stays: no later search for garbage need look through it."""
    gc.collect()
    gc.freeze()
