"""Ask every price source for every SKU of the oracle."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime

from mintery.domain.observation import NonsensePrice, Observation, Observed, SourceAnswer, Unroutable, observe
from mintery.providers.price_lists import PriceList
from mintery.units import UsdWad

log = logging.getLogger(__name__)


def observe_prices(lists: Sequence[PriceList], skus: Iterable[str], now: datetime) -> tuple[Observation, ...]:
    """One observation for each SKU; ``lists`` in the order of the operator's trust."""
    return tuple(observe(sku, [_asked(prices, sku, now) for prices in lists]) for sku in skus)


def _asked(prices: PriceList, sku: str, now: datetime) -> SourceAnswer:
    try:
        return prices.price_of(sku, now)
    except Exception as error:  # the edge to what strangers wrote: it closes this SKU and no other
        log.exception("price unread", extra={"source": prices.name, "sku": sku})
        return NonsensePrice(prices.name, f"it cannot be read: {type(error).__name__}")


def prices_of(observations: Iterable[Observation]) -> dict[str, UsdWad]:
    return {seen.sku: seen.usd for seen in observations if isinstance(seen, Observed)}


def unroutable(observations: Iterable[Observation]) -> tuple[Unroutable, ...]:
    return tuple(seen for seen in observations if isinstance(seen, Unroutable))
