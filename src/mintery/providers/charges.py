"""From what a price list says of a model to the price of one SKU.

A list may ask another price where the input is longer, or at another time of day. A SKU is sold at one price: it has one in
a list only if the list's is the same in all of the SKU's tier and window, as the model declares them.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from mintery.domain.observation import NonsensePrice, NoPrice, SourceAnswer, SourcePrice
from mintery.domain.price import Sku
from mintery.domain.tiers import DAY_MINUTES, TOKEN, Band, MeteredUnit, Window, bands_of, parse_unit, window_at
from mintery.errors import MalformedAmount, MalformedSku
from mintery.units import UsdWad, parse_usd_number

MOST_TOKEN_USD = UsdWad(10**15)
"""No token costs more than a thousand USD a million: a list that says so means a thousand of them."""
FIRST_TOKEN = 1
NO_NUMBER = "it is no number"
MOST_STEPS = 16
"""No list asks more prices for one unit than this many conditions make; looking everywhere takes the cube of them."""


class Unpriced(Exception):
    """Why a list has no price."""


class Declaration(Protocol):
    """What somebody who may be believed says of a model, as ``Model`` does."""

    @property
    def upstream(self) -> str:
        """The provider's own name for it."""

    @property
    def tiers(self) -> tuple[int, ...]: ...

    @property
    def windows(self) -> tuple[Window, ...]: ...


@dataclass(frozen=True, slots=True)
class Named:
    """A model of which nothing is declared, as its SKUs' own names tell it. Its provider's name for it is not among that."""

    upstream: str
    tiers: tuple[int, ...]
    windows: tuple[Window, ...] = ()


def named_by(skus: Iterable[str]) -> Mapping[str, Named]:
    """The models of SKUs, by id. A tier stands in a SKU's name with its boundary; of a window the name alone does, so what is sold
    by the time of day is priced where it is declared.
    """
    found: dict[str, set[int]] = {}
    for text in skus:
        with suppress(MalformedSku):
            sku = Sku.parse(text)
            found.setdefault(sku.model, set()).add(parse_unit(sku.unit).above)
    return {
        model: Named(model.partition("/")[2], tuple(sorted(boundaries - {0}))) for model, boundaries in found.items()
    }


@dataclass(frozen=True, slots=True)
class Listed:
    """How a list may know a SKU, and what the model declares.

    Attributes:
        provider: as Mintery names it.
        names: of the model, exactly: the provider's own where one is declared, then the part after the provider's name.
        bands: of the model's tiers.
    """

    provider: str
    names: tuple[str, ...]
    metered: MeteredUnit
    bands: tuple[Band, ...]
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Charge:
    """What a list asks for one unit of a model.

    Attributes:
        at: the price of a request with so many input tokens at a minute of the UTC day. Raises Unpriced, MalformedAmount.
        inputs: the numbers of input tokens from which on it may be another one.
        minutes: the same of minutes.
    """

    at: Callable[[int, int], UsdWad]
    inputs: frozenset[int] = frozenset()
    minutes: frozenset[int] = frozenset()


FindCharge = Callable[[Listed], Charge]
"""Raises Unpriced."""


def answer_for(name: str, sku: str, models: Mapping[str, Declaration], find: FindCharge) -> SourceAnswer:
    """What the list ``name`` answers; ``models`` declare names, tiers and windows by model id."""
    try:
        listed = _listed(sku, models)
        usd = _one_price(find(listed), listed)
    except MalformedSku:
        return NoPrice(name, "not a model's SKU")
    except Unpriced as why:
        return NoPrice(name, str(why))
    except MalformedAmount as error:
        return NonsensePrice(name, f"{error.text[:40]}: {error.why}")
    if listed.metered.unit.partition(".")[0].endswith(TOKEN) and usd > MOST_TOKEN_USD:
        return NonsensePrice(name, f"{usd} (1e-18 USD) is no price of one token")
    return SourcePrice(name, usd)


def read_number(value: Any) -> Decimal:
    """A price as JSON has it: a number that was parsed without floats, or its text.

    Raises:
        MalformedAmount
    """
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise MalformedAmount(str(value)[:40], NO_NUMBER)
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise MalformedAmount(str(value)[:40], NO_NUMBER) from None
    if not number.is_finite():
        raise MalformedAmount(str(value)[:40], NO_NUMBER)
    return number


def price_of_one(number: Decimal, units: int = 1) -> UsdWad:
    """Raises Unpriced, MalformedAmount."""
    if (usd := parse_usd_number(number, units)) is None:
        raise Unpriced("its price is finer than 1e-18 USD")
    return usd


def _listed(sku: str, models: Mapping[str, Declaration]) -> Listed:
    named = Sku.parse(sku)
    model = models.get(named.model)
    tiers, windows = ((), ()) if model is None else (model.tiers, model.windows)
    metered = parse_unit(named.unit, windows)
    if metered.above and metered.above not in tiers:
        raise Unpriced(f"no model here declares a tier above {metered.above}")
    name = named.model.partition("/")[2]
    names = (name,) if model is None or model.upstream == name else (model.upstream, name)
    return Listed(named.provider, names, metered, bands_of(tiers), windows)


def _one_price(charge: Charge, listed: Listed) -> UsdWad:
    """Prices change at known points, so looking there is looking everywhere."""
    if max(len(charge.inputs), len(charge.minutes)) > MOST_STEPS:
        raise Unpriced("its price has too many conditions")
    band = next(band for band in listed.bands if band.above == listed.metered.above)
    inputs = {band.above + FIRST_TOKEN} | {
        start for start in charge.inputs if band.above < start and (band.most is None or start <= band.most)
    }
    turns = {0, *charge.minutes} | {minute for window in listed.windows for minute in (window.start, window.end)}
    minutes = {m for m in turns if m < DAY_MINUTES and window_at(listed.windows, m) == listed.metered.window}
    by_minute = {minute: {charge.at(tokens, minute) for tokens in inputs} for minute in minutes}
    if any(len(prices) > 1 for prices in by_minute.values()):
        raise Unpriced("its price has tiers that the model does not declare")
    prices = set().union(*by_minute.values())
    if len(prices) != 1:
        raise Unpriced("its price depends on the time of day in a way that the model does not declare")
    return prices.pop()
