"""A retry that reaches another process than its first attempt reads the same answer, or is told what became of it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from prometheus_client import CollectorRegistry
from tests.gateway.rig import key_text, raised_text
from tests.usecases.test_pay_for_request import DONE, Shop, text, usage, whole

from mintery.domain.model import Endpoint
from mintery.errors import AttemptFailed, ProviderUnreachable, RequestUnderWay, RequestUnresolved
from mintery.ledger.commands import Command, PlaceHold, Result
from mintery.providers.calls import ProviderKey, Reply, StreamEvent
from mintery.usecases import join_attempt
from mintery.usecases.attempts import Attempt
from mintery.usecases.meters import Meters
from mintery.usecases.parts import mark_of
from mintery.usecases.pay_for_request import Asked, Till, open_till, pay_for_request
from mintery.usecases.verify_credential import verify_credential

pytestmark = pytest.mark.anyio
PROMPT = {"model": "test/echo", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50}


class TwoProcesses:
    """Two tills on one ledger. The first one's provider answers when ``go_on`` is set; it dies when ``gone`` is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop = Shop()
        self.go_on = asyncio.Event()
        self.gone = False
        self.fault: Exception | None = None
        self.first = self.shop.till
        self.second = self._other(self.first)
        provider = self.shop.provider
        provider.events = [text("a"), text("b"), usage(3, 2), DONE]
        ask, stream = provider.ask, provider.stream

        async def ask_later(endpoint: Endpoint, body: bytes, _key: ProviderKey | None = None) -> Reply:
            await self.go_on.wait()
            if self.fault is not None:
                raise self.fault
            return await ask(endpoint, body)

        async def stream_later(
            endpoint: Endpoint, body: bytes, _key: ProviderKey | None = None
        ) -> AsyncGenerator[StreamEvent]:
            await self.go_on.wait()
            async for event in stream(endpoint, body):
                yield event

        monkeypatch.setattr(provider, "ask", ask_later)
        monkeypatch.setattr(provider, "stream", stream_later)

    def _other(self, till: Till) -> Till:
        runs = lambda request: not (self.gone and mark_of(request) == self.first.parts.mark)  # noqa: E731 -- as parts take it
        parts = replace(till.parts, mark="0000000b", runs=runs)
        return open_till(parts, Meters(CollectorRegistry()))

    async def ask(self, till: Till, *, stream: bool = False, **how: object) -> Attempt:
        raised = how.pop("raised", None)
        credential = verify_credential(till.parts, self.shop.market, key_text(), raised)  # type: ignore[arg-type]  # a text or None
        body = orjson.dumps({**PROMPT, "stream": stream})
        asked = Asked(Endpoint.CHAT, "/v1/chat/completions", body, **how)  # type: ignore[arg-type]  # as Asked names them
        return await pay_for_request(till, self.shop.market, credential, asked)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> TwoProcesses:
    return TwoProcesses(monkeypatch)


WAYS = [
    pytest.param({}, {"declared_retry": True}, id="declared"),
    pytest.param({"idempotency_key": "a"}, {"idempotency_key": "a"}, id="idempotency key"),
    pytest.param(
        {"raised": raised_text(credits_=1)}, {"raised": raised_text(credits_=1), "declared_retry": True}, id="raised"
    ),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("first", "again"), WAYS)
async def test_a_retry_elsewhere_waits_for_the_answer(two: TwoProcesses, first: dict, again: dict, stream: bool):
    begun = await two.ask(two.first, stream=stream, **first)
    joined = await two.ask(two.second, stream=stream, **again)
    waiting = asyncio.create_task(whole(joined))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    two.go_on.set()

    assert await waiting == await whole(begun)
    assert (await joined.head()).replayed
    assert joined.request == begun.request
    assert len(two.shop.provider.asked) == 1
    assert two.shop.held == 0


