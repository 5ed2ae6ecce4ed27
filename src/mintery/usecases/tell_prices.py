"""Tell the operator of prices that grow old, and of those that a leap waits to replace."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from mintery.domain.market import Market
from mintery.domain.model import Model
from mintery.domain.price import FreshnessLimits, PriceState
from mintery.units import UnixSeconds
from mintery.usecases.alarms import Alarm, Alarms

STALE = frozenset({PriceState.SOFT_STALE, PriceState.HARD_STALE})


def tell_prices(
    market: Market, models: Mapping[str, Model], limits: FreshnessLimits, alarms: Alarms, now: datetime
) -> None:
    """Of what ``models`` sell. An alarm names the first SKU and how many there are; it falls when there is none."""
    at = UnixSeconds(max(market.block_time, int(now.timestamp())))
    skus = sorted({sku for model in models.values() for sku in model.skus})
    prices = [price for sku in skus if (price := market.prices.get(sku)) is not None]
    stale = [
        f"{price.sku} was last seen {at - price.refreshed_at} s ago"
        for price in prices
        if price.state_at(at, limits) in STALE
    ]
    queued = [f"{price.sku} waits for another price, which may be vetoed" for price in prices if price.queued]
    _tell(Alarm.PRICES_STALE, stale, alarms, now)
    _tell(Alarm.PRICES_QUEUED, queued, alarms, now)


def _tell(alarm: Alarm, found: Sequence[str], alarms: Alarms, now: datetime) -> None:
    if found:
        alarms.sound(alarm, f"{found[0]} ({len(found)} in all)", now)
    else:
        alarms.clear(alarm)
