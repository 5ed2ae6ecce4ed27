"""What a request says about its route: OpenRouter's ``provider`` object, read strictly.

``order``, ``only`` and ``ignore`` name providers or routes. ``order`` puts those first; the others follow unless
``allow_fallbacks`` is false. ``max_price`` is USD as the holder pays it, markup included: ``prompt`` and ``completion`` for
a million tokens, ``request`` and ``image`` for one. No route that may pass it is used.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from mintery.domain.model import Model
from mintery.errors import MalformedAmount, MalformedRequest, RouteTooDear, Unsupported
from mintery.units import ONE_IN_BPS, BasisPoints, UsdWad, format_usd, parse_usd

FIELD = "provider"
MOST_NAMES = 100
_TEXT = 80


class Sort(StrEnum):
    PRICE = "price"
    THROUGHPUT = "throughput"
    LATENCY = "latency"


class Priced(StrEnum):
    """What one of the limits is on."""

    PROMPT = "prompt"
    COMPLETION = "completion"
    REQUEST = "request"
    IMAGE = "image"

    @property
    def units(self) -> int:
        """How many units the limit is for."""
        return 1_000_000 if self in {Priced.PROMPT, Priced.COMPLETION} else 1


def priced_as(unit: str) -> Priced | None:
    """Which limit a SKU's unit falls under, tiers and windows included; None where OpenRouter has none for it."""
    base = unit.partition(".")[0]
    if base.endswith("_token"):
        return Priced.COMPLETION if "output" in base or "reasoning" in base else Priced.PROMPT
    if base.startswith("image"):
        return Priced.IMAGE
    return Priced.REQUEST if base == "request" else None


@dataclass(frozen=True, slots=True)
class MaxPrice:
    """``limits`` in 1e-18 USD, each for as many units as its ``Priced.units``."""

    limits: tuple[tuple[Priced, UsdWad], ...] = ()

    def check(self, route: str, unit: str, price: UsdWad, markup: BasisPoints) -> None:
        """``price`` of one ``unit``, without ``markup``. Raises RouteTooDear; a price that equals its limit passes."""
        priced = priced_as(unit)
        for on, limit in self.limits:
            if on is priced and price * on.units * (ONE_IN_BPS + markup) > limit * ONE_IN_BPS:
                raise RouteTooDear(route, unit, actual=price, markup=markup, limit=format_usd(limit), of=on.value)


@dataclass(frozen=True, slots=True)
class Preferences:
    """Names are lower-case providers' names or routes' ids; ``only`` None is all of them."""

    order: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    sort: Sort | None = None
    allow_fallbacks: bool = True
    max_price: MaxPrice = MaxPrice()

    def place(self, model: Model) -> int | None:
        """The model's position in ``order``."""
        for position, name in enumerate(self.order):
            if name in (model.provider.lower(), model.id.lower()):
                return position
        return None


NO_PREFERENCES = Preferences()
_KNOWN = frozenset({"order", "only", "ignore", "sort", "allow_fallbacks", "max_price"})
_HARMLESS: Mapping[str, tuple[Any, ...]] = {
    "require_parameters": (None, True, False),
    "data_collection": (None, "allow"),
}
"""No parameter is ever dropped on the way to a provider, so ``require_parameters`` asks for what is."""


def parse_preferences(given: object) -> Preferences:
    """Read the ``provider`` object; None is none.

    Raises:
        MalformedRequest, Unsupported: with the field.
    """
    if given is None:
        return NO_PREFERENCES
    if not isinstance(given, dict):
        raise _malformed("", "an object")
    for name, value in given.items():
        if name not in _KNOWN and (name not in _HARMLESS or value not in _HARMLESS[name]):
            raise Unsupported(f"{FIELD}.{name[:_TEXT]} is not supported", field=FIELD)
    sort, fallbacks, only = given.get("sort"), given.get("allow_fallbacks"), given.get("only")
    if sort is not None and sort not in tuple(Sort):
        raise _malformed("sort", "price, throughput or latency")
    if fallbacks is not None and not isinstance(fallbacks, bool):
        raise _malformed("allow_fallbacks", "true or false")
    return Preferences(
        order=_names(given, "order"),
        only=None if only is None else frozenset(_names(given, "only")),
        ignore=frozenset(_names(given, "ignore")),
        sort=None if sort is None else Sort(sort),
        allow_fallbacks=fallbacks is not False,
        max_price=_max_price(given.get("max_price")),
    )


def read_names(given: object, field_: str) -> tuple[str, ...]:
    """A list of names as they are. Raises MalformedRequest."""
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MOST_NAMES or not all(isinstance(each, str) for each in given):
        raise MalformedRequest(f"{field_} must be a list of at most {MOST_NAMES} texts", field=field_)
    return tuple(_unique(given))


def _names(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = given.get(name)
    if value is not None and (not isinstance(value, list) or len(value) > MOST_NAMES):
        raise _malformed(name, f"a list of at most {MOST_NAMES} texts")
    if not all(isinstance(each, str) for each in value or ()):
        raise _malformed(name, f"a list of at most {MOST_NAMES} texts")
    return tuple(_unique(each.lower() for each in value or ()))


def _unique(names: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(names)


def _max_price(given: object) -> MaxPrice:
    if given is None:
        return MaxPrice()
    if not isinstance(given, dict):
        raise _malformed("max_price", "an object")
    limits = {}
    for name, value in given.items():
        if name not in tuple(Priced):
            raise Unsupported(f"{FIELD}.max_price.{name[:_TEXT]} is not supported", field=FIELD)
        if value is not None:
            limits[Priced(name)] = _usd(name, value)
    return MaxPrice(tuple(limits.items()))


def _usd(name: str, value: object) -> UsdWad:
    """A number or its text. JSON's numbers arrive as floats, whose shortest text is what was written."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _malformed(f"max_price.{name}", "a number")
    text = value if isinstance(value, str) else format(Decimal(str(value)), "f")
    try:
        return parse_usd(text)
    except MalformedAmount:
        raise _malformed(f"max_price.{name}", "USD, not negative, with at most 18 digits after the point") from None


def _malformed(name: str, wanted: str) -> MalformedRequest:
    return MalformedRequest(f"{FIELD}{'.' if name else ''}{name} must be {wanted}", field=FIELD)
