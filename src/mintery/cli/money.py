"""Amounts for people: always with their unit, thousands apart, every digit that is there."""

from datetime import UTC, datetime

from mintery.units import (
    AssetUnits,
    CreditUnits,
    NanoCredits,
    UnixSeconds,
    UsdWad,
    Wei,
    format_assets,
    format_credits,
    format_ether,
    format_nanocredits,
    format_usd,
)

_MILLION = 1_000_000


def _grouped(digits: str) -> str:
    whole, point, rest = digits.partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    groups = [whole[max(end - 3, 0) : end] for end in range(len(whole), 0, -3)]
    return sign + ",".join(reversed(groups)) + point + rest


def credits_text(amount: CreditUnits, symbol: str = "credits") -> str:
    return f"{_grouped(format_credits(amount))} {symbol}"


def nanos_text(amount: NanoCredits, symbol: str = "credits") -> str:
    return f"{_grouped(format_nanocredits(amount))} {symbol}"


def assets_text(amount: AssetUnits, symbol: str = "USD") -> str:
    return f"{_grouped(format_assets(amount))} {symbol}"


def usd_text(amount: UsdWad) -> str:
    return f"{_grouped(format_usd(amount))} USD"


def ether_text(amount: Wei) -> str:
    """In the chain's own coin, called ETH here whatever it is called there."""
    return f"{_grouped(format_ether(amount))} ETH"


def price_text(amount: UsdWad, unit: str) -> str:
    """A token's price is told by the million, as price lists do; other units one by one; ``asset:usd`` as it is. The
    variant of a unit follows it: ``input tokens, above 200000``.
    """
    if unit == "usd":
        return usd_text(amount)
    if unit.partition(".")[0].endswith("token"):
        return f"{_grouped(format_usd(UsdWad(amount * _MILLION)))} USD per million {unit_text(unit, many=True)}"
    return f"{usd_text(amount)} per {unit_text(unit)}"


def unit_text(unit: str, *, many: bool = False) -> str:
    base, *variants = unit.replace("_", " ").split(".")
    return ", ".join([f"{base}s" if many else base, *variants])


def time_text(at: UnixSeconds) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
