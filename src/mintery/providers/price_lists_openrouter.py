"""A provider's own ``/v1/models``, where it tells prices in OpenRouter's form: USD for one unit, as text.

The form: https://openrouter.ai/docs/api-reference/models (``pricing``, and its conditional ``overrides``). Prices of an
override count from ``min_prompt_tokens`` on, and between ``utc_start`` and ``utc_end``; under any other condition the model
stays unpriced, and so it does where ``-1`` says that its price varies.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from mintery.domain.model import Unit
from mintery.domain.observation import NoPrice, SourceAnswer
from mintery.domain.tiers import Window, parse_window
from mintery.errors import FetchFailed, MalformedWindow
from mintery.providers.charges import (
    MOST_STEPS,
    Charge,
    Declaration,
    Listed,
    Unpriced,
    answer_for,
    price_of_one,
    read_number,
)
from mintery.providers.exact_json import parse_exactly
from mintery.units import UsdWad

KEYS: Mapping[str, str] = {
    Unit.INPUT_TOKEN: "prompt",
    Unit.CACHED_INPUT_TOKEN: "input_cache_read",
    Unit.CACHE_WRITE_TOKEN: "input_cache_write",
    f"{Unit.CACHE_WRITE_TOKEN}.1h": "input_cache_write_1h",
    Unit.IMAGE_INPUT_TOKEN: "image_token",
    Unit.AUDIO_INPUT_TOKEN: "audio",
    Unit.CACHED_AUDIO_TOKEN: "input_audio_cache",
    Unit.OUTPUT_TOKEN: "completion",
    Unit.REASONING_TOKEN: "internal_reasoning",
    Unit.AUDIO_OUTPUT_TOKEN: "audio_output",
    Unit.IMAGE: "image_output",
    Unit.REQUEST: "request",
}
VARIES = Decimal(-1)
KEPT = timedelta(seconds=60)
"""How long a fetched list, or the failure to fetch it, is not asked for again."""
_CONDITIONS = frozenset({"min_prompt_tokens", "utc_start", "utc_end"})
_PRICES = frozenset({*KEYS.values(), "image", "web_search", "discount"})

Fetch = Callable[[str], bytes]
"""The body behind a URL. Raises FetchFailed."""


class ModelsPage:
    """The prices of one provider's models, read from ``url`` at most once in ``KEPT``."""

    def __init__(self, provider: str, url: str, models: Mapping[str, Declaration], fetch: Fetch) -> None:
        self.name = f"{provider}'s models page"
        self._provider = provider
        self._url = url
        self._models = models
        self._fetch = fetch
        self._kept: tuple[datetime, Mapping[str, Mapping[str, Any]] | str] | None = None

    def price_of(self, sku: str, now: datetime) -> SourceAnswer:
        if sku.partition("/")[0] != self._provider:
            return NoPrice(self.name, "not listed")
        found = self._read(now)
        if isinstance(found, str):
            return NoPrice(self.name, found)
        return answer_for(self.name, sku, self._models, lambda listed: _charge(found, listed))

    def _read(self, now: datetime) -> Mapping[str, Mapping[str, Any]] | str:
        """``pricing`` by the provider's own model names, or why there is none."""
        if self._kept is None or not timedelta(0) <= now - self._kept[0] < KEPT:
            try:
                found: Mapping[str, Mapping[str, Any]] | str = _pricing(parse_exactly(self._fetch(self._url)))
            except (FetchFailed, Unpriced) as error:
                found = f"the page cannot be read: {error}"
            self._kept = (now, found)
        return self._kept[1]


def _pricing(page: Any) -> Mapping[str, Mapping[str, Any]]:
    models = page.get("data") if isinstance(page, dict) else None
    if not isinstance(models, list):
        raise Unpriced("it has no list of models")
    pricing = {}
    for model in models:
        if isinstance(model, dict) and isinstance(model.get("id"), str) and isinstance(model.get("pricing"), dict):
            if model["id"] in pricing:
                raise Unpriced(f"it lists {model['id'][:80]} twice")
            pricing[model["id"]] = model["pricing"]
    return pricing


def _charge(pricing: Mapping[str, Mapping[str, Any]], listed: Listed) -> Charge:
    key = KEYS.get(listed.metered.unit)
    prices = next((pricing[name] for name in listed.names if name in pricing), None)
    if key is None or prices is None or prices.get(key) is None:
        raise Unpriced("not listed")
    if prices.get("discount"):
        raise Unpriced("it has a discount whose base it does not tell")
    listed_overrides = prices.get("overrides") or []
    if not isinstance(listed_overrides, list):
        raise Unpriced("its price has a condition that is not read")
    if len(listed_overrides) > MOST_STEPS:
        raise Unpriced("its price has too many conditions")
    overrides = [_read_override(override, key) for override in listed_overrides]
    dearer = [override for override in overrides if override.price is not None]

    def at(inputs: int, minute: int) -> UsdWad:
        """Of those that apply, the last wins."""
        price = read_number(prices[key])
        for override in dearer:
            if override.applies(inputs, minute) and override.price is not None:
                price = override.price
        if price == VARIES:
            raise Unpriced("its price varies")
        return price_of_one(price)

    return Charge(
        at,
        frozenset(override.least for override in dearer),
        frozenset(edge for override in dearer for window in override.windows for edge in (window.start, window.end)),
    )


@dataclass(frozen=True, slots=True)
class _Override:
    """``price`` None: it changes other units alone. ``least``: input tokens."""

    price: Decimal | None
    least: int
    windows: Sequence[Window]

    def applies(self, inputs: int, minute: int) -> bool:
        return inputs >= self.least and all(window.covers(minute) for window in self.windows)


def _read_override(override: Any, key: str) -> _Override:
    if not isinstance(override, dict) or not set(override) <= _CONDITIONS | _PRICES:
        raise Unpriced("its price has a condition that is not read")
    least = read_number(override.get("min_prompt_tokens", 0))
    if least < 0 or least != least.to_integral_value() or least.adjusted() > 18:
        raise Unpriced("its price has a condition that is not read")
    windows = []
    if (times := (override.get("utc_start"), override.get("utc_end"))) != (None, None):
        try:
            windows.append(parse_window("listed", *map(str, times)))
        except MalformedWindow:
            raise Unpriced("its price has a time of day that is not read") from None
    price = override.get(key)
    return _Override(None if price is None else read_number(price), int(least), windows)
