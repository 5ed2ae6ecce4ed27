"""Every unit of money in Mintery, and every division between two of them.

Amounts are integers, read from and written to decimal text exactly. A conversion that can lose something says in its name
which way it rounds: ``_up`` or ``_down``; the same directions as in ``BackingMath.sol``.
"""

import math
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NewType

from mintery.errors import MalformedAmount, NotWholeCents, NotWholeNanocredits

CreditUnits = NewType("CreditUnits", int)
"""ERC-20 base units of a credit: 1e-18 credit."""
NanoCredits = NewType("NanoCredits", int)
"""What the ledger counts: 1e-9 credit, at most 2**63 - 1."""
AssetUnits = NewType("AssetUnits", int)
"""Base units of the reserve asset: 1e-6 USD."""
UsdWad = NewType("UsdWad", int)
"""1e-18 USD: prices per unit of a SKU, and sums of them."""
Par = NewType("Par", int)
"""Asset base units per whole credit, 1e3 to 1e9."""
BasisPoints = NewType("BasisPoints", int)
"""1e-4."""
Wei = NewType("Wei", int)
Cents = NewType("Cents", int)
"""1e-2 USD: what cards and banks count in."""
UnixSeconds = NewType("UnixSeconds", int)
"""What contracts count time in."""

CREDIT_DECIMALS = 18
NANO_DECIMALS = 9
ASSET_DECIMALS = 6
GWEI_DECIMALS = 9
USD_WAD_DECIMALS = 18
ETHER_DECIMALS = 18

UNITS_PER_NANO = 10**9
UNITS_PER_CREDIT = 10**18
NANOS_PER_CREDIT = 10**9
USD_WAD_PER_ASSET_UNIT = 10**12
ONE_IN_BPS = 10_000
ASSET_UNITS_PER_CENT = 10**4
MAX_NANOCREDITS = 2**63 - 1
MIN_PAR = 10**3
MAX_PAR = 10**9

_MOST_USD_MAGNITUDE = 20
_MOST_DIGITS = 60
_PLAIN_DECIMAL = re.compile(r"[0-9]{1,60}(\.[0-9]{1,60})?")


