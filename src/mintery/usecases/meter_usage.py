"""From what a provider reports to what is charged.

- Its figures are believed as they are, zero included, within the bounds that the quote was made with.
- Figures that are negative or above a bound are clamped into it, marked, and alarmed: what lies above the hold is the
  operator's loss.
- Missing figures are estimated at one token for each ``BYTES_PER_TOKEN`` bytes, rounded up, of the body that was sent
  upstream and of the text that came back, never above the bounds, and marked. A stream that broke is charged like this
  for what was delivered.
"""

from typing import NamedTuple

from mintery.domain.model import Unit
from mintery.domain.quote import PricedLine, Quote, UsageSource
from mintery.providers.calls import Usage
from mintery.units import NanoCredits, ceil_div
from mintery.usecases.shape_request import ShapedRequest

BYTES_PER_TOKEN = 4


class Metered(NamedTuple):
    """The charge: ``cost`` (nanocredits) follows from ``lines`` and is never above the hold."""

    lines: tuple[PricedLine, ...]
    source: UsageSource
    cost: NanoCredits


def meter_usage(quote: Quote, request: ShapedRequest, usage: Usage | None, produced: int) -> Metered:
    """Charge for ``usage``; ``produced`` is the bytes that came back, for the estimate where ``usage`` is None."""
    source = UsageSource.PROVIDER if usage is not None else UsageSource.ESTIMATED
    reported = usage or _estimate(request, produced)
    prompt = min(max(reported.prompt, 0), request.most_input)
    completion = min(max(reported.completion, 0), request.most_output)
    cached = min(max(reported.cached, 0), prompt)
    if usage is not None and (prompt, completion, cached) != (usage.prompt, usage.completion, usage.cached):
        source = UsageSource.CLAMPED

    if Unit.CACHED_INPUT_TOKEN not in quote.model.units:
        cached = 0
    lines = quote.at(
        {
            Unit.INPUT_TOKEN: prompt - cached,
            Unit.CACHED_INPUT_TOKEN: cached,
            Unit.OUTPUT_TOKEN: completion,
            Unit.REQUEST: 1,
        }
    )
    return Metered(lines, source, quote.cost(lines))


def _estimate(request: ShapedRequest, produced: int) -> Usage:
    return Usage(
        prompt=min(ceil_div(len(request.body), BYTES_PER_TOKEN), request.most_input),
        completion=min(ceil_div(produced, BYTES_PER_TOKEN), request.most_output),
    )
