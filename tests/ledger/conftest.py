from collections.abc import Iterator

import pytest
from tests.databases import Database
from tests.ledger.samples import IDENTITY, Chain, Wallet, deposit, wallet

from mintery.ledger.store import LedgerStore, open_ledger


@pytest.fixture
def ledger(database: Database) -> Iterator[LedgerStore]:
    """On SQLite and on PostgreSQL. Checked once more when the test is over."""
    with open_ledger(database.url, IDENTITY) as store:
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
