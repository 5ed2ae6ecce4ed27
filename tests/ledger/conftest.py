from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ledger.samples import IDENTITY, Chain, Wallet, deposit, wallet

from mintery.ledger.store import LedgerStore, open_ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[LedgerStore]:
    """Checked once more when the test is over."""
    with open_ledger(path, IDENTITY) as store:
        yield store
        store.check()


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture
def alice(ledger: LedgerStore, chain: Chain) -> Wallet:
    """Has deposited 1000."""
    ledger.commit([chain.block(deposit(wallet(1), 1_000))])
    return wallet(1)
