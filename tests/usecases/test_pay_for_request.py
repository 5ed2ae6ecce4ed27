"""The order of things in a paid request: hold, provider, capture, answer. No sockets; the ledger and provider in memory."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio
import orjson
import pytest
from prometheus_client import CollectorRegistry
from tests.fakes.ledger import InMemoryLedger
from tests.fakes.provider import ScriptedProvider, tokens
from tests.gateway.rig import CREDIT, DOMAIN, EXIT_DELAY, GATEWAY, HOLDER, MODELS, SETTLER, TOKEN, key_text, market

from mintery.crypto.receipts import check_receipt_signature
from mintery.crypto.vouchers import account_id
from mintery.domain.hold import RequestId
from mintery.domain.model import Endpoint
from mintery.domain.receipt import check_arithmetic, parse_receipt
from mintery.domain.voucher import AccountKey
from mintery.errors import (
    AnswerLost,
    HoldNotOpen,
    HoldTooLong,
    LedgerClosed,
    MinteryError,
    Overloaded,
    ProviderNonsense,
    StreamBroke,
)
from mintery.ledger.commands import CaptureHold
from mintery.providers.calls import StreamEvent
from mintery.providers.sse import event_of
from mintery.usecases.attempts import Attempt
from mintery.usecases.channel_board import ChannelBoard
from mintery.usecases.meters import Meters
from mintery.usecases.parts import GatewayLimits, GatewayParts
from mintery.usecases.pay_for_request import Asked, open_till, pay_for_request
from mintery.usecases.read_receipt import read_receipt
from mintery.usecases.verify_credential import verify_credential

pytestmark = pytest.mark.anyio

ACCOUNT = AccountKey(TOKEN, GATEWAY, HOLDER.address, HOLDER.address)
DONE = StreamEvent(b"data: [DONE]\n\n", last=True)


def text(word: str) -> StreamEvent:
    return StreamEvent(event_of(orjson.dumps({"choices": [{"delta": {"content": word}}]})))


def usage(prompt: int, completion: int, *, only: bool = True) -> StreamEvent:
    return StreamEvent(event_of(b"usage %d" % completion), tokens(prompt, completion), only_usage=only)


class Shop:
    """A till over fakes, and the clock that it reads."""

    def __init__(self) -> None:
        self.ledger = InMemoryLedger()
        self.ledger.deposit(ACCOUNT, 100 * CREDIT)
        self.provider = ScriptedProvider()
        self.now = datetime.now(UTC)
        self.market = market(int(time.time()))
        parts = GatewayParts(
            ledger=self.ledger,
            market=lambda: self.market,
            channels=ChannelBoard(MODELS),
            providers={"test": self.provider},
            domain=DOMAIN,
            gateway=GATEWAY,
            settler=SETTLER,
            exit_delay=EXIT_DELAY,
            settlement_interval=60,
            operator_key_hash=b"",
            clock=lambda: self.now,
        )
        self.till = open_till(parts, Meters(CollectorRegistry()))

    async def pay(self, *, stream: bool = False, **fields: object) -> Attempt:
        credential = verify_credential(self.till.parts, self.market, key_text(), None)
        body = {"model": "test/echo", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50, **fields}
        asked = Asked(Endpoint.CHAT, "/v1/chat/completions", orjson.dumps({**body, "stream": stream}))
        return await pay_for_request(self.till, self.market, credential, asked)

    @property
    def held(self) -> int:
        return self.balance.held

    @property
    def captured(self) -> int:
        return self.balance.captured

    @property
    def balance(self):
        return self.ledger.account(account_id(ACCOUNT))

    def before_capture(self, note: Callable[[], None]) -> None:
        commit = self.ledger.commit

        def noting(commands):  # noqa: ANN001, ANN202 -- as the ledger's commit
            if any(isinstance(command, CaptureHold) for command in commands):
                note()
            return commit(commands)

        self.ledger.commit = noting  # type: ignore[method-assign]  # watched, not replaced


@pytest.fixture
def shop() -> Shop:
    return Shop()


async def whole(attempt: Attempt) -> bytes:
    await attempt.head()
    return b"".join([piece async for piece in attempt.pieces()])


@pytest.mark.parametrize("stream", [False, True])
async def test_the_hold_is_durable_before_the_provider_is_asked(shop: Shop, stream: bool):
    seen: list[int] = []
    shop.provider.before = lambda: seen.append(shop.held)
    shop.provider.events = [text("a"), usage(3, 1), DONE]

    await whole(await shop.pay(stream=stream))

    assert seen
    assert seen[0] > 0
    assert shop.held == 0


async def test_a_json_answer_leaves_after_its_capture(shop: Shop):
    begun: list[bool] = []
    attempt: list[Attempt] = []
    shop.provider.before = lambda: attempt.extend(shop.till.attempts.find(key) for key in shop.ledger.requests)
    shop.before_capture(lambda: begun.append(attempt[0].begun))

    await whole(await shop.pay())

    assert begun == [False]


@pytest.mark.parametrize("shown", [False, True])
async def test_a_streams_end_leaves_after_its_capture(shop: Shop, shown: bool):
    so_far: list[bytes] = []
    attempt: list[Attempt] = []
    shop.provider.before = lambda: attempt.extend(shop.till.attempts.find(key) for key in shop.ledger.requests)
    shop.provider.events = [text("a"), text("b"), usage(3, 2), DONE]
    shop.before_capture(lambda: so_far.append(attempt[0].so_far()))

    body = await whole(await shop.pay(stream=True, stream_options={"include_usage": shown}))

    assert so_far == [text("a").raw + text("b").raw]
    end = b"data: usage 2\n\n" if shown else b""
    assert body == text("a").raw + text("b").raw + end + b"data: [DONE]\n\n"


async def test_usage_in_every_chunk_is_relayed_and_the_last_one_counts(shop: Shop):
    shop.provider.events = [usage(3, 1, only=False), usage(3, 2, only=False), usage(3, 3, only=False), DONE]

    attempt = await shop.pay(stream=True)
    body = await whole(attempt)

    assert body == b"data: usage 1\n\ndata: usage 2\n\ndata: usage 3\n\ndata: [DONE]\n\n"
    receipt = read_receipt(shop.till.parts, attempt.request, None)
    assert [line["quantity"] for line in receipt["usage"]] == [3, 3]


@pytest.mark.parametrize("stream", [False, True])
async def test_what_cannot_be_captured_is_not_answered(shop: Shop, stream: bool):
    shop.ledger.fail_captures_with = LedgerClosed()
    shop.provider.events = [text("a"), usage(3, 1), DONE]

    attempt = await shop.pay(stream=stream)
    try:
        body = await whole(attempt)
    except MinteryError as error:
        body, failure = b"", error
    else:
        failure = attempt.error

    assert isinstance(failure, LedgerClosed)
    assert b"[DONE]" not in body
    assert body == (text("a").raw if stream else b"")
    assert shop.held > 0  # dispatched without an end: the sweeper's to resolve


async def test_a_full_queue_delays_a_capture_and_does_not_lose_it(shop: Shop):
    tries: list[int] = []

    def full_twice() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise Overloaded

    shop.before_capture(full_twice)

    await whole(await shop.pay())

    assert len(tries) == 3
    assert (shop.held, shop.captured > 0) == (0, True)


async def test_a_queue_that_stays_full_gives_up_with_the_lease(shop: Shop):
    def full() -> None:
        shop.now += timedelta(seconds=700)
        raise Overloaded

    shop.before_capture(full)

    with pytest.raises(Overloaded):
        await (await shop.pay()).head()


async def test_a_hold_that_ended_meanwhile_charges_nothing(shop: Shop):
    def ended() -> None:
        for found in shop.ledger.requests.values():
            found.hold = replace(found.hold, captured=0)

    shop.before_capture(ended)

    with pytest.raises(HoldNotOpen):
        await (await shop.pay()).head()
    assert shop.captured == 0


async def test_a_stream_that_breaks_is_charged_for_what_came(shop: Shop):
    shop.provider.events = [text("abcdefghij")]
    shop.provider.breaks_with = ProviderNonsense("test", "cut")

    attempt = await shop.pay(stream=True)
    await whole(attempt)

    assert isinstance(attempt.error, StreamBroke)
    receipt = read_receipt(shop.till.parts, attempt.request, None)
    assert receipt["usage_source"] == "estimated"
    assert receipt["usage"][-1]["quantity"] == 3
    assert shop.held == 0


async def test_a_stream_that_breaks_before_it_said_anything_costs_nothing(shop: Shop):
    shop.provider.events = [StreamEvent(b": wait\n\n")]
    shop.provider.breaks_with = ProviderNonsense("test", "cut")

    attempt = await shop.pay(stream=True)
    await whole(attempt)

    assert isinstance(attempt.error, ProviderNonsense)
    assert (shop.held, shop.captured) == (0, 0)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_fault_of_ours_is_told_and_forgotten(shop: Shop, stream: bool):
    def fault() -> None:
        raise ZeroDivisionError

    shop.provider.before = fault

    with pytest.raises(AnswerLost):
        await (await shop.pay(stream=stream)).head()
    assert shop.held > 0
    assert len(shop.till.attempts) == 0


async def test_a_call_longer_than_an_exit_leaves_is_refused(shop: Shop):
    shop.provider.longest = EXIT_DELAY - 60 - 29

    with pytest.raises(HoldTooLong) as refused:
        await shop.pay()

    assert refused.value.limit == EXIT_DELAY - 60
    assert (shop.held, shop.provider.asked, len(shop.till.attempts)) == (0, [], 0)


async def test_no_more_run_at_once_than_allowed(shop: Shop):
    shop.till = open_till(replace(shop.till.parts, limits=GatewayLimits(in_flight=0)), shop.till.meters)
    with pytest.raises(Overloaded):
        await shop.pay()


async def test_a_receipt_is_signed_when_read_and_always_the_same(shop: Shop):
    attempt = await shop.pay()
    await attempt.head()

    first, second = (read_receipt(shop.till.parts, RequestId(attempt.request), None) for _ in range(2))

    assert first == second
    receipt = parse_receipt(first)
    check_receipt_signature(receipt)
    check_arithmetic(receipt)
    assert receipt.settler == SETTLER.address


async def test_a_stopping_gateway_waits_for_its_answers_and_cuts_what_is_late(shop: Shop):
    gone_on = anyio.Event()
    answered: list[str] = []

    async def answer(until: anyio.Event, name: str) -> None:
        await until.wait()
        answered.append(name)

    shop.till.attempts.spawn(answer(gone_on, "in time"))
    shop.till.attempts.spawn(answer(anyio.Event(), "never"))
    gone_on.set()

    assert await shop.till.attempts.drained(0.2) == 1
    assert answered == ["in time"]
