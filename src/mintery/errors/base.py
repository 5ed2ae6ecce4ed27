"""The root of the tree, and what its branches share."""

import re
from collections.abc import Sequence

_REASONS_SHOWN = 3


class MinteryError(Exception):
    """The root. ``hint`` is one line on what to do about it, or empty."""

    hint: str = ""


def snake_case(name: str) -> str:
    """How an error's name is told to programs."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def no_route(asked: str, rejected: Sequence[tuple[str, MinteryError]]) -> str:
    """What a refusal of every route says."""
    listed = "; ".join(str(reason) for _, reason in rejected[:_REASONS_SHOWN])
    more = f"; and {len(rejected) - _REASONS_SHOWN} more" if len(rejected) > _REASONS_SHOWN else ""
    return f"no route for {asked[:120]!r}: {listed or 'nothing goes by that name'}{more}"