async def test_a_first_try_that_is_written_after_its_retry_joins_it(two: TwoProcesses, monkeypatch: pytest.MonkeyPatch):
    """Its client gave up meanwhile, and pays for the retry alone."""
    ledger = two.first.parts.ledger
    commit_async, written = ledger.commit_async, asyncio.Event()

    async def slow(commands: Sequence[Command]) -> Sequence[Result]:
        if isinstance(commands[0], PlaceHold) and commands[0].repeats_since is None:
            await written.wait()
        return await commit_async(commands)

    monkeypatch.setattr(ledger, "commit_async", slow)
    begun = asyncio.create_task(two.ask(two.first))
    await asyncio.sleep(0)
    retried = await two.ask(two.second, declared_retry=True)
    two.go_on.set()
    answer = await whole(retried)
    written.set()
    joined = await begun

    assert joined.request == retried.request
    assert await whole(joined) == answer
    assert len(two.shop.provider.asked) == 1
    assert two.shop.held == 0
    assert len(two.first.attempts) == 0


async def test_all_retries_in_one_process_follow_one_look(two: TwoProcesses):
    await two.ask(two.first, idempotency_key="a")
    joined = [await two.ask(two.second, idempotency_key="a") for _ in range(5)]

    assert all(each is joined[0] for each in joined)
    two.go_on.set()
    assert len({await whole(each) for each in joined}) == 1


async def test_a_retry_is_told_that_its_attempt_failed(two: TwoProcesses):
    two.fault = ProviderUnreachable("test")
    await two.ask(two.first, idempotency_key="a")
    joined = await two.ask(two.second, idempotency_key="a")
    two.go_on.set()

    with pytest.raises(AttemptFailed):
        await joined.head()


async def test_a_process_that_is_gone_leaves_an_error_that_names_the_receipt(
    two: TwoProcesses, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(join_attempt, "GONE_SECONDS", 0.05)
    begun = await two.ask(two.first)
    two.gone = True

    with pytest.raises(RequestUnresolved) as unresolved:
        await (await two.ask(two.second, declared_retry=True)).head()

    assert unresolved.value.request_id == begun.request
    assert begun.request in str(unresolved.value)
    assert len(two.second.attempts) == 0
    two.go_on.set()
    assert await whole(begun), "a late capture is the receipt's to tell"


async def test_a_process_that_was_away_for_a_moment_is_not_gone(two: TwoProcesses):
    await two.ask(two.first)
    two.gone = True
    joined = await two.ask(two.second, declared_retry=True)
    await asyncio.sleep(0.05)
    two.gone = False
    two.go_on.set()

    assert await whole(joined)


async def test_what_a_process_captured_before_it_died_is_read(two: TwoProcesses):
    begun = await two.ask(two.first)
    two.go_on.set()
    answer = await whole(begun)
    two.gone = True

    assert await whole(await two.ask(two.second, declared_retry=True)) == answer


async def test_nobody_waits_longer_than_the_lease(two: TwoProcesses):
    await two.ask(two.first)
    joined = await two.ask(two.second, declared_retry=True)
    await asyncio.sleep(0.05)
    two.shop.now += timedelta(minutes=30)

    with pytest.raises(RequestUnresolved):
        await joined.head()
    with pytest.raises(RequestUnresolved):
        await two.ask(two.second, declared_retry=True)


async def test_a_process_that_stops_tells_who_waits(two: TwoProcesses):
    begun = await two.ask(two.first)
    joined = await two.ask(two.second, declared_retry=True)

    await two.second.attempts.drained(0.05)

    with pytest.raises(RequestUnderWay):
        await joined.head()
    two.go_on.set()
    await whole(begun)


async def test_a_requests_id_begins_with_its_process(two: TwoProcesses):
    request = (await two.ask(two.second)).request

    assert mark_of(request) == "0000000b"
    assert len(request) == len("req_") + 32
    two.go_on.set()


async def test_what_this_very_process_lost_is_not_waited_for(two: TwoProcesses):
    begun = await two.ask(two.first)
    await two.first.attempts.drained(0)

    with pytest.raises(RequestUnresolved) as unresolved:
        await two.ask(two.first, declared_retry=True)
    assert unresolved.value.request_id == begun.request
