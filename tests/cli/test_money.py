import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.cli.money import assets_text, credits_text, nanos_text, price_text, time_text
from mintery.units import AssetUnits, CreditUnits, NanoCredits, UnixSeconds, UsdWad, parse_credits


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 PXAI"),
        (1, "0.000000000000000001 PXAI"),
        (10**18, "1 PXAI"),
        (1_234_567 * 10**18 + 5 * 10**17, "1,234,567.5 PXAI"),
        (-(10**21), "-1,000 PXAI"),
        (-123 * 10**18, "-123 PXAI"),
    ],
)
def test_credits_are_grouped_and_complete(amount: int, text: str) -> None:
    assert credits_text(CreditUnits(amount), "PXAI") == text


@given(st.integers(0, 2**96))
def test_no_digit_is_lost(amount: int) -> None:
    digits = credits_text(CreditUnits(amount)).removesuffix(" credits").replace(",", "")

    assert parse_credits(digits) == amount


def test_other_units_say_what_they_are() -> None:
    assert assets_text(AssetUnits(12_500_000)) == "12.5 USD"
    assert nanos_text(NanoCredits(1_500_000_000), "PXAI") == "1.5 PXAI"
    assert price_text(UsdWad(2 * 10**12), "input_token") == "2 USD per million input tokens"
    assert price_text(UsdWad(4 * 10**16), "image") == "0.04 USD per image"
    assert price_text(UsdWad(4 * 10**16), "image.1024x1024-high") == "0.04 USD per image, 1024x1024-high"
    assert price_text(UsdWad(6 * 10**12), "input_token.above_200000") == "6 USD per million input tokens, above 200000"
    assert time_text(UnixSeconds(0)) == "1970-01-01 00:00:00 UTC"
