"""Ask every price source for every SKU of the oracle."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from mintery.domain.observation import Observation, Observed, Unroutable, observe
from mintery.providers.price_lists import PriceList
from mintery.units import UsdWad


def observe_prices(lists: Sequence[PriceList], skus: Iterable[str], now: datetime) -> tuple[Observation, ...]:
    """One observation for each SKU; ``lists`` in the order of the operator's trust."""
    return tuple(observe(sku, [prices.price_of(sku, now) for prices in lists]) for sku in skus)


def prices_of(observations: Iterable[Observation]) -> dict[str, UsdWad]:
    return {seen.sku: seen.usd for seen in observations if isinstance(seen, Observed)}


def unroutable(observations: Iterable[Observation]) -> tuple[Unroutable, ...]:
    return tuple(seen for seen in observations if isinstance(seen, Unroutable))
