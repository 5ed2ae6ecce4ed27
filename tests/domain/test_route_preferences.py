from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.route_preferences import MaxPrice, Priced, parse_preferences, priced_as
from mintery.errors import RouteTooDear
from mintery.units import BasisPoints, UsdWad, nanocredits_up


@pytest.mark.parametrize(
    ("unit", "priced"),
    [
        ("input_token", Priced.PROMPT),
        ("input_token.above_200000", Priced.PROMPT),
        ("cached_input_token", Priced.PROMPT),
        ("output_token.off_peak", Priced.COMPLETION),
        ("request", Priced.REQUEST),
        ("image.1024x1024-high", Priced.IMAGE),
        ("second", None),
    ],
)
def test_which_limit_a_unit_falls_under(unit: str, priced: Priced | None):
    assert priced_as(unit) is priced


@given(
    price=st.integers(0, 10**16),
    markup=st.integers(0, 10_000),
    limit=st.integers(0, 10**22),
    on=st.sampled_from(sorted(Priced)),
)
def test_no_price_with_its_markup_passes_its_limit(price: int, markup: int, limit: int, on: Priced):
    unit = {"prompt": "input_token", "completion": "output_token"}.get(on, on.value)
    paid = Fraction(price * on.units * (10_000 + markup), 10_000)

    try:
        MaxPrice(((on, UsdWad(limit)),)).check("a/b", unit, UsdWad(price), BasisPoints(markup))
    except RouteTooDear:
        assert paid > limit
    else:
        assert paid <= limit
        # What the holder pays for as many units as the limit is for: one nanocredit at most is rounding.
        assert nanocredits_up(UsdWad(price * on.units), 10**6, BasisPoints(markup)) <= Fraction(limit, 10**9) + 1


@pytest.mark.parametrize("given", [0.1, "0.1", "0.10"])
def test_a_number_is_read_as_it_was_written(given: object):
    assert parse_preferences({"max_price": {"prompt": given}}).max_price.limits == ((Priced.PROMPT, 10**17),)


def test_a_small_number_that_json_writes_with_an_exponent():
    assert parse_preferences({"max_price": {"request": 1e-7}}).max_price.limits == ((Priced.REQUEST, 10**11),)
