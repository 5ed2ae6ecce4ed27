from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.databases import Database
from tests.fleet.fleet import STARTED, Site, site
from tests.postgres import Postgres

from mintery.providers.stub import Stub, run_stub


@pytest.fixture(scope="package")
def upstream() -> Iterator[Stub]:
    stub = run_stub()
    yield stub
    stub.stop()


@pytest.fixture(scope="package")
def town(tmp_path_factory: pytest.TempPathFactory, upstream: Stub) -> Iterator[Site]:
    """One chain for all tests here."""
    with site(tmp_path_factory.mktemp("fleet"), upstream.base_url, 8) as stood:
        yield stood


@pytest.fixture(scope="package")
def shared(postgres: Postgres, town: Site) -> Iterator[Database]:
    """The ledger of the one gateway of that chain: an empty one would contradict what the chain has settled."""
    with postgres.new_database() as name:
        yield Database(postgres.url(name))


@pytest.fixture(autouse=True)
def end_what_a_failed_test_left() -> Iterator[None]:
    yield
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "serve.log"
