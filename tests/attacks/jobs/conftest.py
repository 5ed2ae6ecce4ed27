"""The ledger alone, or a whole town with one gateway of each test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.databases import new_ledger
from tests.ledger.samples import IDENTITY
from tests.usecases.town import Till, Town, build_town, open_till

from mintery.chain.devchain.chain import DevChain
from mintery.chain.rpc import connect
from mintery.ledger.store import LedgerStore, open_ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerStore]:
    """Checked once more when the test is over."""
    with open_ledger(new_ledger(tmp_path / "alone.sqlite"), IDENTITY) as store:
        yield store
        store.check()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with DevChain() as devchain:
        yield build_town(connect(devchain.provider()), tmp_path_factory.mktemp("town"))


@pytest.fixture
def till(town: Town, tmp_path: Path) -> Iterator[Till]:
    opened = open_till(town, new_ledger(tmp_path / "ledger.sqlite"))
    yield opened
    opened.ledger.close()
