"""Prices per SKU, how fresh they are, and what each state still allows."""

from dataclasses import dataclass
from enum import StrEnum

from mintery.errors import HoldAboveStaleLimit, MalformedSku, PriceQueued, PriceStale
from mintery.units import UnixSeconds, UsdWad


@dataclass(frozen=True, slots=True, order=True)
class Sku:
    """One metered unit with one price: ``provider/model:unit``."""

    model: str
    unit: str

    @classmethod
    def parse(cls, text: str) -> "Sku":
        model, colon, unit = text.rpartition(":")
        if not colon or "/" not in model or not unit or any(c.isspace() for c in text):
            raise MalformedSku(text)
        return cls(model, unit)

    @property
    def provider(self) -> str:
        return self.model.partition("/")[0]

    def __str__(self) -> str:
        return f"{self.model}:{self.unit}"


class PriceState(StrEnum):
    """What the freshness of a SKU's price allows, mildest first."""

    NORMAL = "normal"
    SOFT_STALE = "soft_stale"
    """Last seen longer ago than two heartbeats: holds up to one dollar."""
    QUEUED = "queued"
    """A new price waits for confirmation: no new holds."""
    HARD_STALE = "hard_stale"
    """Last seen longer ago than six heartbeats: 503."""


@dataclass(frozen=True, slots=True)
class FreshnessLimits:
    """Seconds since a quorum last saw a price; ``soft_hold`` is the largest hold while soft-stale."""

    heartbeat: int = 3_600
    soft: int = 7_200
    hard: int = 21_600
    soft_hold: UsdWad = UsdWad(10**18)


@dataclass(frozen=True, slots=True)
class PriceInForce:
    """A SKU's price as read at one block.

    Attributes:
        index: the SKU's number in the oracle.
        version: counts from 1 for each SKU.
        usd: 1e-18 USD per unit.
        refreshed_at: when a quorum last saw it.
        queued: a differing price waits in the oracle's queue.
    """

    sku: Sku
    index: int
    version: int
    usd: UsdWad
    refreshed_at: UnixSeconds
    queued: bool

    def state_at(self, now: UnixSeconds, limits: FreshnessLimits) -> PriceState:
        age = now - self.refreshed_at
        if age > limits.hard:
            return PriceState.HARD_STALE
        if self.queued:
            return PriceState.QUEUED
        if age > limits.soft:
            return PriceState.SOFT_STALE
        return PriceState.NORMAL


def check_sellable(price: PriceInForce, *, hold: UsdWad, now: UnixSeconds, limits: FreshnessLimits) -> PriceState:
    """Whether a hold of ``hold`` (1e-18 USD, over all its SKUs) may be taken at this price.

    Raises:
        PriceStale, PriceQueued, HoldAboveStaleLimit: each with the seconds after which to try again.
    """
    state = price.state_at(now, limits)
    if state is PriceState.NORMAL:
        return state
    name = str(price.sku)
    match state:
        case PriceState.HARD_STALE:
            raise PriceStale(name, age=now - price.refreshed_at, limit=limits.hard, retry_after=60)
        case PriceState.QUEUED:
            raise PriceQueued(name, retry_after=60)
        case PriceState.SOFT_STALE if hold > limits.soft_hold:
            raise HoldAboveStaleLimit(name, required=hold, limit=limits.soft_hold, retry_after=60)
        case _:
            return state
