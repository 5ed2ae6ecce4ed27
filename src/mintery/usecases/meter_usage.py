"""From what a provider reports to what is charged.

- Its figures are believed as they are, zero included, within the bounds that the quote was made with.
- Figures that are negative or above a bound are clamped into it, marked, and alarmed: what lies above the hold is the
  operator's loss.
- What is not sold by itself is charged as what it is part of: cached input as input where it has no price of its own. What
  is told whole where only a part of it is sold, output where sound is, is charged as that part, and marked as estimated.
- What follows exactly from what was asked, the characters to be spoken or the request itself, is counted there.
- Missing figures are estimated, never above the bounds, and marked: one token for each ``BYTES_PER_TOKEN`` bytes, rounded
  up, of the text that was sent upstream and of the text that came back; a picture, and pictures and sound that were made,
  at their bound; a recording at a second for each ``BYTES_PER_SECOND`` and ten tokens a second. A stream that broke is
  charged like this for what was delivered.
- Figures that a stream told on its way are not its last ones. Where those do not come, what it told of the input stands; of
  the output the more is charged of what it told and of what the text that came is estimated at. That is marked as an estimate.
- Where the caller's own key pays the provider, the gateway's fee is the charge, whatever is used.
- An answer that is longer than the gateway carries was made all the same, and by what was asked: without figures, what
  went in is estimated like this, and what came out is charged at its bound.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from mintery.domain.model import PART_OF, Endpoint, Model, Quantities, Unit, is_input, nearest
from mintery.domain.quote import PricedLine, Quote, UsageSource
from mintery.domain.tiers import parse_unit
from mintery.units import NanoCredits, ceil_div
from mintery.usecases.shaped import ShapedRequest

BYTES_PER_TOKEN = 4
BYTES_PER_SECOND = 16_000
"""128 kbit/s, as most recordings are kept."""
TOKENS_PER_SECOND = 10
_MADE = {Endpoint.IMAGES: Unit.IMAGE_OUTPUT_TOKEN, Endpoint.SPEECH: Unit.AUDIO_OUTPUT_TOKEN}
"""Output whose tokens do not follow from its bytes."""
_BY_BYTES = frozenset({Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN, Unit.SECOND})
"""Families that the estimate has a rule for."""


class Metered(NamedTuple):
    """The charge: ``cost`` (nanocredits) follows from ``lines`` and is never above the hold."""

    lines: tuple[PricedLine, ...]
    source: UsageSource
    cost: NanoCredits


def meter_usage(quote: Quote, request: ShapedRequest, usage: Quantities | None, produced: int) -> Metered:
    """Charge for ``usage``; ``produced`` is the bytes that came back, for the estimate where ``usage`` is None."""
    if quote.own_key:
        return Metered(quote.fees, UsageSource.COUNTED, quote.cost(quote.fees))
    sold = families(quote.model.units)
    if sold <= request.known.keys():
        source, used = (UsageSource.PROVIDER if usage is not None and not sold else UsageSource.COUNTED), request.known
    elif usage is not None and _is_told(sold, quote.model.units, frozenset(_as_asked(request, usage))):
        source, used = _believed(quote.model, request, usage)
    else:
        source, used = UsageSource.ESTIMATED, _estimated(quote, request, usage, _estimate(request, produced))
    lines = quote.at(_as_sold(quote.model, used))
    return Metered(lines, source, quote.cost(lines))


def meter_unfinished(quote: Quote, request: ShapedRequest, told: Quantities, produced: int) -> Metered:
    """Charge for a stream that ended without its last figures; ``told`` is what it told on its way."""
    told = _as_asked(request, told)
    out = sum(quantity for unit, quantity in told.items() if _widest(unit) == Unit.OUTPUT_TOKEN)
    if (more := _estimate(request, produced).get(Unit.OUTPUT_TOKEN, 0) - out) > 0:
        told = {**told, Unit.OUTPUT_TOKEN: told.get(Unit.OUTPUT_TOKEN, 0) + more}
    metered = meter_usage(quote, request, told, produced)
    return metered._replace(source=UsageSource.ESTIMATED) if metered.source is UsageSource.PROVIDER else metered


def told_of_input(told: Quantities) -> Quantities:
    """What figures of the middle of a stream say for good."""
    return {unit: quantity for unit, quantity in told.items() if is_input(unit)}


def meter_uncarried(quote: Quote, request: ShapedRequest, usage: Quantities | None) -> Metered:
    """Charge for an answer that was longer than we carry, by what is known for good of what it used."""
    metered = meter_usage(quote, request, usage, 0)
    if metered.source is not UsageSource.ESTIMATED:
        return metered
    made = {unit: most for unit, most in request.most.items() if _widest(unit) not in _BY_BYTES}
    endless = BYTES_PER_TOKEN * max(request.most.values())
    used = _estimated(quote, request, usage, {**_estimate(request, endless), **made})
    lines = quote.at(_as_sold(quote.model, used))
    return Metered(lines, UsageSource.BOUND, quote.cost(lines))


@lru_cache(1_024)
def _is_told(sold: frozenset[str], units: frozenset[str], reported: frozenset[str]) -> bool:
    """Whether some of each family that is sold is reported in units that can be charged."""
    return sold <= families(frozenset(unit for unit in reported if nearest(unit, units) is not None))


def _as_asked(request: ShapedRequest, usage: Quantities) -> Quantities:
    """By the variants that were asked for."""
    if not request.variants:
        return usage
    return {request.variants.get(unit, unit): quantity for unit, quantity in usage.items()}


def _believed(model: Model, request: ShapedRequest, usage: Quantities) -> tuple[UsageSource, Quantities]:
    """As reported where that is within the bounds of what is sold; else clamped."""
    if request.variants or request.known:
        usage = {**_as_asked(request, usage), **request.known}
    if _is_within(usage, request.most):
        return UsageSource.PROVIDER, usage
    sold = {unit: quantity for unit, quantity in usage.items() if nearest(unit, model.units) is not None}
    if _is_within(sold, request.most):
        return UsageSource.PROVIDER, sold
    return UsageSource.CLAMPED, _clamped(sold, request.most)


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


@lru_cache(1_024)
def families(units: frozenset[str]) -> frozenset[str]:
    """The widest unit of each; without the request, which is always one."""
    return frozenset(_widest(unit) for unit in units) - {Unit.REQUEST}


def _widest(unit: str) -> str:
    base = unit.partition(".")[0]
    while base in PART_OF:
        base = PART_OF[base]
    return base


def _estimated(quote: Quote, request: ShapedRequest, usage: Quantities | None, estimate: Quantities) -> Quantities:
    """What was told, and the rest estimated: a provider may tell seconds where tokens are sold."""
    told = {} if usage is None else _as_parts(quote, request, _believed(request.model, request, usage)[1])
    units = request.model.units
    known = families(frozenset(unit for unit in told if nearest(unit, units) is not None))
    rest = {unit: quantity for unit, quantity in estimate.items() if _widest(unit) not in known}
    return {**_as_parts(quote, request, rest), **told}


def _as_parts(quote: Quote, request: ShapedRequest, used: Quantities) -> Quantities:
    """A whole of which only parts are sold, as the dearest of them that its bound covers, unless a part is there beside it."""
    units = quote.model.units
    there = families(frozenset(unit for unit in used if nearest(unit, units) is not None))
    parts: dict[str, int] = {}
    for unit, quantity in used.items():
        narrow = _widest(unit) not in there and nearest(unit, units) is None
        part = _dearest_part(quote, request.most, unit) if narrow else unit
        parts[part] = parts.get(part, 0) + quantity
    return parts


def _dearest_part(quote: Quote, most: Quantities, whole: str) -> str:
    """``whole`` itself where nothing of it is sold."""
    model, bound = quote.model, nearest(whole, most)
    usd = {
        parse_unit(line.sku.unit, model.windows).unit if quote.tiers else line.sku.unit: line.unit_price
        for line in quote.lines
    }
    parts = [part for part in model.units if nearest(part, (whole,)) is not None and nearest(part, most) == bound]
    return max(parts, key=lambda part: (usd[part], part), default=whole)


def _estimate(request: ShapedRequest, produced: int) -> Quantities:
    text = ceil_div(len(request.body) - request.media_bytes, BYTES_PER_TOKEN)
    seconds = ceil_div(request.media_bytes, BYTES_PER_SECOND)
    estimated: Quantities = {
        Unit.INPUT_TOKEN: text + request.media_tokens,
        Unit.OUTPUT_TOKEN: ceil_div(produced, BYTES_PER_TOKEN),
        Unit.SECOND: seconds,
        Unit.AUDIO_INPUT_TOKEN: seconds * TOKENS_PER_SECOND,
        **request.known,
    }
    within = {unit: min(estimated[unit], most) for unit, most in request.most.items() if unit in estimated}
    made = _MADE.get(request.endpoint)
    bound = None if made is None else nearest(made, request.most)
    if made is None or bound is None:
        return within
    within.pop(bound, None)
    return {**within, made: request.most[bound]}
