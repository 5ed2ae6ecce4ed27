"""A session stays with its route when another process goes on with it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.databases import Database
from tests.fakes.ledger import InMemoryLedger
from tests.ledger.samples import IDENTITY, NOON, Chain, capture, deposit, place, wallet
from tests.usecases.shop import Shop

from mintery.errors import ProviderUnreachable
from mintery.ledger.store import open_ledger

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def begun(ledger: InMemoryLedger, **fields: object) -> Shop:
    """A process where the first route had failed, so that the session is with the second one."""
    first = Shop(ledger=ledger)
    first.providers["a"].breaks_with = ProviderUnreachable("a")
    assert await first.answered("consistent", **fields) == "b/m"
    return first


async def test_another_process_goes_on_with_the_route_that_answered_last():
    ledger = InMemoryLedger()
    await begun(ledger, user="u1")
    elsewhere = Shop(ledger=ledger)

    assert await elsewhere.answered("consistent", user="u1") == "b/m"
    assert await elsewhere.answered("consistent", user="u2") == "a/m", "another session begins where it is best"
    assert await elsewhere.answered("shared", user="u1") == "a/m", "who does not ask for it gets the best"


async def test_a_session_that_is_known_here_is_not_looked_up(monkeypatch: pytest.MonkeyPatch):
    ledger, looked = InMemoryLedger(), []
    first = await begun(ledger)
    first.providers["a"].breaks_with = None
    monkeypatch.setattr(ledger, "last_route", lambda *_args, **_options: looked.append(1))

    assert await first.answered("consistent") == "b/m"

    assert looked == []


def test_only_the_newest_receipts_of_the_account_are_looked_at(database: Database):
    alice, bob = wallet(1), wallet(2)
    with open_ledger(database.url, IDENTITY) as ledger:
        ledger.commit([Chain().block(deposit(alice, 1_000), deposit(bob, 1_000))])
        for number, (session, of) in enumerate([("s", alice), ("t", alice), ("s", bob), (None, alice)], 1):
            placed = place(number, of, 10, at=NOON + timedelta(seconds=number))
            placed = replace(placed, quoted=placed.quoted._replace(session=session))
            ledger.commit([placed, capture(placed, of, 5)])

        assert ledger.last_route(alice.id, "s", limit=20) == "acme/small"
        assert ledger.last_route(alice.id, "s", limit=2) is None
        assert ledger.last_route(alice.id, "x", limit=20) is None
        assert ledger.last_route(wallet(3).id, "s", limit=20) is None
