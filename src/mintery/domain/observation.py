"""What the sources of a price say, and what follows from it. Never a guessed price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mintery.units import UsdWad

MOST_DISAGREEMENT_BPS = 50
"""Sources that differ by more than 0.5 % of the lowest do not agree."""
ONE_IN_BPS = 10_000
MAX_PRICE = UsdWad(2**128 - 1)
"""What a price report can carry."""


@dataclass(frozen=True, slots=True)
class SourcePrice:
    """One source's price of a SKU, 1e-18 USD per unit."""

    source: str
    usd: UsdWad


@dataclass(frozen=True, slots=True)
class NoPrice:
    """A source that cannot price a SKU, and why."""

    source: str
    why: str


@dataclass(frozen=True, slots=True)
class NonsensePrice:
    """A source that gives a price that can be none: what else it says is not believed either, nor outvoted."""

    source: str
    why: str


SourceAnswer = SourcePrice | NoPrice | NonsensePrice


@dataclass(frozen=True, slots=True)
class Observed:
    """A price that every source with one agrees on: that of the most trusted of them."""

    sku: str
    usd: UsdWad
    sources: tuple[SourcePrice, ...]


class Flaw(StrEnum):
    """What is wrong with a price."""

    ABSENT = "absent"
    """No source has one: others may know more, and the oracle's own grows stale where nobody does."""
    NONSENSE = "nonsense"
    """A source says what can be no price."""
    DISAGREEMENT = "disagreement"
    """The sources contradict each other."""


@dataclass(frozen=True, slots=True)
class Unroutable:
    """A SKU that is not for sale for want of a price, and why."""

    sku: str
    why: str
    flaw: Flaw = Flaw.ABSENT


Observation = Observed | Unroutable


def observe(sku: str, answers: Sequence[SourceAnswer]) -> Observation:
    """``answers`` are in the order of the operator's trust."""
    for answer in answers:
        if isinstance(answer, NonsensePrice):
            return Unroutable(sku, f"{answer.source}: {answer.why}", Flaw.NONSENSE)
    prices = tuple(answer for answer in answers if isinstance(answer, SourcePrice))
    if not prices:
        reasons = "; ".join(f"{answer.source}: {answer.why}" for answer in answers if isinstance(answer, NoPrice))
        return Unroutable(sku, f"no source has a price ({reasons or 'there are no sources'})")
    for price in prices:
        if not 0 < price.usd <= MAX_PRICE:
            return Unroutable(sku, f"{price.source} says {price.usd} (1e-18 USD), which is no price", Flaw.NONSENSE)
    lowest, highest = min(price.usd for price in prices), max(price.usd for price in prices)
    if (highest - lowest) * ONE_IN_BPS > lowest * MOST_DISAGREEMENT_BPS:
        said = ", ".join(f"{price.source} {price.usd}" for price in prices)
        return Unroutable(sku, f"the sources disagree by more than 0.5 % ({said}, 1e-18 USD)", Flaw.DISAGREEMENT)
    return Observed(sku, prices[0].usd, prices)


@dataclass(frozen=True, slots=True)
class SkuState:
    """A SKU as the oracle has it. Prices are 1e-18 USD, 0 for none; times are unix seconds, 0 for never."""

    index: int
    in_force: UsdWad
    refreshed_at: int
    queued: UsdWad
    queued_at: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one reporter reports: SKUs by number, with the price where it differs from the one in force."""

    changed: Mapping[int, UsdWad]
    unchanged: frozenset[int]


def sighting(states: Mapping[str, SkuState], observed: Mapping[str, UsdWad]) -> Sighting:
    """SKUs that were not observed are left out, and grow stale."""
    seen = {states[sku]: usd for sku, usd in observed.items() if sku in states}
    return Sighting(
        changed={state.index: usd for state, usd in seen.items() if usd != state.in_force},
        unchanged=frozenset(state.index for state, usd in seen.items() if usd == state.in_force),
    )


def is_due(state: SkuState, usd: UsdWad, *, now: int, heartbeat: int, queue_delay: int) -> bool:
    """Whether reporting ``usd`` at ``now`` would change something in the oracle."""
    if usd == state.in_force:
        return bool(state.queued) or now - state.refreshed_at >= heartbeat
    if confirms(usd, state.queued):
        return now >= state.queued_at + queue_delay
    return True


def confirms(usd: UsdWad, queued: UsdWad) -> bool:
    """Within 2 % of the queued price, as the oracle counts it; nothing confirms where nothing is queued."""
    return bool(queued) and abs(usd - queued) * 50 <= queued
