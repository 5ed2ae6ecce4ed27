"""From usage to charge: a property over everything that a provider may report."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.price import FreshnessLimits, PriceInForce, Sku
from mintery.domain.quote import Quote, UsageSource, quote, tariff_of
from mintery.domain.voucher import Kind
from mintery.providers.calls import Usage
from mintery.units import BasisPoints, Par, UnixSeconds, UsdWad
from mintery.usecases.meter_usage import meter_usage
from mintery.usecases.shape_request import ShapedRequest

UNITS = frozenset({Unit.INPUT_TOKEN, Unit.CACHED_INPUT_TOKEN, Unit.OUTPUT_TOKEN})
COUNTS = st.integers(-(2**70), 2**70) | st.integers(-5, 3_000)


def shaped(units: frozenset[Unit] = UNITS) -> ShapedRequest:
    model = Model("acme/m", "m", "acme", 1, Kind.ROUTED, Endpoint.CHAT, units, 1_000, 5_000)
    return ShapedRequest(Endpoint.CHAT, model, b"x" * 401, False, False, most_input=2_000, most_output=1_000)


def quoted(request: ShapedRequest, fresh: int, cached: int, *, markup: int = 0) -> Quote:
    usd = {
        Unit.INPUT_TOKEN: fresh,
        Unit.CACHED_INPUT_TOKEN: cached,
        Unit.OUTPUT_TOKEN: 7 * 10**12,
        Unit.REQUEST: 10**15,
    }
    prices = {
        (sku := Sku("acme/m", unit)): PriceInForce(sku, index, 1, UsdWad(usd[unit]), UnixSeconds(1_000), False)
        for index, unit in enumerate(sorted(request.model.units))
    }
    dearer = (
        Unit.CACHED_INPUT_TOKEN
        if cached > fresh and Unit.CACHED_INPUT_TOKEN in request.model.units
        else Unit.INPUT_TOKEN
    )
    most = {dearer: request.most_input, Unit.OUTPUT_TOKEN: request.most_output, Unit.REQUEST: 1}
    return quote(
        tariff_of(request.model, prices),
        most,
        par=Par(10**6),
        markup=BasisPoints(markup),
        now=UnixSeconds(1_000),
        limits=FreshnessLimits(),
    )


@given(
    prompt=COUNTS, completion=COUNTS, cached=COUNTS, missing=st.booleans(), produced=st.integers(0, 10**7),
    fresh=st.integers(1, 10**15), cheap=st.integers(1, 10**15), markup=st.integers(0, 10_000),
)  # fmt: skip
def test_no_usage_costs_more_than_the_hold(  # noqa: PLR0917 -- hypothesis passes them by name
    prompt: int, completion: int, cached: int, missing: bool, produced: int, fresh: int, cheap: int, markup: int
):
    request = shaped()
    priced = quoted(request, fresh, cheap, markup=markup)
    usage = None if missing else Usage(prompt, completion, cached)

    metered = meter_usage(priced, request, usage, produced)

    assert 0 <= metered.cost <= priced.amount
    assert metered.cost == priced.cost(metered.lines)
    assert all(line.quantity > 0 for line in metered.lines)
    within = 0 <= prompt <= 2_000 and 0 <= completion <= 1_000 and 0 <= cached <= prompt
    expected = UsageSource.PROVIDER if within else UsageSource.CLAMPED
    assert metered.source is (UsageSource.ESTIMATED if missing else expected)
    if usage is not None and within:
        assert {Unit(line.sku.unit): line.quantity for line in metered.lines} == {
            unit: quantity
            for unit, quantity in (
                (Unit.INPUT_TOKEN, prompt - cached),
                (Unit.CACHED_INPUT_TOKEN, cached),
                (Unit.OUTPUT_TOKEN, completion),
            )
            if quantity
        }


def test_without_a_price_for_cached_input_all_input_is_fresh():
    request = shaped(frozenset({Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN}))
    metered = meter_usage(quoted(request, 10, 1), request, Usage(100, 0, 60), 0)
    assert [(line.sku.unit, line.quantity) for line in metered.lines] == [("input_token", 100)]


@pytest.mark.parametrize(("produced", "tokens"), [(0, None), (1, 1), (4, 1), (5, 2), (10**6, 1_000)])
def test_missing_usage_is_a_token_for_each_four_bytes(produced: int, tokens: int | None):
    request = shaped()
    metered = meter_usage(quoted(request, 10, 1), request, None, produced)
    quantities = {line.sku.unit: line.quantity for line in metered.lines}
    assert quantities["input_token"] == 101
    assert quantities.get("output_token") == tokens


def test_a_request_priced_by_itself_is_charged_once_whatever_the_tokens():
    request = shaped(frozenset({Unit.REQUEST}))
    metered = meter_usage(quoted(request, 1, 1), request, Usage(5, 5), 0)
    assert [(line.sku.unit, line.quantity) for line in metered.lines] == [("request", 1)]
