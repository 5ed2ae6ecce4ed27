"""The prices that the genai-prices package ships; it asks no network."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import ConditionalPrice, ModelInfo, TieredPrices, TimeOfDateConstraint

from mintery.domain.model import Unit
from mintery.domain.observation import SourceAnswer
from mintery.domain.tiers import minute_of
from mintery.providers.charges import Charge, Declaration, Listed, Unpriced, answer_for, price_of_one
from mintery.units import UnixSeconds, UsdWad

_MILLION = 10**6
MEASURES: Mapping[str, tuple[str, int]] = {
    Unit.INPUT_TOKEN: ("input_mtok", _MILLION),
    Unit.CACHED_INPUT_TOKEN: ("cache_read_mtok", _MILLION),
    Unit.CACHE_WRITE_TOKEN: ("cache_write_mtok", _MILLION),
    f"{Unit.CACHE_WRITE_TOKEN}.1h": ("cache_write_1h_mtok", _MILLION),
    Unit.IMAGE_INPUT_TOKEN: ("input_image_mtok", _MILLION),
    Unit.CACHED_IMAGE_TOKEN: ("cache_image_read_mtok", _MILLION),
    Unit.AUDIO_INPUT_TOKEN: ("input_audio_mtok", _MILLION),
    Unit.CACHED_AUDIO_TOKEN: ("cache_audio_read_mtok", _MILLION),
    Unit.OUTPUT_TOKEN: ("output_mtok", _MILLION),
    Unit.REASONING_TOKEN: ("output_reasoning_mtok", _MILLION),
    Unit.IMAGE_OUTPUT_TOKEN: ("output_image_mtok", _MILLION),
    Unit.AUDIO_OUTPUT_TOKEN: ("output_audio_mtok", _MILLION),
    Unit.REQUEST: ("requests_kcount", 10**3),
    Unit.SECOND: ("audio_hours", 3_600),
    Unit.CHARACTER: ("input_mchars", _MILLION),
}
"""How genai-prices names a unit, and for how many of it a price is."""
_FIRST_DEARER = 1
"""Its tier begins with the token after its start."""


class GenaiPrices:
    """``models``: what is declared of a model (its provider's name for it, tiers, windows), by Mintery's id."""

    name = "genai-prices"

    def __init__(self, models: Mapping[str, Declaration] | None = None, snapshot: DataSnapshot | None = None) -> None:
        self._models = models or {}
        self._snapshot = snapshot or get_snapshot()

    def price_of(self, sku: str, now: datetime) -> SourceAnswer:
        return answer_for(self.name, sku, self._models, lambda listed: self._charge(listed, now))

    def _charge(self, listed: Listed, now: datetime) -> Charge:
        measure, model = MEASURES.get(listed.metered.unit), self._find(listed)
        if measure is None or model is None:
            raise Unpriced("not listed")
        key, units = measure
        midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)

        def listed_at(minute: int) -> Decimal | TieredPrices:
            price = getattr(model.get_prices(midnight + timedelta(minutes=minute)), key, None)
            if not isinstance(price, Decimal | TieredPrices):
                raise Unpriced(f"no price by {key}")
            return price

        def at(inputs: int, minute: int) -> UsdWad:
            price = listed_at(minute)
            if isinstance(price, TieredPrices):
                passed = [tier.price for tier in price.tiers if inputs > tier.start]
                price = passed[-1] if passed else price.base
            return price_of_one(price, units)

        minutes = _turns(model)
        tiered = [price for minute in {0, *minutes} if isinstance(price := listed_at(minute), TieredPrices)]
        return Charge(at, frozenset(tier.start + _FIRST_DEARER for price in tiered for tier in price.tiers), minutes)

    def _find(self, listed: Listed) -> ModelInfo | None:
        """Exact ids only: a likeness of names is no price."""
        for provider in self._snapshot.providers:
            if provider.id == listed.provider:
                by_id = {model.id: model for model in provider.models}
                return next((by_id[name] for name in listed.names if name in by_id), None)
        return None


def _turns(model: ModelInfo) -> frozenset[int]:
    """The minutes of the day at which its price may change."""
    conditional = model.prices if isinstance(model.prices, list) else []
    times = [
        edge
        for price in conditional
        if isinstance(price, ConditionalPrice) and isinstance(price.constraint, TimeOfDateConstraint)
        for edge in (price.constraint.start_time, price.constraint.end_time)
    ]
    if any(edge.second or edge.microsecond for edge in times):
        raise Unpriced("its price changes within a minute")
    return frozenset(_minute(edge) for edge in times)


def _minute(edge: time) -> int:
    zoned = edge if edge.tzinfo is not None else edge.replace(tzinfo=UTC)
    some_day = datetime.combine(datetime(1970, 1, 2, tzinfo=UTC).date(), zoned)
    return minute_of(UnixSeconds(int(some_day.timestamp())))
