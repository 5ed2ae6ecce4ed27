"""Which route answers, which stand in, what the holder then pays, and what is recorded of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.gateway.rig import CREDIT, PROVIDER_ID
from tests.usecases.shop import Shop
from tests.usecases.test_pay_for_request import DONE, text, usage

from mintery.domain.attempt import AttemptOutcome
from mintery.domain.market import Market
from mintery.domain.model import Model
from mintery.domain.quote import UsageSource
from mintery.domain.receipt import check_arithmetic
from mintery.domain.route_health import FAILURES_TO_OPEN, FIRST_PAUSE
from mintery.domain.voucher import Kind
from mintery.errors import (
    AnswerTooLong,
    InsufficientBalance,
    MarketUnread,
    MinteryError,
    NoRoute,
    NoRouteNow,
    NotInItsFormat,
    ProviderFailed,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnreachable,
    ResaleForbidden,
    RouteTooDear,
    RpcUnavailable,
    StreamBroke,
    UnknownModel,
    Unsupported,
)
from mintery.providers.calls import Reply, StreamEvent
from mintery.units import nanocredits_up
from mintery.usecases import call_route, plan_request
from mintery.usecases.choose_route import Counter, Question
from mintery.usecases.plan_request import Leg, most_shaped

pytestmark = pytest.mark.anyio

FAILURES = {
    "unreachable": ProviderUnreachable("a"),
    "timed_out": ProviderTimedOut("a", 3),
    "busy": ProviderRefused("a", 429, b""),
    "failing": ProviderRefused("a", 503, b""),
    "locked out": ProviderRefused("a", 401, b""),
    "unknown upstream": ProviderRefused("a", 404, b""),
}
ANSWERS = {"nonsense": ProviderNonsense("a", "half"), "a bad request": ProviderRefused("a", 400, b"")}


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    for provider in shop.providers.values():
        provider.events = [text("a"), usage(3, 1), DONE]
    return shop


@pytest.mark.parametrize("stream", [False, True])
async def test_the_first_route_answers_and_leaves_no_rows(shop: Shop, stream: bool):
    attempt = await shop.pay(stream=stream)
    head = await attempt.head()
    await attempt.whole()

    record = shop.ledger.receipt(attempt.request)
    assert record is not None
    assert (record.receipt.model, record.receipt.backup, record.receipt.asked) == ("a/m", False, "shared")
    assert (head.route, head.backup) == ("a/m", False)
    assert shop.ledger.attempts(attempt.request) == ()
    assert shop.asked() == ["a"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_another_route_stands_in_and_is_paid_at_its_own_price(shop: Shop, failure: ProviderFailed, stream: bool):
    shop.providers["a"].breaks_with = failure
    shop.providers["a"].events = []

    attempt = await shop.pay(stream=stream)
    head = await attempt.head()
    await attempt.whole()

    assert (head.route, head.backup) == ("b/m", True)
    record = shop.ledger.receipt(attempt.request)
    assert record is not None
    receipt = record.receipt
    check_arithmetic(receipt)
    assert (receipt.model, receipt.provider, receipt.backup) == ("b/m", "b", True)
    assert {line.unit_price for line in receipt.lines} <= {1_100_000 * 10**6, 2_000_000 * 10**6}
    assert {str(line.sku).partition(":")[0] for line in receipt.lines} == {"b/m"}
    failed, delivered = shop.ledger.attempts(attempt.request)
    assert (failed.route, delivered.route, delivered.outcome) == ("a/m", "b/m", AttemptOutcome.DELIVERED)
    assert failed.status == getattr(failure, "status", None)
    assert failed.outcome is not AttemptOutcome.DELIVERED
    assert shop.balance[1] == 0


@pytest.mark.parametrize("failure", ANSWERS.values(), ids=ANSWERS)
async def test_what_is_said_of_the_request_itself_is_the_answer(shop: Shop, failure: ProviderFailed):
    shop.providers["a"].breaks_with = failure

    with pytest.raises(type(failure)):
        await shop.receipt()

    assert shop.asked() == ["a"]
    assert shop.balance == (100 * CREDIT, 0, 0)


TOO_LONG = AnswerTooLong("a", 4_096)


async def test_an_answer_too_long_is_charged_at_its_bound_and_nobody_elses(shop: Shop):
    shop.providers["a"].breaks_with = TOO_LONG

    attempt = await shop.pay()
    await attempt.whole()

    assert attempt.error is TOO_LONG
    assert shop.asked() == ["a"]
    record = shop.ledger.receipt(attempt.request)
    assert record is not None
    check_arithmetic(record.receipt)
    assert record.receipt.source is UsageSource.BOUND
    assert {line.sku.unit: line.quantity for line in record.receipt.lines}["output_token"] == 50
    assert [each.outcome for each in shop.ledger.attempts(attempt.request)] == [AttemptOutcome.TOO_LONG]
    assert shop.balance[1:] == (0, record.receipt.cost)


@pytest.mark.parametrize(("events", "output"), [([], 50), ([text("abcd")], 50), ([text("abcd"), usage(3, 7)], 7)])
async def test_a_stream_too_long_is_charged_by_what_was_reported_until_then(
    shop: Shop, events: list[StreamEvent], output: int
):
    shop.providers["a"].events = events
    shop.providers["a"].breaks_with = TOO_LONG

    attempt = await shop.pay(stream=True)
    await attempt.whole()

    assert attempt.error is TOO_LONG
    record = shop.ledger.receipt(attempt.request)
    assert record is not None
    assert {line.sku.unit: line.quantity for line in record.receipt.lines}["output_token"] == output
    assert record.receipt.source is (UsageSource.PROVIDER if output == 7 else UsageSource.BOUND)
    assert shop.ledger.attempts(attempt.request)[-1].outcome is AttemptOutcome.TOO_LONG


@pytest.mark.parametrize("stream", [False, True])
async def test_answers_too_long_close_no_route(shop: Shop, stream: bool):
    shop.providers["a"].events = []
    shop.providers["a"].breaks_with = TOO_LONG
    for _ in range(2 * FAILURES_TO_OPEN):
        attempt = await shop.pay(stream=stream)
        await attempt.whole()

    assert not shop.parts.routes.health.barred(shop.now.timestamp())
    assert shop.parts.routes.health.of("a/m").figures(shop.now.timestamp()).failures == 0


async def test_a_trial_that_streams_for_long_bars_its_route_to_nobody(shop: Shop):
    shop.providers["a"].breaks_with = FAILURES["failing"]
    for _ in range(FAILURES_TO_OPEN):
        await shop.receipt()
    assert "a/m" in shop.parts.routes.health.barred(shop.now.timestamp())
    shop.later(2 * FIRST_PAUSE)
    shop.providers["a"].breaks_with = None
    barred = []

    def note() -> None:
        barred.append("a/m" in shop.parts.routes.health.barred(shop.now.timestamp()))

    shop.providers["a"].before_event = note
    shop.providers["a"].events = [text("a"), text("b"), usage(3, 2), DONE]

    assert (await shop.receipt(stream=True)).model == "a/m"

    assert barred == [True, False, False, False]  # until the first byte it may be only this one


async def test_a_stream_that_broke_after_its_first_event_is_nobody_elses(shop: Shop):
    shop.providers["a"].events = [text("abcdefgh")]
    shop.providers["a"].breaks_with = ProviderTimedOut("a", 3)

    with pytest.raises(StreamBroke):
        await shop.receipt(stream=True)

    assert shop.asked() == ["a"]
    assert shop.balance[1] == 0
    assert shop.balance[2] > 0


async def test_when_all_fail_the_hold_ends_once_with_every_call_recorded(shop: Shop):
    for name, provider in shop.providers.items():
        provider.breaks_with = ProviderRefused(name, 500, b"")

    attempt = await shop.pay()
    await attempt.whole()

    assert isinstance(attempt.error, ProviderRefused)
    assert attempt.error.provider == "c"
    assert [each.route for each in shop.ledger.attempts(attempt.request)] == ["a/m", "b/m", "c/m"]
    assert shop.balance == (100 * CREDIT, 0, 0)


async def test_a_route_named_exactly_has_no_stand_in(shop: Shop):
    shop.providers["a"].breaks_with = FAILURES["failing"]

    with pytest.raises(ProviderRefused):
        await shop.receipt("a/m")
    with pytest.raises(ProviderRefused):
        await shop.receipt(provider={"allow_fallbacks": False})

    assert shop.asked() == ["a", "a"]


async def test_names_in_order_are_tried_in_order(shop: Shop):
    shop.providers["c"].breaks_with = FAILURES["unreachable"]

    assert await shop.answered("c/m", models=["b/m", "a/m"]) == "b/m"
    assert await shop.answered("cheapest", models=["c/m", "b/m"]) == "b/m"
    assert await shop.answered("shared", provider={"order": ["b"]}) == "b/m"


async def test_what_is_for_the_gateway_goes_to_no_provider(shop: Shop):
    await shop.receipt(models=["b/m"], provider={"sort": "price"}, user="u")

    [sent] = shop.providers["a"].asked
    assert set(sent) == {"model", "messages", "max_tokens", "user"}


async def test_a_breaker_keeps_requests_away_until_a_trial_succeeds(shop: Shop):
    shop.providers["a"].breaks_with = FAILURES["failing"]
    for _ in range(3):
        assert await shop.answered() == "b/m"
    shop.asked()

    assert await shop.answered() == "b/m"
    assert shop.asked() == ["b"]

    shop.providers["a"].breaks_with = None
    shop.later(10)
    assert await shop.answered("cheapest") == "a/m"


@pytest.mark.parametrize(
    ("failure", "stream", "counts"),
    [
        *((ProviderRefused("a", status, b""), False, False) for status in (402, 403, 408, 424, 451)),
        (ProviderRefused("a", 429, b""), False, True),
        (ProviderTimedOut("a", 3), False, False),
        (ProviderTimedOut("a", 3), True, True),
        (ProviderUnreachable("a"), False, True),
    ],
)
async def test_what_one_client_can_bring_about_closes_no_route_to_others(
    shop: Shop, failure: ProviderFailed, stream: bool, counts: bool
):
    shop.providers["a"].breaks_with = failure
    shop.providers["a"].events = []
    for _ in range(3):
        attempt = await shop.pay(stream=stream)
        assert (await attempt.head()).route == "b/m"
        await attempt.whole()

    shop.providers["a"].breaks_with = None

    assert await shop.answered() == ("b/m" if counts else "a/m")


async def test_no_route_now_says_why_and_when(shop: Shop):
    for name, provider in shop.providers.items():
        provider.breaks_with = ProviderRefused(name, 503, b"")
    for _ in range(3):
        with pytest.raises(ProviderRefused):
            await shop.receipt()

    with pytest.raises(NoRouteNow) as refused:
        await shop.pay()

    assert set(refused.value.reasons) == {"a/m", "b/m", "c/m"}
    assert refused.value.retry_after == 10
    assert shop.balance == (100 * CREDIT, 0, 0)


async def test_fastest_learns_from_the_calls_that_were_made(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    now, took = [0.0], {"a": 3.0, "b": 1.0, "c": 2.0}
    monkeypatch.setattr(call_route, "perf_counter", lambda: now[0])
    for name, provider in shop.providers.items():
        provider.before = lambda name=name: now.__setitem__(0, now[0] + took[name])

    # Nobody knows anything yet: each is tried once. From then on the quickest answers, until it is not.
    assert sorted([await shop.answered("fastest") for _ in took]) == ["a/m", "b/m", "c/m"]
    assert [await shop.answered("fastest") for _ in range(3)] == ["b/m"] * 3
    took["b"] = 30.0
    assert await shop.answered("b/m") == "b/m"
    shop.later(1)
    assert await shop.answered("fastest") == "c/m"
    assert await shop.answered(provider={"sort": "latency", "ignore": ["c"]}) == "a/m"


async def test_consistent_stays_with_the_route_of_its_session(shop: Shop):
    assert await shop.answered("c/m", user="anna") == "c/m"

    assert await shop.answered("consistent", user="anna") == "c/m"
    assert await shop.answered("consistent", header="anna") == "c/m"
    assert await shop.answered("consistent", prompt_cache_key="berta") == "a/m"
    shop.providers["c"].breaks_with = FAILURES["failing"]
    assert await shop.answered("consistent", user="anna") == "a/m"
    shop.providers["c"].breaks_with = None
    assert await shop.answered("consistent", user="anna") == "a/m"


async def test_without_a_name_the_session_is_the_accounts(shop: Shop):
    await shop.receipt("b/m")
    assert await shop.answered("consistent") == "b/m"


async def test_the_hold_covers_the_dearest_stand_in_and_the_rest_returns(shop: Shop):
    attempt = await shop.pay()
    held = shop.balance[1]
    await attempt.whole()

    exact = await shop.pay("c/m")
    assert shop.balance[1] == held
    await exact.whole()


async def test_a_stand_in_that_the_account_cannot_pay_is_left_out():
    shop = Shop(credits_=1)
    shop.usd = {"a": (1, 1), "b": (2, 2), "c": (10**10, 10**10)}
    shop.set_market()
    shop.providers["a"].breaks_with = shop.providers["b"].breaks_with = FAILURES["failing"]

    with pytest.raises(ProviderRefused):
        await shop.receipt()

    assert shop.asked() == ["a", "b"]
    with pytest.raises(InsufficientBalance):
        await shop.pay("c/m")


async def test_a_provider_that_is_closed_after_the_hold_is_not_called(shop: Shop):
    def close() -> None:
        shop.market = replace(
            shop.market,
            inactive_providers=frozenset({PROVIDER_ID}),
            resale_forbidden=frozenset({PROVIDER_ID}),
        )

    shop.providers["a"].before = close
    shop.providers["a"].breaks_with = FAILURES["failing"]

    attempt = await shop.pay()
    await attempt.whole()

    assert isinstance(attempt.error, ProviderRefused)
    outcomes = [each.outcome for each in shop.ledger.attempts(attempt.request)]
    assert outcomes == [AttemptOutcome.REFUSED, AttemptOutcome.SKIPPED, AttemptOutcome.SKIPPED]
    assert shop.balance == (100 * CREDIT, 0, 0)
    with pytest.raises(ResaleForbidden):
        await shop.pay("a/m")
    with pytest.raises(NoRoute, match="does not let its models be sold on"):
        await shop.pay("best")


@pytest.mark.parametrize("error", [MarketUnread(90, 60), RpcUnavailable("http://rpc", "gone")])
async def test_a_chain_that_cannot_be_read_stops_no_stand_in(shop: Shop, error: MinteryError):
    def unread() -> Market:
        raise error

    shop.providers["a"].before = lambda: setattr(shop, "read", unread)
    shop.providers["a"].breaks_with = FAILURES["failing"]

    assert await shop.answered() == "b/m"


async def test_a_configured_ban_on_resale_is_one_routes(shop: Shop):
    shop.models["a/m"] = replace(shop.models["a/m"], resale=False)

    assert await shop.answered() == "b/m"
    with pytest.raises(ResaleForbidden):
        await shop.pay("a/m")


async def test_a_limit_on_the_price_counts_the_markup():
    shop = Shop(markup=1_000)  # a: 1 and 2, b: 1.1 and 2, c: 5 and 9 USD a million; a tenth more for the holder

    assert await shop.answered(provider={"max_price": {"prompt": "1.1"}}) == "a/m"
    assert await shop.answered("a/m", provider={"max_price": {"prompt": "1.1", "completion": 2.2}}) == "a/m"
    with pytest.raises(RouteTooDear):
        await shop.pay("a/m", provider={"max_price": {"prompt": "1.0999999"}})
    with pytest.raises(NoRoute) as refused:
        await shop.pay("cheapest", provider={"max_price": {"completion": 2.199}})
    assert len(refused.value.reasons) == 3


async def test_no_stand_in_passes_the_limit_either():
    shop = Shop(markup=1_000)
    shop.providers["a"].breaks_with = shop.providers["b"].breaks_with = FAILURES["failing"]

    with pytest.raises(ProviderRefused):
        await shop.receipt(provider={"max_price": {"prompt": 2}})
    assert shop.asked() == ["a", "b"]


@pytest.mark.parametrize(
    ("model", "fields", "error"),
    [
        ("nothing", {}, UnknownModel),
        ("shared", {"models": ["nothing"]}, UnknownModel),
        ("shared", {"provider": {"zdr": True}}, Unsupported),
        ("cheapest", {"tools": [{"type": "web_search"}]}, Unsupported),
    ],
)
async def test_a_question_that_nobody_answers(
    shop: Shop, model: str, fields: dict[str, object], error: type[MinteryError]
):
    with pytest.raises(error):
        await shop.pay(model, **fields)
    assert shop.balance == (100 * CREDIT, 0, 0)


async def test_a_request_never_crosses_to_another_kind(shop: Shop):
    shop.models["a/m"] = replace(shop.models["a/m"], kind=Kind.OFFICIAL)

    assert await shop.answered("cheapest") == "b/m"


async def test_a_reader_that_leaves_during_a_fallback_stops_nothing(shop: Shop):
    release = anyio.Event()
    ask = shop.providers["b"].ask

    async def slow(*arguments: object) -> Reply:
        await release.wait()
        return await ask(*arguments)  # type: ignore[arg-type]  # handed on

    shop.providers["a"].breaks_with = FAILURES["failing"]
    shop.providers["b"].ask = slow  # type: ignore[method-assign]  # the same, later
    attempt = await shop.pay()
    with anyio.move_on_after(0.05):
        await attempt.head()  # and away

    release.set()
    await attempt.whole()

    assert shop.balance[1] == 0
    record = shop.ledger.receipt(attempt.request)
    assert record is not None
    assert record.receipt.model == "b/m"


@given(
    data=st.data(),
    prices=st.lists(st.tuples(st.integers(1, 10**10), st.integers(1, 10**10)), min_size=3, max_size=3),
    markup=st.integers(0, 5_000),
    fails=st.integers(0, 3),
    tokens=st.tuples(st.integers(0, 300), st.integers(0, 50)),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whoever_delivers_is_paid_its_price_and_no_more_than_was_held(
    data: st.DataObject, prices: list[tuple[int, int]], markup: int, fails: int, tokens: tuple[int, int]
):
    shop = Shop(usd=dict(zip("abc", prices, strict=True)), markup=markup, credits_=10_000)
    order = data.draw(st.permutations(["a", "b", "c"]))
    for name, provider in shop.providers.items():
        provider.reply = Reply(b"{}", {"input_token": tokens[0], "output_token": tokens[1]}, 0)
        if name in order[:fails]:
            provider.breaks_with = ProviderRefused(name, 503, b"")

    async def pay() -> None:
        attempt = await shop.pay(provider={"order": order})
        available, held, captured = shop.balance
        assert available + held + captured == 10_000 * CREDIT
        await attempt.whole()
        record = shop.ledger.receipt(attempt.request)
        if fails == 3:
            assert (record, shop.balance) == (None, (10_000 * CREDIT, 0, 0))
            return
        assert record is not None
        prompt, completion = shop.usd[order[fails]]
        usd = (prompt * tokens[0] + completion * tokens[1]) * 10**6
        cost = nanocredits_up(usd, shop.market.projects[record.receipt.account.token].par, markup)
        assert record.receipt.model == f"{order[fails]}/m"
        assert record.receipt.cost == cost <= held == record.receipt.held
        assert shop.balance == (10_000 * CREDIT - cost, 0, cost)

    anyio.run(pay)


@pytest.mark.parametrize(
    ("size", "routes"), [(0, 16), (65_536, 16), (65_537, 15), (131_072, 8), (262_144, 4), (262_145, 2), (2**25, 2)]
)
def test_the_longer_a_body_the_fewer_routes_may_refuse_it(size: int, routes: int):
    assert most_shaped(size) == routes


@pytest.mark.parametrize(("length", "looked_at"), [(10, 3), (300_000, 2)])
async def test_a_long_body_is_refused_after_few_routes(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, length: int, looked_at: int
):
    shaped: list[str] = []
    shape = plan_request.leg_of

    def counted(counter: Counter, question: Question, fields: Mapping[str, Any], model: Model) -> Leg:
        shaped.append(model.id)
        return shape(counter, question, fields, model)

    monkeypatch.setattr(plan_request, "leg_of", counted)
    with pytest.raises(MinteryError):
        await shop.pay(user="a" * length, service_tier="priority")
    assert len(shaped) == looked_at


async def test_a_request_that_cannot_be_written_says_nothing_of_the_route(shop: Shop):
    shop.providers["a"].breaks_with = NotInItsFormat("a", "TypeError")
    for _ in range(20):
        attempt = await shop.pay()
        await attempt.whole()
        assert isinstance(attempt.error, NotInItsFormat)
    assert shop.asked() == ["a"] * 20
    assert shop.balance[1:] == (0, 0)
