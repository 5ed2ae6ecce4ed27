"""The units that a model may be sold by, as the providers file lists them."""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from mintery.domain.model import PART_OF, Endpoint, Unit, nearest


def _known_unit(text: str) -> str:
    base, point, variant = text.partition(".")
    if base not in Unit.__members__.values():
        raise ValueError(f"{text[:80]!r} is no unit; there are {', '.join(Unit)}")
    if point and text not in VARIANTS and not ((sized := _SIZED.get(base)) and sized.fullmatch(variant)):
        raise ValueError(
            f"{text[:80]!r}: pictures have variants by size or size-quality, seconds by size, and {', '.join(VARIANTS)}"
        )
    return text


def _with_wholes(units: frozenset[str]) -> frozenset[str]:
    """What is a part of something is sold beside it: else what is left of the whole would cost nothing."""
    for unit in sorted(units):
        whole = PART_OF.get(unit.partition(".")[0])
        while whole is not None and whole in PART_OF:
            whole = PART_OF[whole]
        if whole is not None and whole not in units:
            raise ValueError(f"{unit} is part of {whole}, which has to be sold too")
    return units


VARIANTS = ("cache_write_token.1h",)
_SIZED = {
    Unit.IMAGE.value: re.compile(r"[a-z0-9]{1,16}(-[a-z0-9]{1,16})?"),
    Unit.SECOND.value: re.compile(r"[0-9]{2,5}(x[0-9]{2,5}|p)"),
}
SoldUnits = Annotated[frozenset[Annotated[str, AfterValidator(_known_unit)]], AfterValidator(_with_wholes)]
"""The units of one model."""

_TOKENS = frozenset({Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN, Unit.REQUEST})
METERED: Mapping[Endpoint, frozenset[Unit]] = {
    Endpoint.CHAT: _TOKENS,
    Endpoint.RESPONSES: _TOKENS,
    Endpoint.EMBEDDINGS: _TOKENS - {Unit.OUTPUT_TOKEN},
    Endpoint.MODERATION: _TOKENS - {Unit.OUTPUT_TOKEN},
    Endpoint.IMAGES: _TOKENS | {Unit.IMAGE},
    Endpoint.SPEECH: _TOKENS | {Unit.CHARACTER},
    Endpoint.TRANSCRIPTION: _TOKENS | {Unit.SECOND},
    Endpoint.VIDEOS: frozenset({Unit.SECOND, Unit.REQUEST}),
    Endpoint.JOBS: frozenset(Unit),
}
"""What requests at each endpoint are bounded in, and their answers counted."""


def unmetered(units: frozenset[str], endpoint: Endpoint) -> bool:
    """Whether nothing at that endpoint could ever be charged."""
    return not any(nearest(unit, METERED[endpoint]) for unit in units)
