import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.price import FreshnessLimits, PriceInForce, PriceState, Sku
from mintery.domain.quote import Quote, quote, tariff_of
from mintery.domain.voucher import Kind
from mintery.errors import HoldAboveStaleLimit, MalformedSku, ModelUnpriced, PriceQueued, PriceStale
from mintery.units import BasisPoints, Par, UnixSeconds, UsdWad

NOW = UnixSeconds(1_800_000_000)
LIMITS = FreshnessLimits()
MODEL = Model(
    id="acme/small",
    upstream="small-1",
    provider="acme",
    provider_id=1,
    kind=Kind.ROUTED,
    endpoint=Endpoint.CHAT,
    units=frozenset({Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN}),
    max_output_tokens=4096,
    context_tokens=128_000,
)


def prices(usd: int = 10**12, *, age: int = 0, queued: bool = False) -> dict[Sku, PriceInForce]:
    return {
        MODEL.sku(unit): PriceInForce(MODEL.sku(unit), index, 3, UsdWad(usd), UnixSeconds(NOW - age), queued)
        for index, unit in enumerate(sorted(MODEL.units), start=1)
    }


def a_quote(most: dict[Unit, int], **how: object) -> Quote:
    tariff = tariff_of(MODEL, prices(**how))
    return quote(tariff, most, par=Par(10**6), markup=BasisPoints(250), now=NOW, limits=LIMITS)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.data())
def test_the_quote_bounds_the_cost(most_in: int, most_out: int, data: st.DataObject):
    quoted = a_quote({Unit.INPUT_TOKEN: most_in, Unit.OUTPUT_TOKEN: most_out})
    used = {
        Unit.INPUT_TOKEN: data.draw(st.integers(0, most_in)),
        Unit.OUTPUT_TOKEN: data.draw(st.integers(0, most_out)),
    }

    assert quoted.cost(quoted.at(used)) <= quoted.amount


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_when_the_price_doubles_the_burn_doubles(tokens: int, price: int):
    once = a_quote({Unit.OUTPUT_TOKEN: tokens}, usd=price * 10**9)
    twice = a_quote({Unit.OUTPUT_TOKEN: tokens}, usd=2 * price * 10**9)

    assert twice.usd == 2 * once.usd
    assert 2 * once.amount - 1 <= twice.amount <= 2 * once.amount


def test_a_model_with_a_unit_that_has_no_price_is_not_sold():
    known = prices()
    del known[MODEL.sku(Unit.OUTPUT_TOKEN)]

    with pytest.raises(ModelUnpriced):
        tariff_of(MODEL, known)


@pytest.mark.parametrize(
    ("age", "queued", "state"),
    [(7_200, False, PriceState.NORMAL), (7_201, False, PriceState.SOFT_STALE), (21_600, False, PriceState.SOFT_STALE)],
)
def test_the_state_follows_the_age(age: int, queued: bool, state: PriceState):
    assert a_quote({Unit.INPUT_TOKEN: 1}, age=age, queued=queued).state is state


def test_hard_stale_prices_sell_nothing():
    with pytest.raises(PriceStale) as refused:
        a_quote({Unit.INPUT_TOKEN: 1}, age=21_601)

    assert (refused.value.age, refused.value.limit) == (21_601, 21_600)


@pytest.mark.parametrize("age", [0, 7_201])
def test_a_queued_price_takes_no_new_holds(age: int):
    with pytest.raises(PriceQueued):
        a_quote({Unit.INPUT_TOKEN: 1}, age=age, queued=True)


def test_soft_stale_prices_admit_a_dollar_and_no_more():
    a_quote({Unit.INPUT_TOKEN: 1}, usd=10**18, age=7_201)

    with pytest.raises(HoldAboveStaleLimit):
        a_quote({Unit.INPUT_TOKEN: 1}, usd=10**18 + 1, age=7_201)


@pytest.mark.parametrize("text", ["", "gpt", "gpt:output_token", "openai/gpt:", "a b/c:d", ":x"])
def test_what_names_no_unit_of_a_model_is_no_sku(text: str):
    with pytest.raises(MalformedSku):
        Sku.parse(text)


def test_a_sku_reads_back():
    assert str(Sku.parse("meta/llama-3:8b:output_token")) == "meta/llama-3:8b:output_token"
