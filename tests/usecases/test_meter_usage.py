"""From usage to charge: a property over everything that a provider may report."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.fakes.provider import tokens

from mintery.domain.model import PART_OF, Endpoint, Model, Unit
from mintery.domain.price import FreshnessLimits, PriceInForce, Sku
from mintery.domain.quote import Quote, UsageSource, quote, tariff_of
from mintery.domain.voucher import Kind
from mintery.units import BasisPoints, Par, UnixSeconds, UsdWad
from mintery.usecases.meter_usage import meter_uncarried, meter_unfinished, meter_usage, told_of_input
from mintery.usecases.shaped import ShapedRequest

UNITS = frozenset({Unit.INPUT_TOKEN, Unit.CACHED_INPUT_TOKEN, Unit.OUTPUT_TOKEN})
MOST = {Unit.INPUT_TOKEN: 2_000, Unit.OUTPUT_TOKEN: 1_000, Unit.REQUEST: 1}
COUNTS = st.integers(-(2**70), 2**70) | st.integers(-5, 3_000)


def shaped(units: frozenset[str] = UNITS) -> ShapedRequest:
    model = Model("acme/m", "m", "acme", 1, Kind.ROUTED, Endpoint.CHAT, units, 1_000, 5_000)
    return ShapedRequest(Endpoint.CHAT, model, b"x" * 401, False, False, MOST)


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
    return quote(
        tariff_of(request.model, prices),
        request.most,
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
    usage = None if missing else tokens(prompt, completion, cached)

    metered = meter_usage(priced, request, usage, produced)

    assert 0 <= metered.cost <= priced.amount
    assert metered.cost == priced.cost(metered.lines)
    assert all(line.quantity > 0 for line in metered.lines)
    within = 0 <= prompt <= 2_000 and 0 <= completion <= 1_000 and 0 <= cached <= prompt
    expected = UsageSource.PROVIDER if within else UsageSource.CLAMPED
    assert metered.source is (UsageSource.ESTIMATED if missing else expected)
    if usage is not None and within:
        assert {line.sku.unit: line.quantity for line in metered.lines} == {
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
    metered = meter_usage(quoted(request, 10, 1), request, tokens(100, 0, 60), 0)
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
    metered = meter_usage(quoted(request, 1, 1), request, tokens(5, 5), 0)
    assert [(line.sku.unit, line.quantity) for line in metered.lines] == [("request", 1)]


EVERY_UNIT = st.sampled_from([*Unit, "input_token.above_200000", "image.1024x1024-high", "image.1024x1024-low"])


@given(
    sold=st.dictionaries(EVERY_UNIT, st.integers(1, 10**15), min_size=1),
    most=st.dictionaries(EVERY_UNIT, st.integers(0, 10**6)),
    usage=st.dictionaries(EVERY_UNIT, st.integers(0, 10**6) | COUNTS),
    markup=st.integers(0, 10_000),
)
def test_whatever_is_sold_bounded_and_reported_the_hold_covers_it(
    sold: dict[str, int], most: dict[str, int], usage: dict[str, int], markup: int
):
    model = Model("acme/m", "m", "acme", 1, Kind.ROUTED, Endpoint.CHAT, frozenset(sold), 1_000, 5_000)
    request = ShapedRequest(Endpoint.CHAT, model, b"x", False, False, {**most, Unit.REQUEST: 1})
    prices = {
        (sku := Sku("acme/m", unit)): PriceInForce(sku, index, 1, UsdWad(usd), UnixSeconds(1_000), False)
        for index, (unit, usd) in enumerate(sold.items())
    }
    held = quote(
        tariff_of(model, prices),
        request.most,
        par=Par(10**6),
        markup=BasisPoints(markup),
        now=UnixSeconds(1_000),
        limits=FreshnessLimits(),
    )

    metered = meter_usage(held, request, usage, 0)

    assert 0 <= metered.cost <= held.amount
    if metered.source is UsageSource.PROVIDER:
        charged = {**{unit: each for unit, each in usage.items() if each}, Unit.REQUEST: 1}
        expected = sum(each * sold[as_unit] for unit, each in charged.items() if (as_unit := sold_as(unit, sold)))
        assert sum(line.cost for line in metered.lines) == expected


def sold_as(unit: str, sold: dict[str, int]) -> str | None:
    """Told apart from the code: by the ladder of names."""
    ladder = [unit, unit.partition(".")[0]]
    while ladder[-1] in PART_OF:
        ladder.append(PART_OF[ladder[-1]])
    return next((each for each in ladder if each in sold), None)


ENDPOINTS = {
    Endpoint.CHAT: {Unit.INPUT_TOKEN: 500, Unit.OUTPUT_TOKEN: 900},
    Endpoint.RESPONSES: {Unit.INPUT_TOKEN: 500, Unit.OUTPUT_TOKEN: 900},
    Endpoint.EMBEDDINGS: {Unit.INPUT_TOKEN: 500},
    Endpoint.MODERATION: {Unit.INPUT_TOKEN: 500},
    Endpoint.IMAGES: {Unit.IMAGE: 4, Unit.INPUT_TOKEN: 500, Unit.OUTPUT_TOKEN: 900},
    Endpoint.SPEECH: {Unit.CHARACTER: 70, Unit.INPUT_TOKEN: 500, Unit.OUTPUT_TOKEN: 900},
    Endpoint.TRANSCRIPTION: {Unit.SECOND: 60, Unit.INPUT_TOKEN: 500, Unit.OUTPUT_TOKEN: 900},
}
"""What each bounds."""


@given(
    endpoint=st.sampled_from(sorted(ENDPOINTS)),
    sold=st.frozensets(st.sampled_from(sorted(Unit)), min_size=1),
    usage=st.dictionaries(st.sampled_from(sorted(set(Unit) - {Unit.REQUEST})), st.integers(0, 60)),
)
@example(Endpoint.SPEECH, frozenset({Unit.AUDIO_OUTPUT_TOKEN}), {Unit.OUTPUT_TOKEN: 41})
def test_nothing_is_charged_as_told_only_where_zero_of_what_is_sold_was_told(
    endpoint: Endpoint, sold: frozenset[str], usage: dict[str, int]
):
    most = {**ENDPOINTS[endpoint], Unit.REQUEST: 1}
    assume(all(sold_as(unit, most) for unit in sold))  # no providers file may sell anything else there
    model = Model("acme/m", "m", "acme", 1, Kind.ROUTED, endpoint, sold, 900, 5_000)
    known = {Unit.CHARACTER: 70, Unit.REQUEST: 1} if endpoint is Endpoint.SPEECH else {}
    request = ShapedRequest(endpoint, model, b"x" * 401, False, False, most, known=known)
    held = any_quote(request)

    metered = meter_usage(held, request, usage, 100)

    assert metered.cost <= held.amount
    told = {unit: each for unit, each in usage.items() if sold_as(unit, dict.fromkeys(sold, 1)) and each}
    if metered.source is UsageSource.PROVIDER and not metered.cost:
        assert not told
        for unit in sold:  # of each, or of what it is part of, something was told
            assert any(sold_as(each, dict.fromkeys(sold, 1)) and family(each) == family(unit) for each in usage)
    if all(each and {sold_as(part, {unit: 1}) for part in sold} == {unit} for unit, each in usage.items()) and usage:
        assert metered.cost > 0  # a whole alone, of which no more than parts are sold


def family(unit: str) -> str:
    while unit in PART_OF:
        unit = PART_OF[unit]
    return unit


@pytest.mark.parametrize("sold", [Unit.AUDIO_OUTPUT_TOKEN, Unit.OUTPUT_TOKEN])
def test_plain_output_is_charged_where_sound_alone_is_sold_and_marked(sold: Unit):
    most = {Unit.CHARACTER: 5, Unit.INPUT_TOKEN: 500, Unit.OUTPUT_TOKEN: 9_000, Unit.REQUEST: 1}
    model = Model("acme/m", "m", "acme", 1, Kind.ROUTED, Endpoint.SPEECH, frozenset({sold}), 9_000, 5_000)
    known = {Unit.CHARACTER: 5, Unit.REQUEST: 1}
    request = ShapedRequest(Endpoint.SPEECH, model, b"x" * 401, False, False, most, known=known)

    metered = meter_usage(any_quote(request), request, {Unit.INPUT_TOKEN: 7, Unit.OUTPUT_TOKEN: 41}, 0)

    assert metered.source is (UsageSource.PROVIDER if sold is Unit.OUTPUT_TOKEN else UsageSource.ESTIMATED)
    assert {line.sku.unit: line.quantity for line in metered.lines} == {sold: 41}


def test_parts_that_are_sold_and_told_leave_their_whole_out():
    most = {Unit.INPUT_TOKEN: 500, Unit.OUTPUT_TOKEN: 9_000, Unit.REQUEST: 1}
    units = frozenset({Unit.AUDIO_OUTPUT_TOKEN})
    model = Model("acme/m", "m", "acme", 1, Kind.ROUTED, Endpoint.CHAT, units, 9_000, 5_000)
    request = ShapedRequest(Endpoint.CHAT, model, b"x" * 401, False, False, most)

    metered = meter_usage(any_quote(request), request, {Unit.OUTPUT_TOKEN: 41, Unit.AUDIO_OUTPUT_TOKEN: 3}, 0)

    assert metered.source is UsageSource.PROVIDER
    assert {line.sku.unit: line.quantity for line in metered.lines} == {Unit.AUDIO_OUTPUT_TOKEN: 3}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_answer_too_long_to_be_carried_costs_what_it_could_have_been(endpoint: Endpoint):
    sold = frozenset(ENDPOINTS[endpoint]) | {Unit.REQUEST}
    model = Model("acme/m", "m", "acme", 1, Kind.ROUTED, endpoint, sold, 900, 5_000)
    most = {**ENDPOINTS[endpoint], Unit.REQUEST: 1}
    known = {Unit.CHARACTER: 70, Unit.REQUEST: 1} if endpoint is Endpoint.SPEECH else {}
    request = ShapedRequest(endpoint, model, b"x" * 401, False, False, most, known=known, media_bytes=160)
    held = any_quote(request)

    metered = meter_uncarried(held, request, None)
    told = meter_uncarried(held, request, dict.fromkeys(ENDPOINTS[endpoint], 3))

    used = {line.sku.unit: line.quantity for line in metered.lines}
    expected = {**ENDPOINTS[endpoint], Unit.INPUT_TOKEN: 61, Unit.REQUEST: 1}
    assert used == expected | ({Unit.SECOND: 1} if endpoint is Endpoint.TRANSCRIPTION else {})
    assert metered.source is UsageSource.BOUND
    assert metered.cost <= held.amount
    assert told.source is UsageSource.PROVIDER


@given(
    prompt=COUNTS, completion=COUNTS, cached=COUNTS, produced=st.integers(0, 10**5), markup=st.integers(0, 10_000)
)  # fmt: skip
def test_figures_of_the_middle_of_a_stream_are_marked_and_never_above_the_hold(
    prompt: int, completion: int, cached: int, produced: int, markup: int
):
    request = shaped()
    priced = quoted(request, 3 * 10**12, 10**12, markup=markup)

    metered = meter_unfinished(priced, request, tokens(prompt, completion, cached), produced)

    assert 0 <= metered.cost <= priced.amount
    assert metered.source in {UsageSource.ESTIMATED, UsageSource.CLAMPED}
    out = next((line.quantity for line in metered.lines if line.sku.unit == Unit.OUTPUT_TOKEN), 0)
    assert out == min(max(completion, -(-produced // 4), 0), MOST[Unit.OUTPUT_TOKEN])


def test_what_a_stream_told_before_it_grew_too_long_is_only_its_input():
    request = shaped()
    metered = meter_uncarried(quoted(request, 10**12, 10**12), request, told_of_input(tokens(10, 1, 0)))

    quantities = {line.sku.unit: line.quantity for line in metered.lines}
    assert metered.source is UsageSource.BOUND
    assert (quantities[Unit.INPUT_TOKEN], quantities[Unit.OUTPUT_TOKEN]) == (10, MOST[Unit.OUTPUT_TOKEN])


def test_parts_of_a_sum_that_is_too_large_are_charged_first():
    request = shaped()
    metered = meter_usage(quoted(request, 10, 1), request, tokens(3_000, 0, 1_500), 0)
    assert metered.source is UsageSource.CLAMPED
    assert {line.sku.unit: line.quantity for line in metered.lines} == {"cached_input_token": 1_500, "input_token": 500}


def test_what_is_sold_and_not_told_is_estimated_beside_what_is_told():
    """A picture model that sells tokens, and a provider that tells nothing: the pictures alone are no figure of it."""
    units = frozenset({Unit.IMAGE, Unit.INPUT_TOKEN, Unit.IMAGE_OUTPUT_TOKEN})
    most = {Unit.IMAGE: 4, Unit.INPUT_TOKEN: 500, Unit.OUTPUT_TOKEN: 9_000, Unit.REQUEST: 1}
    model = Model("acme/m", "m", "acme", 1, Kind.ROUTED, Endpoint.IMAGES, units, 9_000, 5_000)
    request = ShapedRequest(Endpoint.IMAGES, model, b"x" * 401, False, False, most)
    held = any_quote(request)

    told = meter_usage(held, request, {Unit.IMAGE: 3, Unit.INPUT_TOKEN: 7, Unit.IMAGE_OUTPUT_TOKEN: 11}, 0)
    assert told.source is UsageSource.PROVIDER

    alone = meter_usage(held, request, {Unit.IMAGE: 3}, 0)
    assert alone.source is UsageSource.ESTIMATED
    assert {line.sku.unit: line.quantity for line in alone.lines} == {
        "image": 3, "input_token": 101, "image_output_token": 9_000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("endpoint", "unit"),
    [
        (Endpoint.IMAGES, Unit.IMAGE_OUTPUT_TOKEN),
        (Endpoint.IMAGES, Unit.OUTPUT_TOKEN),
        (Endpoint.SPEECH, Unit.AUDIO_OUTPUT_TOKEN),
        (Endpoint.SPEECH, Unit.OUTPUT_TOKEN),
    ],
)
def test_what_was_made_and_not_told_is_charged_at_its_bound(endpoint: Endpoint, unit: Unit):
    most = {Unit.INPUT_TOKEN: 500, Unit.OUTPUT_TOKEN: 9_000, Unit.REQUEST: 1}
    model = Model("acme/m", "m", "acme", 1, Kind.ROUTED, endpoint, frozenset({Unit.INPUT_TOKEN, unit}), 9_000, 5_000)
    request = ShapedRequest(endpoint, model, b"x" * 401, False, False, most)
    held = any_quote(request)

    metered = meter_usage(held, request, None, 0)

    assert metered.source is UsageSource.ESTIMATED
    assert {line.sku.unit: line.quantity for line in metered.lines} == {"input_token": 101, unit: 9_000}
    assert metered.cost <= held.amount


def test_seconds_told_where_tokens_are_sold_are_no_figure_of_them():
    model = Model(
        "acme/m", "m", "acme", 1, Kind.ROUTED, Endpoint.TRANSCRIPTION, UNITS | {Unit.AUDIO_INPUT_TOKEN}, 9, 9_000
    )
    most = {Unit.SECOND: 0, Unit.INPUT_TOKEN: 300, Unit.AUDIO_INPUT_TOKEN: 9_000, Unit.OUTPUT_TOKEN: 9, Unit.REQUEST: 1}
    request = ShapedRequest(Endpoint.TRANSCRIPTION, model, b"x" * 32_400, False, False, most, media_bytes=32_000)

    metered = meter_usage(any_quote(request), request, {Unit.SECOND: 9}, 8)

    assert metered.source is UsageSource.ESTIMATED
    used = {line.sku.unit: line.quantity for line in metered.lines}
    assert used == {"input_token": 100, "audio_input_token": 20, "output_token": 2}


def any_quote(request: ShapedRequest) -> Quote:
    prices = {
        (sku := Sku("acme/m", unit)): PriceInForce(sku, index, 1, UsdWad(10**12), UnixSeconds(1_000), False)
        for index, unit in enumerate(sorted(request.model.units))
    }
    return quote(
        tariff_of(request.model, prices),
        request.most,
        par=Par(10**6),
        markup=BasisPoints(0),
        now=UnixSeconds(1_000),
        limits=FreshnessLimits(),
    )


def test_a_bound_whose_unit_is_sold_as_a_wider_one_is_held_for_as_that():
    """Sound at the price of input: only the sound is bounded, and only input has a price."""
    units = frozenset({Unit.INPUT_TOKEN})
    model = Model("acme/m", "m", "acme", 1, Kind.ROUTED, Endpoint.TRANSCRIPTION, units, 0, 5_000)
    request = ShapedRequest(
        Endpoint.TRANSCRIPTION, model, b"x", False, False, {Unit.AUDIO_INPUT_TOKEN: 100, Unit.REQUEST: 1}
    )
    held = any_quote(request)
    metered = meter_usage(held, request, {Unit.AUDIO_INPUT_TOKEN: 60}, 0)
    assert held.amount == 100 * 10**3
    assert (metered.source, metered.cost) == (UsageSource.PROVIDER, 60 * 10**3)


def test_what_the_answer_counts_is_charged_as_the_variant_that_was_asked_for():
    high = "image.1024x1024-high"
    model = Model("acme/m", "m", "acme", 1, Kind.ROUTED, Endpoint.IMAGES, frozenset({high, "image.512x512"}), 0, 5_000)
    most = {high: 4, Unit.REQUEST: 1}
    request = ShapedRequest(Endpoint.IMAGES, model, b"x", False, False, most, variants={Unit.IMAGE: high})
    for told, charged, source in (
        (3, 3, UsageSource.PROVIDER),
        (5, 4, UsageSource.CLAMPED),
        (-1, None, UsageSource.CLAMPED),
    ):
        metered = meter_usage(any_quote(request), request, {Unit.IMAGE: told}, 0)
        assert {line.sku.unit: line.quantity for line in metered.lines}.get(high) == charged
        assert metered.source is source
