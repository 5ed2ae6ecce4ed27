"""Retries that come late, or at the very moment at which the first attempt ends."""

import asyncio
from datetime import timedelta

import orjson
import pytest
from tests.gateway.rig import key_text
from tests.usecases.test_pay_for_request import Shop, whole

from mintery.domain.model import Endpoint
from mintery.ledger.reads import RequestRecord
from mintery.providers.calls import Reply
from mintery.usecases.attempts import Attempt
from mintery.usecases.pay_for_request import Asked, pay_for_request
from mintery.usecases.verify_credential import verify_credential

pytestmark = pytest.mark.anyio
BODY = orjson.dumps({"model": "test/echo", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50})


async def pay(shop: Shop, *, declared: bool = False, idempotency_key: str | None = None) -> Attempt:
    credential = verify_credential(shop.till.parts, shop.market, key_text(), None)
    asked = Asked(Endpoint.CHAT, "/v1/chat/completions", BODY, idempotency_key, declared)
    return await pay_for_request(shop.till, shop.market, credential, asked)


@pytest.mark.parametrize(("minutes", "asked"), [(10, 1), (50, 1), (70, 2)])
async def test_a_declared_retry_joins_no_attempt_of_long_ago(minutes: int, asked: int):
    shop = Shop()
    await whole(await pay(shop))  # nobody says that it was delivered
    shop.now += timedelta(minutes=minutes)

    await whole(await pay(shop, declared=True))

    assert len(shop.provider.asked) == asked


async def test_an_attempt_that_ends_while_its_retry_reads_is_read(monkeypatch: pytest.MonkeyPatch):
    shop = Shop()
    go_on, reply, loop = asyncio.Event(), shop.provider.reply, asyncio.get_running_loop()

    async def wait_to_answer(_endpoint: Endpoint, _body: bytes, _key: object = None) -> Reply:
        await go_on.wait()
        return reply

    monkeypatch.setattr(shop.provider, "ask", wait_to_answer)
    await pay(shop, idempotency_key="a")
    read = shop.ledger.by_idempotency_key

    def read_as_it_ends(credential: bytes, key: str) -> RequestRecord | None:
        record = read(credential, key)
        loop.call_soon_threadsafe(go_on.set)
        asyncio.run_coroutine_threadsafe(shop.till.attempts.drained(10), loop).result(10)
        return record

    monkeypatch.setattr(shop.ledger, "by_idempotency_key", read_as_it_ends)
    again = await pay(shop, idempotency_key="a")

    assert await whole(again) == reply.body
