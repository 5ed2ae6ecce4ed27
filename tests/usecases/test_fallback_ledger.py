"""Fallback on real ledgers: what is written, and that a hold ends once whatever comes between two calls."""

from collections.abc import Iterator
from datetime import timedelta

import anyio
import pytest
from tests.databases import Database
from tests.gateway.rig import CREDIT, DOMAIN, IDENTITY, SETTLER
from tests.usecases.shop import Shop, fund

from mintery.domain.attempt import AttemptOutcome
from mintery.domain.quote import UsageSource
from mintery.errors import HoldNotOpen, ProviderRefused
from mintery.ledger.audit import open_audit
from mintery.ledger.commands import SealRows
from mintery.ledger.store import open_ledger
from mintery.providers.calls import Reply
from mintery.usecases.expire_holds import EVIDENCE_SECONDS, expire_holds

pytestmark = pytest.mark.anyio
UNTOUCHED = (100 * CREDIT, 0, 0)


@pytest.fixture
def shop(database: Database) -> Iterator[Shop]:
    with open_ledger(database.url, IDENTITY) as ledger:
        fund(ledger)
        shop = Shop(ledger=ledger)
        shop.providers["a"].breaks_with = ProviderRefused("a", 503, b"")
        yield shop
        ledger.check()


async def test_calls_receipt_and_seals(shop: Shop, database: Database):
    receipt = await shop.receipt("cheapest")

    assert (receipt.model, receipt.backup, receipt.asked) == ("b/m", True, "cheapest")
    outcomes = [each.outcome for each in shop.ledger.attempts(receipt.id)]
    assert outcomes == [AttemptOutcome.REFUSED, AttemptOutcome.DELIVERED]
    record = shop.ledger.request(receipt.id)
    assert record is not None
    assert (record.quoted.model, record.quoted.asked) == ("a/m", "cheapest")
    shop.ledger.commit([SealRows(100, shop.now)])
    with open_audit(database.url) as audit:
        assert audit.verify().holds


async def test_a_process_that_dies_between_two_calls(shop: Shop):
    asked, never = anyio.Event(), anyio.Event()

    async def hang(*_: object) -> Reply:
        asked.set()
        await never.wait()
        raise AssertionError

    shop.providers["b"].ask = hang  # type: ignore[method-assign]  # until the process is gone
    attempt = await shop.pay()
    await asked.wait()
    assert await shop.till.attempts.drained(0) == 1  # nothing of it is written

    held = shop.balance[1]
    assert held > 0
    assert shop.ledger.attempts(attempt.request) == []
    [hold] = shop.ledger.open_holds()
    swept = [
        expire_holds(shop.ledger, DOMAIN, SETTLER.address, hold.lease_until + timedelta(seconds=late))
        for late in (0, EVIDENCE_SECONDS, EVIDENCE_SECONDS + 1)
    ]

    assert [(each.released, each.lost, each.unresolved) for each in swept] == [(0, 0, 1), (0, 1, 0), (0, 0, 0)]
    assert shop.balance == UNTOUCHED
    record = shop.ledger.receipt(attempt.request)
    assert record is not None
    assert (record.receipt.cost, record.receipt.source) == (0, UsageSource.ESTIMATED)


async def test_a_hold_that_was_swept_during_the_fallback_is_not_charged(shop: Shop):
    def sweep() -> None:
        [hold] = shop.ledger.open_holds()
        late = hold.lease_until + timedelta(seconds=EVIDENCE_SECONDS)
        assert expire_holds(shop.ledger, DOMAIN, SETTLER.address, late).lost == 1

    shop.providers["b"].before = sweep

    attempt = await shop.pay()
    await attempt.whole()

    assert isinstance(attempt.error, HoldNotOpen)
    assert shop.balance == UNTOUCHED
    assert shop.ledger.attempts(attempt.request) == []


async def test_many_fall_back_at_once(shop: Shop):
    attempts = [await shop.pay(user=str(number)) for number in range(20)]
    for attempt in attempts:
        await attempt.whole()
        assert attempt.error is None

    available, held, captured = shop.balance
    charged = [shop.ledger.receipt(attempt.request) for attempt in attempts]
    assert sum(each.receipt.cost for each in charged if each is not None) == captured
    assert (available + captured, held) == (100 * CREDIT, 0)
