from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import new_database
from tests.databases import KINDS, new_ledger
from tests.gateway.rig import IDENTITY, Rig, rig
from tests.gateway.studio import Studio, studio

from mintery.ledger.store import open_ledger


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Rig]:
    """A gateway whose holder has deposited 100 credits; its ledger is checked once more at the end."""
    with open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger:
        with rig(ledger) as running:
            running.fund(100)
            yield running
        ledger.check()


@pytest.fixture(scope="session")
def sqlite_studio(request: pytest.FixtureRequest) -> Iterator[Studio]:
    with new_database(request, "sqlite") as database, studio(database.url) as running:
        yield running


@pytest.fixture(scope="session")
def postgresql_studio(request: pytest.FixtureRequest) -> Iterator[Studio]:
    with new_database(request, "postgresql") as database, studio(database.url) as running:
        yield running


@pytest.fixture
def stage(sqlite_studio: Studio) -> Studio:
    """A gateway that sells long jobs to a holder with 100 credits."""
    return sqlite_studio.anew()


@pytest.fixture(params=KINDS)
def here(request: pytest.FixtureRequest) -> Studio:
    """As ``stage``, on SQLite and on PostgreSQL."""
    running: Studio = request.getfixturevalue(f"{request.param}_studio")
    return running.anew()
