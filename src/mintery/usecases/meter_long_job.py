"""From what a provider says of a job that is done to what is charged.

- Its figures are believed as they are, zero included, within the bounds that the quote was made with; outside of them they
  are clamped, marked, and alarmed: what lies above the hold is the operator's loss.
- What it does not say is charged as it was asked for: eight seconds are eight seconds.
- What only the provider could have said, and did not, is charged at its bound, and marked.
- What the gateway itself charges for is charged as it was quoted.
"""

from mintery.domain.long_job import JobQuote
from mintery.domain.model import Quantities
from mintery.domain.quote import UsageSource, total_cost
from mintery.units import nanocredits_up
from mintery.usecases.meter_usage import Metered


def meter_long_job(quote: JobQuote, usage: Quantities) -> Metered:
    """``usage`` is what the provider reported, unchecked."""
    told = {quote.variants.get(unit, unit): quantity for unit, quantity in usage.items()}
    most = {line.sku.unit: line.quantity for line in quote.sold}
    used = {unit: told.get(unit, quote.asked.get(unit, bound)) for unit, bound in most.items()}
    within = {unit: min(max(quantity, 0), most[unit]) for unit, quantity in used.items()}
    own = [line._replace(quantity=within[line.sku.unit]) for line in quote.sold if within[line.sku.unit]]
    lines = (*own, *quote.fees)
    cost = nanocredits_up(total_cost(lines), quote.quoted.par, quote.quoted.markup)
    return Metered(lines, _source(quote, most, told, clamped=within != used), cost)


def _source(quote: JobQuote, most: Quantities, told: Quantities, *, clamped: bool) -> UsageSource:
    if clamped:
        return UsageSource.CLAMPED
    sold = {unit for unit, bound in most.items() if bound}
    if not sold <= told.keys() | quote.asked.keys():
        return UsageSource.BOUND
    return UsageSource.COUNTED if sold.isdisjoint(told) else UsageSource.PROVIDER
