"""Tariffs by model, made once for each reading of the market."""

from mintery.domain.market import Market
from mintery.domain.model import Model
from mintery.domain.quote import Tariff, tariff_of


class Tariffs:
    """Safe to share between threads: a reading and its tariffs are replaced together, and made twice at worst."""

    def __init__(self) -> None:
        self._newest: tuple[Market, dict[str, Tariff]] | None = None

    def of(self, market: Market, model: Model) -> Tariff:
        """Raises ModelUnpriced."""
        newest = self._newest
        if newest is None or newest[0] is not market:
            newest = self._newest = (market, {})
        tariffs = newest[1]
        if (known := tariffs.get(model.id)) is None or known.model is not model:
            known = tariffs[model.id] = tariff_of(model, market.prices)
        return known
