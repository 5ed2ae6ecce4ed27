"""The units that a model may be sold by, as the providers file lists them."""

import re
from typing import Annotated

from pydantic import AfterValidator

from mintery.domain.model import PART_OF, Unit


def _known_unit(text: str) -> str:
    base, point, variant = text.partition(".")
    if base not in Unit.__members__.values():
        raise ValueError(f"{text[:80]!r} is no unit; there are {', '.join(Unit)}")
    if point and text not in VARIANTS and not (base == Unit.IMAGE and _PICTURE.fullmatch(variant)):
        raise ValueError(
            f"{text[:80]!r}: pictures alone have variants, by size or size-quality, and {', '.join(VARIANTS)}"
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
_PICTURE = re.compile(r"[a-z0-9]{1,16}(-[a-z0-9]{1,16})?")
SoldUnits = Annotated[frozenset[Annotated[str, AfterValidator(_known_unit)]], AfterValidator(_with_wholes)]
"""The units of one model."""
