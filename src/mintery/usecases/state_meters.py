"""The gateway's state and its prices as Prometheus metrics, read when they are asked for."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from mintery.domain.gateway_state import GatewayState, state_of
from mintery.errors import ChainError, NotAvailable
from mintery.usecases.list_models import price_states, priced_states
from mintery.usecases.parts import GatewayParts


class StateMeters(Collector):
    """One sample for each state of the gateway, and one for each SKU in the state that it is in."""

    def __init__(self, parts: GatewayParts) -> None:
        self._parts = parts

    def collect(self) -> Iterable[GaugeMetricFamily]:
        parts = self._parts
        gateway = GaugeMetricFamily("mintery_gateway_state", "1 for the state that the gateway is in", labels=["state"])
        skus = GaugeMetricFamily("mintery_price_state", "1 for the state of each price", labels=["sku", "state"])
        ages = GaugeMetricFamily("mintery_price_age_seconds", "Since a quorum last saw the price", labels=["sku"])
        try:
            market = parts.market()
        except (NotAvailable, ChainError):
            state = GatewayState.UNREAD
        else:
            now = parts.chain_now(market)
            state = state_of(market, priced_states(parts, market), now)
            for model in parts.models.values():
                for entry in price_states(parts, market, model):
                    skus.add_metric([entry["sku"], entry["state"]], 1)
                for sku in model.skus:
                    if (price := market.prices.get(sku)) is not None:
                        ages.add_metric([str(sku)], now - price.refreshed_at)
        for each in GatewayState:
            gateway.add_metric([each.value], each is state)
        return (gateway, skus, ages)
