"""LiteLLM's price file, as a file: nothing of LiteLLM itself is imported or asked.

An entry's prices are USD for one unit; ``…_above_200k_tokens`` beside one is its price where the input is longer. Prices of
other service tiers and of batches are passed over; a schedule that this reader does not know leaves the model unpriced.
The file says nothing of its own age, so its time of modification does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mintery.domain.model import Unit
from mintery.domain.observation import NoPrice, SourceAnswer
from mintery.errors import MalformedFile
from mintery.providers.charges import Charge, Declaration, Listed, Unpriced, answer_for, price_of_one, read_number
from mintery.providers.exact_json import parse_exactly
from mintery.units import UsdWad

KEYS: Mapping[str, str] = {
    Unit.INPUT_TOKEN: "input_cost_per_token",
    Unit.CACHED_INPUT_TOKEN: "cache_read_input_token_cost",
    Unit.CACHE_WRITE_TOKEN: "cache_creation_input_token_cost",
    f"{Unit.CACHE_WRITE_TOKEN}.1h": "cache_creation_input_token_cost_above_1hr",
    Unit.IMAGE_INPUT_TOKEN: "input_cost_per_image_token",
    Unit.AUDIO_INPUT_TOKEN: "input_cost_per_audio_token",
    Unit.OUTPUT_TOKEN: "output_cost_per_token",
    Unit.REASONING_TOKEN: "output_cost_per_reasoning_token",
    Unit.IMAGE_OUTPUT_TOKEN: "output_cost_per_image_token",
    Unit.AUDIO_OUTPUT_TOKEN: "output_cost_per_audio_token",
    Unit.IMAGE: "output_cost_per_image",
    Unit.SECOND: "input_cost_per_second",
    Unit.CHARACTER: "input_cost_per_character",
}
SCHEDULES = ("tiered_pricing", "off_peak_pricing", "time_of_use_pricing")
MOST_BYTES = 32 * 1024 * 1024
_THOUSAND = 1_000
_FIRST_DEARER = 1


@dataclass(frozen=True, slots=True)
class LiteLLMFile:
    """``entries`` by the file's own model names; good until ``valid_until``."""

    name: str
    entries: Mapping[str, Any]
    valid_until: datetime
    models: Mapping[str, Declaration]

    def price_of(self, sku: str, now: datetime) -> SourceAnswer:
        if now >= self.valid_until:
            return NoPrice(self.name, f"the file is too old: nobody renewed it before {self.valid_until:%Y-%m-%d}")
        return answer_for(self.name, sku, self.models, self._charge)

    def _charge(self, listed: Listed) -> Charge:
        entry, key = self._entry(listed), KEYS.get(listed.metered.unit)
        if key is None or entry is None or entry.get(key) is None:
            raise Unpriced("not listed")
        if any(schedule in entry for schedule in SCHEDULES):
            raise Unpriced("its price follows a schedule that is not read")
        above = re.compile(rf"{key}_above_([0-9]{{1,6}})k_tokens")
        longer = {int(found[1]) * _THOUSAND: key_ for key_ in entry if (found := above.fullmatch(key_))}
        if listed.windows:
            raise Unpriced("it does not price by the time of day")

        def at(inputs: int, _minute: int) -> UsdWad:
            passed = [boundary for boundary in longer if inputs > boundary]
            return price_of_one(read_number(entry[longer[max(passed)] if passed else key]))

        return Charge(at, frozenset(boundary + _FIRST_DEARER for boundary in longer))

    def _entry(self, listed: Listed) -> Mapping[str, Any] | None:
        """Under ``provider/model``, or under the model's bare name where it says that it is of that provider."""
        for name in listed.names:
            full, bare = self.entries.get(f"{listed.provider}/{name}"), self.entries.get(name)
            if isinstance(full, dict):
                return full
            if isinstance(bare, dict) and bare.get("litellm_provider") == listed.provider:
                return bare
        return None


def read_litellm_file(path: Path, models: Mapping[str, Declaration], *, longest_age: timedelta) -> LiteLLMFile:
    """``longest_age`` since the file was last modified.

    Raises:
        MalformedFile
    """
    try:
        stat = path.stat()
        if stat.st_size > MOST_BYTES:
            raise MalformedFile(str(path), f"it has {stat.st_size} bytes; the limit is {MOST_BYTES}")
        entries = parse_exactly(path.read_bytes())
    except OSError as error:
        raise MalformedFile(str(path), f"cannot be read: {error.strerror}") from None
    except Unpriced as error:
        raise MalformedFile(str(path), str(error)) from None
    if not isinstance(entries, dict):
        raise MalformedFile(str(path), "it is no JSON object")
    modified = datetime.fromtimestamp(stat.st_mtime, UTC)
    return LiteLLMFile(path.name, entries, modified + longest_age, models)
