from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery import units
from mintery.errors import MalformedAmount, NotWholeNanocredits
from mintery.units import AssetUnits, BasisPoints, CreditUnits, NanoCredits, Par, UsdWad

pars = st.integers(units.MIN_PAR, units.MAX_PAR).map(Par)
markups = st.integers(0, 65_535).map(BasisPoints)
usds = st.integers(0, 10**24).map(UsdWad)
credit_amounts = st.integers(0, units.MAX_NANOCREDITS * units.UNITS_PER_NANO).map(CreditUnits)


@given(usds, pars, markups)
def test_a_request_costs_its_exact_price_and_less_than_a_nanocredit_more(usd: UsdWad, par: Par, markup: BasisPoints):
    exact = Fraction(usd * (10_000 + markup), 10_000) / (par * 10**12) * 10**9

    cost = units.nanocredits_up(usd, par, markup)

    assert 0 <= cost - exact < 1


@given(usds, usds, pars, markups)
def test_splitting_a_request_never_makes_it_cheaper(one: UsdWad, other: UsdWad, par: Par, markup: BasisPoints):
    together = units.nanocredits_up(UsdWad(one + other), par, markup)

    apart = units.nanocredits_up(one, par, markup) + units.nanocredits_up(other, par, markup)

    assert together <= apart <= together + 1


@given(credit_amounts, pars)
def test_minting_and_redeeming_never_pays_out_more_than_went_in(amount: CreditUnits, par: Par):
    assert 0 <= units.assets_up(amount, par) - units.assets_down(amount, par) <= 1


@given(usds, pars)
def test_a_provider_is_never_paid_more_than_the_burn_frees(usd: UsdWad, par: Par):
    burned = units.nanocredits_up(usd, par, BasisPoints(0))

    backing = units.assets_down(units.credit_units(burned), par)

    assert units.assets_of_usd_down(usd) <= backing


@given(st.integers(0, 10**12), pars)
def test_room_in_assets_never_admits_credits_that_free_more(assets: int, par: Par):
    most = units.nanocredits_of_assets_down(AssetUnits(assets), par)

    assert units.assets_down(units.credit_units(most), par) <= assets


@given(st.integers(0, units.MAX_NANOCREDITS).map(NanoCredits))
def test_nanocredits_survive_the_way_to_the_chain_and_back(nanos: NanoCredits):
    assert units.nanocredits(units.credit_units(nanos)) == nanos


@given(credit_amounts.filter(lambda amount: amount % units.UNITS_PER_NANO))
def test_a_broken_nanocredit_is_refused(amount: CreditUnits):
    with pytest.raises(NotWholeNanocredits) as refused:
        units.nanocredits(amount)

    assert refused.value.units == amount


@given(st.integers(0, 10**40), st.sampled_from([6, 9, 18]))
def test_amounts_read_back_as_they_were_written(amount: int, decimals: int):
    assert units.parse_decimal(units.format_decimal(amount, decimals), decimals) == amount


@pytest.mark.parametrize("text", ["", "abc", "-1", "1e3", "NaN", "Infinity", "0.0000001", "1,5", "--1", "1 2"])
def test_what_is_no_plain_amount_is_refused(text: str):
    with pytest.raises(MalformedAmount):
        units.parse_assets(text)


@given(st.integers(0, 10**39 - 1), st.integers(-40, 20), st.sampled_from([1, 1_000, 3_600, 10**6]))
def test_a_price_that_a_list_writes_is_exact_or_none(digits: int, exponent: int, per: int):
    number = Decimal((0, tuple(map(int, str(digits))), exponent))
    exact = Fraction(digits) * Fraction(10) ** (exponent + 18) / per
    if number and number.adjusted() > 20:
        with pytest.raises(MalformedAmount):
            units.parse_usd_number(number, per)
        return

    assert units.parse_usd_number(number, per) == (exact if exact.denominator == 1 else None)


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "-1", "-1e-999999", "1e400", "1e999999999"])
def test_what_can_be_no_price_is_refused(text: str):
    with pytest.raises(MalformedAmount):
        units.parse_usd_number(Decimal(text))


@pytest.mark.parametrize(
    ("text", "usd"), [("0", 0), ("-0", 0), ("0e999999999", 0), ("1e-999999999", None), ("0.1" + "0" * 70, None)]
)
def test_huge_exponents_take_no_time(text: str, usd: int | None):
    assert units.parse_usd_number(Decimal(text)) == usd
