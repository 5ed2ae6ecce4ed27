"""What is left of an account's rates, in the headers that OpenAI's clients read."""

from collections.abc import Iterator, Sequence

from mintery.units import ceil_div

_NAMES = ("requests", "tokens")
_MILLISECOND, _SECOND = 1_000, 1_000_000


def rate_headers(left: Sequence[tuple[int, int, int] | None]) -> Iterator[tuple[str, str]]:
    """``left`` of requests and of tokens: the limit of a minute, what remains of it, and microseconds until all of it does."""
    for name, gauge in zip(_NAMES, left, strict=False):
        if gauge is not None:
            limit, remaining, reset = gauge
            yield f"x-ratelimit-limit-{name}", str(limit)
            yield f"x-ratelimit-remaining-{name}", str(remaining)
            yield f"x-ratelimit-reset-{name}", _duration(reset)


def _duration(microseconds: int) -> str:
    """``20ms``, ``6s``: rounded up."""
    if microseconds < _SECOND:
        return f"{ceil_div(microseconds, _MILLISECOND)}ms"
    return f"{ceil_div(microseconds, _SECOND)}s"
