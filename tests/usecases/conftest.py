"""One deployment for each module, one gateway with its ledger for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.databases import new_ledger
from tests.usecases.town import Till, Town, build_town, open_till

from mintery.chain.devchain.chain import DevChain
from mintery.chain.rpc import connect


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with DevChain() as devchain:
        yield build_town(connect(devchain.provider()), tmp_path_factory.mktemp("town"))


@pytest.fixture
def till(town: Town, tmp_path: Path) -> Iterator[Till]:
    opened = open_till(town, new_ledger(tmp_path / "ledger.sqlite"))
    yield opened
    opened.ledger.close()
