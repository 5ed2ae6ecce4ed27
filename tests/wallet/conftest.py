from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import new_database
from tests.databases import KINDS, Database, new_ledger
from tests.gateway.rig import GATEWAY, IDENTITY, TOKEN, Rig, rig
from tests.wallet.browser import Browser, signed_in

from mintery.crypto.keys import PrivateKey
from mintery.domain.voucher import AccountKey
from mintery.ledger.store import open_ledger

TURNED = ("clock", "public_url", "operator_key_hash", "proxies")


@pytest.fixture
def gateway(database: Database) -> Iterator[Rig]:
    """A gateway whose holder has deposited 100 credits, on each database; its ledger is checked once more at the end."""
    with open_ledger(database.url, IDENTITY) as ledger:
        with rig(ledger) as running:
            running.fund(100)
            yield running
        ledger.check()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The shared database of a module is of each kind in turn, unless its ``DATABASES`` say otherwise."""
    if "shared_database" in metafunc.fixturenames:
        kinds = getattr(metafunc.module, "DATABASES", KINDS)
        metafunc.parametrize("shared_database", kinds, indirect=True, scope="module")


@pytest.fixture(scope="module")
def shared_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    with new_database(request, request.param) as database:
        yield database


@pytest.fixture(scope="module")
def shared(shared_database: Database) -> Iterator[Rig]:
    """A gateway for all tests of a module, each with a holder of its own; its ledger is checked at the end."""
    with open_ledger(shared_database.url, IDENTITY) as ledger:
        with rig(ledger) as running:
            yield running
        ledger.check()


@pytest.fixture
def newcomer(shared: Rig) -> Iterator[Rig]:
    """The shared gateway with the account of a new holder, ``shared.newcomer``, who has deposited 100 credits. What a test turns
    of its parts is turned back.
    """
    key = PrivateKey.generate()
    shared.account = AccountKey(TOKEN, GATEWAY, key.address, key.address)
    shared.newcomer = key
    shared.fund(100, signer=key)
    parts, market = {name: getattr(shared.parts, name) for name in TURNED}, shared.market
    yield shared
    shared.market = market
    for name, value in parts.items():
        object.__setattr__(shared.parts, name, value)


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Rig]:
    """A gateway for what is the same on every database."""
    with open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger, rig(ledger) as running:
        running.fund(100)
        yield running


@pytest.fixture
def holder(gateway: Rig) -> Browser:
    """The browser of whom the module's ``gateway`` calls its newcomer."""
    return signed_in(gateway, gateway.newcomer)
