from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.databases import Database
from tests.gateway.rig import IDENTITY, Rig, rig

from mintery.ledger.store import open_ledger


@pytest.fixture
def gateway(database: Database) -> Iterator[Rig]:
    """A gateway whose holder has deposited 100 credits, on each database; its ledger is checked once more at the end."""
    with open_ledger(database.url, IDENTITY) as ledger:
        with rig(ledger) as running:
            running.fund(100)
            yield running
        ledger.check()


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Rig]:
    """A gateway for what is the same on every database."""
    with open_ledger(tmp_path / "ledger.sqlite", IDENTITY) as ledger, rig(ledger) as running:
        running.fund(100)
        yield running
