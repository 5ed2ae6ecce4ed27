"""What a request may cost, and what it did: the same sum over SKUs, rounded up once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from mintery.domain.model import Model, Unit
from mintery.domain.price import FreshnessLimits, PriceInForce, PriceState, Sku, check_sellable
from mintery.errors import ModelUnpriced
from mintery.units import BasisPoints, NanoCredits, Par, UnixSeconds, UsdWad, nanocredits_up

QUOTE_SECONDS = 60
"""A quote pins version and price for at most this long."""

Quantities = Mapping[Unit, int]
INPUTS = frozenset({Unit.INPUT_TOKEN, Unit.CACHED_INPUT_TOKEN})
_SEVERITY = {state: rank for rank, state in enumerate(PriceState)}


class UsageSource(StrEnum):
    PROVIDER = "provider"
    """The provider's own figures."""
    ESTIMATED = "estimated"
    """The provider left usage out: estimated by the stated rule."""
    CLAMPED = "clamped"
    """The provider's figures were negative or cost more than the hold; an alarm was raised."""


class PricedLine(NamedTuple):
    """``quantity`` units of one SKU at one pinned price version."""

    sku: Sku
    sku_index: int
    provider_id: int
    price_version: int
    unit_price: UsdWad
    quantity: int

    @property
    def cost(self) -> UsdWad:
        return UsdWad(self.unit_price * self.quantity)


class Quote(NamedTuple):
    """An upper bound. ``lines`` carry the most units that the request can use.

    Attributes:
        amount: nanocredits to hold; the request never costs more.
        state: the worst price state among the SKUs.
        expires_at: the pinned prices are good for a hold until here.
    """

    model: Model
    lines: tuple[PricedLine, ...]
    par: Par
    markup: BasisPoints
    amount: NanoCredits
    state: PriceState
    quoted_at: UnixSeconds
    expires_at: UnixSeconds

    @property
    def usd(self) -> UsdWad:
        return total_cost(self.lines)

    def at(self, used: Quantities) -> tuple[PricedLine, ...]:
        """The same pinned prices for what was used. Units without quantity are left out."""
        return tuple(
            [
                PricedLine(line.sku, line.sku_index, line.provider_id, line.price_version, line.unit_price, quantity)
                for line in self.lines
                if (quantity := used.get(Unit(line.sku.unit), 0))
            ]
        )

    def cost(self, lines: Iterable[PricedLine]) -> NanoCredits:
        return nanocredits_up(total_cost(lines), self.par, self.markup)


def total_cost(lines: Iterable[PricedLine]) -> UsdWad:
    return UsdWad(sum([line.unit_price * line.quantity for line in lines]))


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a model's units cost at one reading of the market: the same for all its requests.

    Attributes:
        prices: its units ascending, each with its price in force.
        dearest_input: by which input counts in a bound, so that fresh and cached are covered alike; None without any.
    """

    model: Model
    prices: tuple[tuple[Unit, PriceInForce], ...]
    dearest_input: Unit | None


def tariff_of(model: Model, prices: Mapping[Sku, PriceInForce]) -> Tariff:
    """Raises ModelUnpriced: a unit of the model has no price."""
    found = []
    for unit in sorted(model.units):
        sku = model.sku(unit)
        if (price := prices.get(sku)) is None:
            raise ModelUnpriced(model.id, str(sku))
        found.append((unit, price))
    inputs = [(price.usd, unit) for unit, price in found if unit in INPUTS]
    return Tariff(model, tuple(found), max(inputs)[1] if inputs else None)


def quote(
    tariff: Tariff,
    most: Quantities,
    *,
    par: Par,
    markup: BasisPoints,
    now: UnixSeconds,
    limits: FreshnessLimits,
) -> Quote:
    """Price the most units a request can use at the prices in force.

    Raises:
        PriceStale, PriceQueued, HoldAboveStaleLimit: see ``check_sellable``.
    """
    model = tariff.model
    lines = tuple(
        [
            PricedLine(price.sku, price.index, model.provider_id, price.version, price.usd, most.get(unit, 0))
            for unit, price in tariff.prices
        ]
    )
    usd = total_cost(lines)
    states = {check_sellable(price, hold=usd, now=now, limits=limits) for _, price in tariff.prices}
    return Quote(
        model=model,
        lines=lines,
        par=par,
        markup=markup,
        amount=nanocredits_up(usd, par, markup),
        state=max(states, key=_SEVERITY.__getitem__, default=PriceState.NORMAL),
        quoted_at=now,
        expires_at=UnixSeconds(now + QUOTE_SECONDS),
    )
