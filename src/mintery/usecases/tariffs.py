"""Tariffs by model, made once for each reading of the market."""

from collections.abc import Iterable, Mapping

from mintery.domain.market import Market
from mintery.domain.model import Model
from mintery.domain.observation import Flaw, Unroutable
from mintery.domain.quote import Tariff, tariff_of
from mintery.errors import SkuUnroutable


class Tariffs:
    """Safe to share between threads: a reading and its tariffs are replaced together, and made twice at worst."""

    def __init__(self) -> None:
        self._newest: tuple[Market, dict[str, Tariff]] | None = None
        self._flawed: Mapping[str, Unroutable] = {}
        self.noted = 0
        """How often that has changed: what was made of tariffs before is not good any more."""

    @property
    def flawed(self) -> Mapping[str, Unroutable]:
        """What the price sources here say no price of, by SKU."""
        return self._flawed

    def note(self, flawed: Iterable[Unroutable]) -> None:
        """From now on nothing is sold whose sources say nonsense or contradict each other. Where they only lack a price,
        the oracle's own is good until it grows stale: other reporters may know more.
        """
        found = {each.sku: each for each in flawed}
        if found != self._flawed:
            self._flawed = found
            self._newest = None
            self.noted += 1

    def of(self, market: Market, model: Model) -> Tariff:
        """Raises ModelUnpriced, SkuUnroutable."""
        newest = self._newest
        if newest is None or newest[0] is not market:
            newest = self._newest = (market, {})
        tariffs = newest[1]
        if (known := tariffs.get(model.id)) is None or known.model is not model:
            self._check_routable(model)
            known = tariffs[model.id] = tariff_of(model, market.prices)
        return known

    def _check_routable(self, model: Model) -> None:
        flawed = self._flawed
        if not flawed:
            return
        for sku in model.skus:
            flaw = flawed.get(str(sku))
            if flaw is not None and flaw.flaw is not Flaw.ABSENT:
                raise SkuUnroutable(str(sku), flaw.why, retry_after=60)
