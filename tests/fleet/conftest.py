from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.databases import Database
from tests.fleet.fleet import Site, site

from mintery.providers.stub import Stub, run_stub


@pytest.fixture(scope="package")
def upstream() -> Iterator[Stub]:
    stub = run_stub()
    yield stub
    stub.stop()


@pytest.fixture(scope="package")
def town(tmp_path_factory: pytest.TempPathFactory, upstream: Stub) -> Iterator[Site]:
    """One chain for all tests here; each test has a database, and therefore accounts, of its own."""
    with site(tmp_path_factory.mktemp("fleet"), upstream.base_url, 8) as stood:
        yield stood


@pytest.fixture
def ledger_url(postgres_database: Database) -> str:
    return postgres_database.url


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "serve.log"
