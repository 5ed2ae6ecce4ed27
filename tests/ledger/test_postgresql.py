"""PostgreSQL under a writer: connections that break, servers that go away, keys that others write meanwhile.

A list is written once, or its caller is told to ask again.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from tests.databases import Database
from tests.ledger.samples import IDENTITY, Chain, Wallet, capture, deposit, place, release, request_id, wallet
from tests.postgres import Postgres
from tests.proxy import Proxy, proxy_of

from mintery.errors import LedgerUnavailable
from mintery.ledger import groups
from mintery.ledger.commands import Command, HoldPlaced, RequestKnown, Result
from mintery.ledger.schema import requests
from mintery.ledger.store import LedgerStore, open_ledger

COMMIT = b"COMMIT"


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[Proxy]:
    with proxy_of(postgres.socket) as between:
        yield between


@pytest.fixture
def database(postgres_database: Database) -> Database:
    return postgres_database


@pytest.fixture
def far(ledger: LedgerStore, alice: Wallet, database: Database, proxy: Proxy) -> Iterator[LedgerStore]:
    """The same ledger, reached through the proxy. It has written before: its statements are prepared."""
    with open_ledger(f"postgresql://postgres@127.0.0.1:{proxy.port}/{database.name}", IDENTITY) as store:
        placed = place(0, alice, 1)
        store.commit([placed])
        store.commit([capture(placed, alice, 1)])
        yield store


def commits(sent: bytes) -> bool:
    return COMMIT in sent


def test_a_commit_that_nobody_heard_of_is_found(far: LedgerStore, proxy: Proxy, alice: Wallet):
    """The server commits; the connection ends before it can say so."""
    placed = place(1, alice, 10)
    proxy.after = commits

    [result] = far.commit([placed])

    assert proxy.cuts == 1
    assert isinstance(result, HoldPlaced)
    assert far.account(alice.id).held == 10
    [ended] = far.commit([capture(placed, alice, 4)])
    assert (ended.captured, ended.released) == (4, 6)


def test_a_capture_whose_commit_nobody_heard_of_is_charged_once(far: LedgerStore, proxy: Proxy, alice: Wallet):
    placed = place(1, alice, 10)
    far.commit([placed])
    proxy.after = commits

    [ended] = far.commit([capture(placed, alice, 4)])

    assert proxy.cuts == 1
    assert (ended.captured, ended.released) == (4, 6)
    assert far.account(alice.id).captured == 1 + 4


def test_a_commit_that_never_arrived_is_written_again(far: LedgerStore, proxy: Proxy, alice: Wallet):
    """The connection ends before the server hears of the commit: it rolls back."""
    proxy.before = commits

    [result] = far.commit([place(1, alice, 10)])

    assert proxy.cuts == 1
    assert isinstance(result, HoldPlaced)
    assert far.account(alice.id).held == 10


def test_a_killed_backend_in_the_middle_of_a_group_disturbs_no_one(
    ledger: LedgerStore, postgres: Postgres, alice: Wallet, database: Database
):
    """Someone holds the account's row; the writer that waits for it is killed."""
    with ThreadPoolExecutor(5) as pool, postgres.connect(database.name) as other:
        other.autocommit = False
        other.execute("SELECT id FROM accounts FOR UPDATE")
        asked = [pool.submit(ledger.commit, [place(number, alice, 10)]) for number in range(5)]
        waiting = postgres.wait_for_waiting(database.name)
        with postgres.connect(database.name) as third:
            third.execute("SELECT pg_terminate_backend(%s)", [waiting])
        other.rollback()
        results = [each.result()[0] for each in asked]

    assert all(isinstance(result, HoldPlaced) for result in results)
    assert ledger.account(alice.id).held == 50


def ask_until_written(commit: Callable[[list[Command]], object], command: Command, refused: threading.Event) -> Result:
    while True:
        try:
            return commit([command])[0]
        except LedgerUnavailable:
            refused.set()


def test_a_server_that_is_stopped_and_started_again(
    ledger: LedgerStore, postgres: Postgres, alice: Wallet, monkeypatch: pytest.MonkeyPatch
):
    """Callers are told, or have their result; the ledger finds the server again by itself."""
    monkeypatch.setattr(groups, "RECONNECT_SECONDS", 0.2)
    refused = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        pairs: list[Future[Result]] = []
        postgres.stop_at_once()
        try:
            pairs = [
                pool.submit(ask_until_written, ledger.commit, place(number, alice, 10), refused) for number in range(4)
            ]
            assert refused.wait(20)
            with pytest.raises(LedgerUnavailable):
                ledger.account(alice.id)
        finally:
            postgres.start()
        results = [each.result() for each in pairs]

    assert all(isinstance(result, HoldPlaced) for result in results)
    assert ledger.account(alice.id).held == 40


def test_a_server_that_is_back_soon_is_waited_for(ledger: LedgerStore, postgres: Postgres, alice: Wallet):
    """It went with the connection still open, so that nobody knows what became of a commit."""
    with ThreadPoolExecutor(1) as pool:
        postgres.stop_at_once()
        try:
            asked = pool.submit(ledger.commit, [place(1, alice, 10)])
        finally:
            postgres.start()

        assert isinstance(asked.result()[0], HoldPlaced)


def test_opening_waits_for_no_server(proxy: Proxy, postgres: Postgres):
    with postgres.new_database() as name, open_ledger(postgres.url(name), IDENTITY) as store:
        store.commit([Chain().block(deposit(wallet(1), 1))])
    with pytest.raises(LedgerUnavailable):
        open_ledger(f"postgresql://postgres@127.0.0.1:{proxy.port}/{name}", IDENTITY)


def test_a_key_that_another_process_writes_meanwhile_is_known(
    ledger: LedgerStore, postgres: Postgres, database: Database, alice: Wallet, chain: Chain
):
    """Of another account, so that no lock keeps the two apart: the unique index does."""
    bob = wallet(2)
    ended, wanted = place(1, bob, 1), place(2, alice, 1, idempotency_key="mine")
    ledger.commit([chain.block(deposit(bob, 1)), ended, release(ended)])
    columns = [column.name for column in requests.columns if column.name not in {"id", "credential", "idempotency_key"}]
    copied = f"""
        INSERT INTO requests (id, credential, idempotency_key, {", ".join(columns)})
        SELECT %s, %s, 'mine', {", ".join(columns)} FROM requests WHERE id = %s
    """  # noqa: S608 -- our own names
    with ThreadPoolExecutor(1) as pool, postgres.connect(database.name) as other:
        other.autocommit = False
        other.execute(copied, (request_id(9), wanted.key.credential, ended.request))
        asked = pool.submit(ledger.commit, [wanted])
        postgres.wait_for_waiting(database.name)
        other.commit()

        assert asked.result() == [RequestKnown(request_id(9), "idempotency_key", ended.key.body)]
