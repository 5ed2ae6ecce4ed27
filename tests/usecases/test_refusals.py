"""Who has how much room among the refusals that are written at once."""

from itertools import count

import pytest
from tests.usecases.shop import Shop

from mintery.domain.attempt import Refusal
from mintery.domain.hold import RequestId
from mintery.domain.voucher import AccountId

pytestmark = pytest.mark.anyio
NUMBERS = count()


def noted(shop: Shop, account: str | None, times: int) -> int:
    """Of as many refusals of one account, those that are remembered."""
    requests = [RequestId(f"req_{next(NUMBERS)}") for _ in range(times)]
    whose = None if account is None else AccountId(account)
    for request in requests:
        shop.till.refusals.note(Refusal(request, whose, None, "unknown_model", "no model", {}, shop.now))
    return sum(shop.till.refusals.find(request) is not None for request in requests)


async def test_whoever_has_no_account_takes_no_accounts_place():
    shop = Shop()
    assert noted(shop, None, 200) == 10
    assert [noted(shop, f"account {number}", 20) for number in range(6)] == [20, 20, 20, 20, 20, 0]


async def test_no_account_takes_every_others_place():
    shop = Shop()
    assert noted(shop, "loud", 200) == 20
    assert noted(shop, "quiet", 1) == 1
    assert noted(shop, None, 1) == 1


async def test_there_is_room_again_once_they_are_written(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mintery.usecases.refusals.GATHER_SECONDS", 0)
    shop = Shop()
    assert noted(shop, "loud", 30) == 20
    await shop.till.attempts.drained(5)
    assert noted(shop, "loud", 30) == 20
    await shop.till.attempts.drained(5)
