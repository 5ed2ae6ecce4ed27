"""What a request may cost, and what it did: the same sum over SKUs, rounded up once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from mintery.domain.model import Model, Quantities, input_tokens, is_input, nearest
from mintery.domain.price import FreshnessLimits, PriceInForce, PriceState, Sku, check_sellable
from mintery.domain.tiers import Band, band_at, bands_of, minute_of, next_turn, parse_unit, unit_text, window_at
from mintery.errors import ModelUnpriced
from mintery.units import BasisPoints, NanoCredits, Par, UnixSeconds, UsdWad, nanocredits_up

QUOTE_SECONDS = 60
"""A quote pins version and price for at most this long."""

_SEVERITY = {state: rank for rank, state in enumerate(PriceState)}


class UsageSource(StrEnum):
    PROVIDER = "provider"
    """The provider's own figures."""
    COUNTED = "counted"
    """Known exactly from what was asked: characters to be spoken, the request itself."""
    ESTIMATED = "estimated"
    """The provider left usage out, or a stream ended before its last figures: estimated by the stated rule."""
    BOUND = "bound"
    """The answer was longer than the gateway carries, and what it used not known: what went in is estimated, what came
    out is charged at the most that was quoted."""
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
        tiers: where the price depends on the input's length, the lines of each tier that it can reach; ``lines`` are those
            of the dearest.
        fees: what the gateway itself charges for, beside all this: exactly that much of it, whatever is used.
        own_key: the caller's own key pays the provider; there are only fees.
    """

    model: Model
    lines: tuple[PricedLine, ...]
    par: Par
    markup: BasisPoints
    amount: NanoCredits
    state: PriceState
    quoted_at: UnixSeconds
    expires_at: UnixSeconds
    tiers: tuple[tuple[PricedLine, ...], ...] = ()
    fees: tuple[PricedLine, ...] = ()
    own_key: bool = False

    @property
    def most(self) -> tuple[PricedLine, ...]:
        """All that it may come to."""
        return (*self.lines, *self.fees)

    @property
    def usd(self) -> UsdWad:
        return total_cost(self.most)

    def at(self, used: Quantities) -> tuple[PricedLine, ...]:
        """The same pinned prices for what was used, and the fees. Units without quantity are left out."""
        if self.tiers:
            return (*self._at_tier(used), *self.fees)
        return tuple(
            [
                PricedLine(line.sku, line.sku_index, line.provider_id, line.price_version, line.unit_price, quantity)
                for line in self.lines
                if (quantity := used.get(line.sku.unit, 0))
            ]
            + list(self.fees)
        )

    def _at_tier(self, used: Quantities) -> tuple[PricedLine, ...]:
        """All of it at the tier that the input reached, in the window that was pinned."""
        model = self.model
        place = min(band_at(bands_of(model.tiers), input_tokens(used)), len(self.tiers) - 1)
        return tuple(
            line._replace(quantity=quantity)
            for line in self.tiers[place]
            if (quantity := used.get(parse_unit(line.sku.unit, model.windows).unit, 0))
        )

    def cost(self, lines: Iterable[PricedLine]) -> NanoCredits:
        return nanocredits_up(total_cost(lines), self.par, self.markup)


def with_fee(quoted: Quote, fee: Quote) -> Quote:
    """``fee`` of the same project: beside what is quoted, at its markup; rounded up once, together."""
    fees = (*quoted.fees, *fee.lines)
    usd = UsdWad(quoted.usd + fee.usd)
    return quoted._replace(
        fees=fees,
        amount=nanocredits_up(usd, quoted.par, quoted.markup),
        state=max(quoted.state, fee.state, key=_SEVERITY.__getitem__),
        expires_at=min(quoted.expires_at, fee.expires_at),
    )


def total_cost(lines: Iterable[PricedLine]) -> UsdWad:
    return UsdWad(sum([line.unit_price * line.quantity for line in lines]))


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a model's units cost at one reading of the market: the same for all its requests.

    Attributes:
        prices: its units ascending, each with its price in force; the plain ones where tiers or windows have others.
        windows: for a model whose prices depend on the input's length or the time of day, the tariffs of each window's
            tiers, by the window's name.
    """

    model: Model
    prices: tuple[tuple[str, PriceInForce], ...]
    windows: Mapping[str, tuple["Tariff", ...]] = field(default_factory=dict)
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
    plain = _plain_tariff(model, prices, "", 0)
    if not (model.tiers or model.windows):
        return plain
    names = {"", *(window.name for window in model.windows)}
    windows = {
        name: tuple(_plain_tariff(model, prices, name, band.above) for band in bands_of(model.tiers)) for name in names
    }
    return Tariff(model, plain.prices, windows)


def _plain_tariff(model: Model, prices: Mapping[Sku, PriceInForce], window: str, above: int) -> Tariff:
    found = []
    for unit in sorted(model.units):
        sku = model.sku(unit_text(unit, window, above))
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
    if tariff.windows:
        return _quote_tiers(tariff, most, par=par, markup=markup, now=now, limits=limits)
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


def _quote_tiers(
    tariff: Tariff, most: Quantities, *, par: Par, markup: BasisPoints, now: UnixSeconds, limits: FreshnessLimits
) -> Quote:
    """In the window of ``now``, the dearest of the tiers that the request can reach."""
    model, longest = tariff.model, input_tokens(most)
    tiers = tariff.windows[window_at(model.windows, minute_of(now))]
    quotes = [
        quote(tier, _within(most, band), par=par, markup=markup, now=now, limits=limits)
        for band, tier in zip(bands_of(model.tiers), tiers, strict=True)
        if not band.above or longest > band.above
    ]
    state = max((each.state for each in quotes), key=_SEVERITY.__getitem__)
    dearest = max(quotes, key=lambda each: each.usd)
    turn = next_turn(model.windows, now)
    expires_at = dearest.expires_at if turn is None else min(dearest.expires_at, turn)
    return dearest._replace(state=state, expires_at=expires_at, tiers=tuple(each.lines for each in quotes))


def _within(most: Quantities, band: Band) -> Quantities:
    """What a request of that tier can use: each unit's input is at most all input."""
    if band.most is None:
        return most
    return {unit: min(quantity, band.most) if is_input(unit) else quantity for unit, quantity in most.items()}


def is_hard_stale(
    lines: Iterable[PricedLine], prices: Mapping[Sku, PriceInForce], now: UnixSeconds, limits: FreshnessLimits
) -> bool:
    """Whether a price that was pinned is of a SKU that takes no holds any more for its age."""
    found = (prices.get(line.sku) for line in lines)
    return any(price is not None and price.state_at(now, limits) is PriceState.HARD_STALE for price in found)
