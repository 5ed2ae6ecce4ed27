"""What a request may cost, and what it did: the same sum over SKUs, rounded up once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from mintery.domain.model import Model, Quantities, nearest
from mintery.domain.price import FreshnessLimits, PriceInForce, PriceState, Sku, check_sellable
from mintery.errors import ModelUnpriced
from mintery.units import BasisPoints, NanoCredits, Par, UnixSeconds, UsdWad, nanocredits_up

QUOTE_SECONDS = 60
"""A quote pins version and price for at most this long."""

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
                if (quantity := used.get(line.sku.unit, 0))
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
    """

    model: Model
    prices: tuple[tuple[str, PriceInForce], ...]
    _dearest: dict[tuple[str, ...], Mapping[str, str]] = field(default_factory=dict)
    """By the units that a request is bounded in: requests come in few forms, and in great numbers."""

    def covering(self, most: Quantities) -> Quantities:
        """Bounds by units that are sold: each at the dearest price that what it bounds can be charged at, so that, say,
        fresh and cached input are covered alike.
        """
        bounds = tuple(most)
        dearest = self._dearest.get(bounds)
        if dearest is None:
            dearest = self._dearest[bounds] = self._find_dearest(most)
        covered: dict[str, int] = {}
        for bound, unit in dearest.items():
            covered[unit] = covered.get(unit, 0) + most[bound]
        return covered

    def _find_dearest(self, most: Quantities) -> Mapping[str, str]:
        """For each bound the dearest unit within it. One that is not sold by itself is charged as the next wider one."""
        usd = {unit: price.usd for unit, price in self.prices}
        within: list[tuple[str | None, str | None]] = [(nearest(unit, most), unit) for unit in usd]
        within += [(bound, nearest(bound, usd)) for bound in most]
        found: dict[str, tuple[UsdWad, str]] = {}
        for bound, unit in within:
            if bound is not None and unit is not None:
                found[bound] = max(found.get(bound, (UsdWad(0), "")), (usd[unit], unit))
        return {bound: unit for bound, (_, unit) in found.items()}


def tariff_of(model: Model, prices: Mapping[Sku, PriceInForce]) -> Tariff:
    """Raises ModelUnpriced: a unit of the model has no price."""
    found = []
    for unit in sorted(model.units):
        sku = model.sku(unit)
        if (price := prices.get(sku)) is None:
            raise ModelUnpriced(model.id, str(sku))
        found.append((unit, price))
    return Tariff(model, tuple(found))


def quote(
    tariff: Tariff,
    most: Quantities,
    *,
    par: Par,
    markup: BasisPoints,
    now: UnixSeconds,
    limits: FreshnessLimits,
) -> Quote:
    """Price the most units a request can use at the prices in force. A bound covers all that is part of its unit and has
    no bound of its own; see ``Tariff.covering``.

    Raises:
        PriceStale, PriceQueued, HoldAboveStaleLimit: see ``check_sellable``.
    """
    model, covered = tariff.model, tariff.covering(most)
    lines = tuple(
        [
            PricedLine(price.sku, price.index, model.provider_id, price.version, price.usd, covered.get(unit, 0))
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