def ceil_div(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def credit_units(nanos: NanoCredits) -> CreditUnits:
    """Exact: one nanocredit is 1e9 base units."""
    return CreditUnits(nanos * UNITS_PER_NANO)


def nanocredits(units: CreditUnits) -> NanoCredits:
    """Exact, or NotWholeNanocredits."""
    nanos, rest = divmod(units, UNITS_PER_NANO)
    if rest:
        raise NotWholeNanocredits(units)
    return NanoCredits(nanos)


def nanocredits_down(units: CreditUnits) -> NanoCredits:
    """Whole nanocredits in ``units``; a voucher's maxSpend may carry a rest that no request can use."""
    return NanoCredits(units // UNITS_PER_NANO)


def nanocredits_up(usd: UsdWad, par: Par, markup: BasisPoints) -> NanoCredits:
    """What a request burns: its SKUs' cost with markup, rounded up once, to one nanocredit (S5).

    One credit is ``par`` asset base units of 1e12 ``UsdWad`` each, so a nanocredit is ``par * 1000`` of them.
    """
    return NanoCredits(ceil_div(usd * (ONE_IN_BPS + markup), ONE_IN_BPS * par * 1000))


def usd_of_nanocredits_down(nanos: NanoCredits, par: Par) -> UsdWad:
    """The dollar value of credits at par. Exact; named as the direction it would round."""
    return UsdWad(nanos * par * 1000)


def nanocredits_of_assets_down(assets: AssetUnits, par: Par) -> NanoCredits:
    """The most credits whose backing ``assets`` covers."""
    return NanoCredits(assets * NANOS_PER_CREDIT // par)


def assets_up(credits_: CreditUnits, par: Par) -> AssetUnits:
    """What mint takes for ``credits_``."""
    return AssetUnits(ceil_div(credits_ * par, UNITS_PER_CREDIT))


def assets_down(credits_: CreditUnits, par: Par) -> AssetUnits:
    """What redeem pays and a burn frees for ``credits_``."""
    return AssetUnits(credits_ * par // UNITS_PER_CREDIT)


def cents(assets: AssetUnits) -> Cents:
    """Exact, or NotWholeCents."""
    whole, rest = divmod(assets, ASSET_UNITS_PER_CENT)
    if rest:
        raise NotWholeCents(assets)
    return Cents(whole)


def whole_cents_down(assets: AssetUnits) -> AssetUnits:
    """What of ``assets`` cards and banks can pay."""
    return AssetUnits(assets - assets % ASSET_UNITS_PER_CENT)


def assets_of_cents(amount: Cents) -> AssetUnits:
    """Exact, at par with USD."""
    return AssetUnits(amount * ASSET_UNITS_PER_CENT)


def assets_of_usd_down(usd: UsdWad) -> AssetUnits:
    """What a provider is paid for a cost of ``usd``."""
    return AssetUnits(usd // USD_WAD_PER_ASSET_UNIT)


def pro_rata_down(amount: int, share: int, total: int) -> int:
    """``amount * share / total``; 0 when nothing is to be shared."""
    return amount * share // total if total else 0


def pro_rata_up(amount: int, share: int, total: int) -> int:
    """``amount * share / total``; 0 when nothing is to be shared."""
    return ceil_div(amount * share, total) if total else 0


def in_common_measure(amounts: Iterable[int]) -> list[int]:
    """Each as a multiple of the largest amount that measures all: exact, and they compare as they did."""
    amounts = list(amounts)
    measure = math.gcd(*amounts) or 1
    return [amount // measure for amount in amounts]


def parse_decimal(text: str, decimals: int) -> int:
    """``"1.25"`` with 6 decimals is 1250000. Exact at any size; refuses signs, exponents and digits that do not fit."""
    if not _PLAIN_DECIMAL.fullmatch(text):
        raise MalformedAmount(text, "write it as plain digits, like 12.5")
    whole, _, fraction = text.partition(".")
    if len(fraction) > decimals:
        raise MalformedAmount(text, f"at most {decimals} digits may follow the point")
    return int(whole + fraction.ljust(decimals, "0"))


def format_decimal(amount: int, decimals: int) -> str:
    """``1250000`` with 6 decimals is ``"1.25"``."""
    sign = "-" if amount < 0 else ""
    whole, rest = divmod(abs(amount), 10**decimals)
    digits = str(rest).rjust(decimals, "0").rstrip("0") if rest else ""
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def parse_usd_number(number: Decimal, units: int = 1) -> UsdWad | None:
    """The price of one unit where so many ``units`` cost ``number`` USD; None where that is no whole number of 1e-18 USD.

    Raises:
        MalformedAmount: not finite, below zero, or 1e21 USD or more.
    """
    if not number.is_finite():
        raise MalformedAmount(str(number), "it is no number")
    if number < 0:
        raise MalformedAmount(str(number), "it is below zero")
    if not number:
        return UsdWad(0)
    _, digits, exponent = number.as_tuple()
    if number.adjusted() > _MOST_USD_MAGNITUDE:
        raise MalformedAmount(str(number), "no price is so high")
    if len(digits) > _MOST_DIGITS or not isinstance(exponent, int) or exponent < -_MOST_DIGITS:
        return None
    # The context of decimal arithmetic would round: whole numbers do not.
    shift = exponent + USD_WAD_DECIMALS
    whole = int("".join(map(str, digits)))
    each, rest = divmod(whole * 10 ** max(shift, 0), 10 ** max(-shift, 0) * units)
    return None if rest else UsdWad(each)


def parse_credits(text: str) -> CreditUnits:
    return CreditUnits(parse_decimal(text, CREDIT_DECIMALS))


def format_credits(amount: CreditUnits) -> str:
    return format_decimal(amount, CREDIT_DECIMALS)


def parse_gwei(text: str) -> Wei:
    return Wei(parse_decimal(text, GWEI_DECIMALS))


def gwei_up(amount: Wei) -> int:
    """Whole gwei that cover it."""
    return ceil_div(amount, 10**GWEI_DECIMALS)


def parse_ether(text: str) -> Wei:
    return Wei(parse_decimal(text, ETHER_DECIMALS))


def format_gwei(amount: Wei) -> str:
    return format_decimal(amount, GWEI_DECIMALS)


def parse_assets(text: str) -> AssetUnits:
    return AssetUnits(parse_decimal(text, ASSET_DECIMALS))


def format_assets(amount: AssetUnits) -> str:
    return format_decimal(amount, ASSET_DECIMALS)


def format_nanocredits(amount: NanoCredits) -> str:
    return format_decimal(amount, NANO_DECIMALS)


def parse_usd(text: str) -> UsdWad:
    return UsdWad(parse_decimal(text, USD_WAD_DECIMALS))


def format_usd(amount: UsdWad) -> str:
    return format_decimal(amount, USD_WAD_DECIMALS)


def format_ether(amount: Wei) -> str:
    return format_decimal(amount, ETHER_DECIMALS)
