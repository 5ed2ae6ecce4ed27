"""From what a provider reports to what is charged.

- Its figures are believed as they are, zero included, within the bounds that the quote was made with.
- Figures that are negative or above a bound are clamped into it, marked, and alarmed: what lies above the hold is the
  operator's loss.
- What is not sold by itself is charged as what it is part of: cached input as input where it has no price of its own.
- Missing figures are estimated at one token for each ``BYTES_PER_TOKEN`` bytes, rounded up, of the body that was sent
  upstream and of the text that came back, never above the bounds, and marked. A stream that broke is charged like this
  for what was delivered.
"""

from collections.abc import Iterable
from typing import NamedTuple

from mintery.domain.model import Model, Quantities, Unit, nearest
from mintery.domain.quote import PricedLine, Quote, UsageSource
from mintery.units import NanoCredits, ceil_div
from mintery.usecases.shape_request import ShapedRequest

BYTES_PER_TOKEN = 4


class Metered(NamedTuple):
    """The charge: ``cost`` (nanocredits) follows from ``lines`` and is never above the hold."""

    lines: tuple[PricedLine, ...]
    source: UsageSource
    cost: NanoCredits


def meter_usage(quote: Quote, request: ShapedRequest, usage: Quantities | None, produced: int) -> Metered:
    """Charge for ``usage``; ``produced`` is the bytes that came back, for the estimate where ``usage`` is None."""
    if usage is None:
        source, used = UsageSource.ESTIMATED, _estimate(request, produced)
    elif _is_within(usage, request.most):
        source, used = UsageSource.PROVIDER, usage
    else:
        source, used = UsageSource.CLAMPED, _clamped(usage, request.most)
    lines = quote.at(_as_sold(quote.model, used))
    return Metered(lines, source, quote.cost(lines))


def _is_within(usage: Quantities, most: Quantities) -> bool:
    """Whether nothing is negative, and nothing together is above its bound. What has no bound must be zero."""
    room = dict(most)
    for unit, quantity in usage.items():
        bound = unit if unit in room else nearest(unit, room)
        left = (0 if bound is None else room[bound]) - quantity
        if left < 0 or quantity < 0:
            return False
        if bound is not None:
            room[bound] = left
    return True


def _clamped(usage: Quantities, most: Quantities) -> Quantities:
    """Within each bound the sum counts first, then the parts, and the unit that bounds them has the rest."""
    within: dict[str, list[str]] = {}
    for unit in sorted(usage):
        if (bound := nearest(unit, most)) is not None:
            within.setdefault(bound, []).append(unit)
    used: dict[str, int] = {}
    for bound, units in within.items():
        room = _between(sum(usage[unit] for unit in units), most[bound])
        for part in _parts_first(units, bound):
            used[part] = room if part == bound else _between(usage[part], room)
            room -= used[part]
    return used


def _parts_first(units: Iterable[str], bound: str) -> list[str]:
    return sorted(units, key=lambda unit: unit == bound)


def _between(quantity: int, most: int) -> int:
    return min(max(quantity, 0), most)


def _as_sold(model: Model, used: Quantities) -> Quantities:
    sold: dict[str, int] = {}
    for unit, quantity in used.items():
        as_unit = unit if unit in model.units else nearest(unit, model.units)
        if as_unit is not None:
            sold[as_unit] = sold.get(as_unit, 0) + quantity
    sold[Unit.REQUEST] = 1
    return sold


def _estimate(request: ShapedRequest, produced: int) -> Quantities:
    tokens: Quantities = {
        Unit.INPUT_TOKEN: ceil_div(len(request.body), BYTES_PER_TOKEN),
        Unit.OUTPUT_TOKEN: ceil_div(produced, BYTES_PER_TOKEN),
    }
    return {unit: min(tokens[unit], most) for unit, most in request.most.items() if unit in tokens}
