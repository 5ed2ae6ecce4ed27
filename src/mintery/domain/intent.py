"""What a request may want of its route instead of naming one, and the one sentence by which each is decided."""

from collections.abc import Mapping
from enum import StrEnum

from mintery.domain.route_preferences import Sort


class Intent(StrEnum):
    """What a request wants of its route, where it names none."""

    BEST = "best"
    CHEAPEST = "cheapest"
    FASTEST = "fastest"
    CONSISTENT = "consistent"
    AUTO = "auto"


RULES: Mapping[Intent, str] = {
    Intent.BEST: "the route with the highest declared quality; of equals the cheapest for this request",
    Intent.CHEAPEST: "the route that is cheapest for a request of this length; of equals the one with the higher quality",
    Intent.FASTEST: (
        "the route that needs least time for an answer of 256 tokens, as measured here; one that was never measured is tried "
        "first, by one request at a time"
    ),
    Intent.CONSISTENT: "the route that this session used last while it can answer, else as auto",
    Intent.AUTO: (
        "the cheapest of the reliable routes (at most 5 of 100 calls failed in the last ten minutes) whose declared quality "
        "is within 100 of the best one's; of equals the fastest"
    ),
}
SORT_RULES: Mapping[Sort, str] = {
    Sort.PRICE: RULES[Intent.CHEAPEST],
    Sort.THROUGHPUT: "the route with the most output tokens per second, as measured here",
    Sort.LATENCY: "the route with the least time to its first byte, as measured here",
}
