"""One deployment for each module, one gateway with its ledger for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.databases import new_ledger
from tests.usecases.town import Till, Town, build_town, open_till

from mintery.chain.devchain.chain import DevChain
from mintery.chain.rpc import connect
from mintery.chain.test_dollar import TestDollar
from mintery.units import parse_assets
from mintery.usecases.order_desk import OrderDesk, Treasury


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with DevChain() as devchain:
        yield build_town(connect(devchain.provider()), tmp_path_factory.mktemp("town"))


@pytest.fixture
def till(town: Town, tmp_path: Path) -> Iterator[Till]:
    opened = open_till(town, new_ledger(tmp_path / "ledger.sqlite"))
    yield opened
    opened.ledger.close()


@pytest.fixture
def desk(till: Till) -> OrderDesk:
    """Its treasury has 1000 dollars and gas."""
    key = till.town.funded()
    asset = till.town.chain.asset
    assert isinstance(asset, TestDollar)
    asset.mint(till.town.admin, key.address, parse_assets("1000"))
    treasury = Treasury(key, till.town.chain.sender(key))
    return OrderDesk(
        chain=till.town.chain,
        ledger=till.ledger,
        gateway=till.gateway,
        alarms=till.alarms,
        bank_details="IBAN XX00",
        treasury=treasury,
        settler=till.town.chain.sender(till.settler),
    )
