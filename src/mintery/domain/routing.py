"""Which route answers a request, which ones stand behind it, and why each other does not.

Pure: what is for sale at one reading of the market is laid out once on a ``Shelf``; each request then chooses from it by
what it asks for, by prices, declared quality, and how routes have answered lately.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from mintery.domain.model import Model, Unit
from mintery.domain.quote import Tariff
from mintery.domain.route_health import Figures, HealthBoard, RouteHealth
from mintery.domain.route_preferences import NO_PREFERENCES, Preferences, Sort
from mintery.domain.tiers import minute_of, window_at
from mintery.errors import MinteryError, RouteExcluded, RouteTooDear
from mintery.units import BasisPoints, UnixSeconds, UsdWad, in_common_measure

NEAR_QUALITY = 100
"""``auto`` takes routes that are at most so far below the best one for equals."""
_UNMEASURED = -(2**62)
"""Before every figure: one request tries a route that nobody has measured."""
_LAST = 2**62
_MOST_VIEWS = 256
_CERTAIN = (Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN, Unit.REQUEST)
_MIDNIGHT = UnixSeconds(0)


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


@dataclass(frozen=True, slots=True)
class Candidate:
    """A route that is for sale. Prices are those of one input token (or character, or second, where it is sold by those), of one
    output token, and of one request with the cheapest picture that it sells.

    ``certain`` are units that every request may use, each with its price. ``place`` is the position, among the names that the request gave, of the one that this route goes by.
    """

    route: Model
    place: int
    prompt: UsdWad
    completion: UsdWad
    request: UsdWad
    certain: tuple[tuple[str, UsdWad], ...] = ()

    @property
    def id(self) -> str:
        return self.route.id


def candidate_of(tariff: Tariff, place: int = 0, now: UnixSeconds = _MIDNIGHT) -> Candidate:
    """At the prices of the time of day and of the shortest input."""
    windows = tariff.model.windows
    plain = tariff.windows[window_at(windows, minute_of(now))][0] if windows else tariff
    prices = {unit: price.usd for unit, price in plain.prices}
    none = UsdWad(0)
    images = [usd for unit, usd in prices.items() if unit.partition(".")[0] == Unit.IMAGE]
    inputs = [prices[unit] for unit in (Unit.INPUT_TOKEN, Unit.CHARACTER, Unit.SECOND) if unit in prices]
    return Candidate(
        tariff.model,
        place,
        prompt=inputs[0] if inputs else none,
        completion=prices.get(Unit.OUTPUT_TOKEN, none),
        request=UsdWad(prices.get(Unit.REQUEST, none) + min(images, default=none)),
        certain=tuple((unit, prices[unit]) for unit in _CERTAIN if unit in prices),
    )


class Rejection(NamedTuple):
    """``reason`` is typed, and says itself in one sentence."""

    route: str
    reason: MinteryError


class Choice(NamedTuple):
    """``ranked`` best first: the first is chosen, the others run up, in the order in which they would stand in."""

    ranked: tuple[Candidate, ...]
    rejected: tuple[Rejection, ...]

    @property
    def chosen(self) -> Candidate | None:
        return self.ranked[0] if self.ranked else None

    @property
    def runners_up(self) -> tuple[Candidate, ...]:
        return self.ranked[1:]


class Wish(NamedTuple):
    """What a request asks of its route.

    Attributes:
        markup: of the project that pays: limits are on what the holder pays.
        prompt, completion: tokens that it is compared by.
        last: the route that its session used last.
    """

    intent: Intent
    markup: BasisPoints
    prompt: int
    completion: int
    preferences: Preferences = NO_PREFERENCES
    last: str | None = None


class _Costs:
    """Positions that a request ranks by what it would cost there. What is equal keeps its order.

    Prices are kept times the number of positions, and with each its index: a cost says whose it is.
    """

    def __init__(self, positions: Sequence[int], prices: Sequence[tuple[int, int, int]]) -> None:
        size = len(positions)
        self._positions = positions
        self._rates = [
            (a * size, b * size, c * size + index)
            for index, (a, b, c) in enumerate([prices[position] for position in positions])
        ]

    def ranked(self, prompt: int, completion: int) -> list[int]:
        costs = [a * prompt + b * completion + c for a, b, c in self._rates]
        costs.sort()
        size, positions = len(costs), self._positions
        return [positions[cost % size] for cost in costs]


class _View:
    """What of a shelf is open to requests of the same preferences at one state of health: all that no request changes."""

    def __init__(self, shelf: "Shelf", wish: Wish, board: HealthBoard, now: float) -> None:
        self._shelf, self._board, self._now = shelf, board, now
        barred = board.barred(now)
        rejected: list[Rejection] = []
        self.live = shelf.everywhere
        if barred or wish.preferences is not NO_PREFERENCES:
            self.live = []
            for position, candidate in enumerate(shelf.candidates):
                reason = _excluded(candidate, wish) or barred.get(candidate.id)
                if reason is None:
                    self.live.append(position)
                else:
                    rejected.append(Rejection(candidate.id, reason))
        self.rejected = (*shelf.rejected, *rejected)
        order = wish.preferences.order
        self.places: Sequence[tuple[int, int]] | None = None
        if order or shelf.several_places:
            self.places = [(_place(wish.preferences, each), each.place) for each in shelf.candidates]

    @cached_property
    def _healths(self) -> list[RouteHealth]:
        return [self._board.of(each.id) for each in self._shelf.candidates]

    @cached_property
    def _figures(self) -> list[Figures]:
        return [health.figures(self._now) for health in self._healths]

    @cached_property
    def _unknown(self) -> list[int]:
        """Where each stands that was never measured."""
        return [_LAST if health.trying else _UNMEASURED for health in self._healths]

    @cached_property
    def costs(self) -> _Costs:
        return _Costs(self.live, self._shelf.prices)

    @cached_property
    def near(self) -> _Costs:
        """Reliable ones of near quality, faster ones first."""
        return _Costs(sorted(self._near, key=self._expected), self._shelf.prices)

    @cached_property
    def others(self) -> list[int]:
        """Those not so near by quality, and then those that are not reliable."""
        near = set(self._near)
        others = [each for each in self.live if each not in near]
        return sorted(others, key=lambda each: (not self._figures[each].reliable, self._worse(each)))

    @cached_property
    def fastest(self) -> list[int]:
        return sorted(self.live, key=self._expected)

    @cached_property
    def prompt_first(self) -> list[int]:
        """By the time to the first byte."""
        return sorted(self.live, key=lambda each: _or(self._figures[each].latency_us, self._unknown[each]))

    @cached_property
    def fluent(self) -> list[int]:
        """By tokens per second. What was measured and produced no text stands last."""
        return sorted(self.live, key=self._pace)

    @cached_property
    def equals(self) -> bool:
        """Whether several have the same quality."""
        return len({self._worse(each) for each in self.live}) < len(self.live)

    def best(self, prompt: int, completion: int) -> list[int]:
        return sorted(self.costs.ranked(prompt, completion), key=self._worse) if self.equals else self.live

    @cached_property
    def _near(self) -> list[int]:
        reliable = [each for each in self.live if self._figures[each].reliable]
        worst = min(map(self._worse, reliable), default=0) + NEAR_QUALITY
        return [each for each in reliable if self._worse(each) <= worst]

    def _worse(self, position: int) -> int:
        return -self._shelf.candidates[position].route.quality

    def _expected(self, position: int) -> int:
        return _or(self._figures[position].expected_us, self._unknown[position])

    def _pace(self, position: int) -> int:
        figures = self._figures[position]
        if figures.milli_tokens is not None:
            return -figures.milli_tokens
        return self._unknown[position] if figures.expected_us is None else 0


class Shelf:
    """The routes for one kind of request at one reading of the market: those for sale, best first, and why others are not."""

    def __init__(self, candidates: Iterable[Candidate], rejected: Iterable[Rejection] = ()) -> None:
        self.candidates = tuple(sorted(candidates, key=lambda each: (-each.route.quality, each.id)))
        self.rejected = tuple(rejected)
        self.positions = {each.id: position for position, each in enumerate(self.candidates)}
        self.everywhere = list(range(len(self.candidates)))
        measured = in_common_measure(
            [price for each in self.candidates for price in (each.prompt, each.completion, each.request)]
        )
        self.prices = list(zip(measured[::3], measured[1::3], measured[2::3], strict=True))
        """As ``Candidate``'s, in a measure that all of them have in common."""
        self.several_places = len({each.place for each in self.candidates}) > 1
        self._views: dict[tuple[Preferences, BasisPoints], _View] = {}
        self._seen: tuple[int, int] | None = None

    def view(self, wish: Wish, board: HealthBoard, now: float) -> _View:
        """At most a second old, but for what must be seen at once."""
        if (seen := (board.version, int(now))) != self._seen or len(self._views) > _MOST_VIEWS:
            self._seen = seen
            self._views.clear()
        key = (wish.preferences, wish.markup)
        if (view := self._views.get(key)) is None:
            view = self._views[key] = _View(self, wish, board, now)
        return view


def choose(shelf: Shelf, wish: Wish, board: HealthBoard, now: float) -> Choice:
    """Rank what may answer ``wish``; everything else is rejected with its reason."""
    view = shelf.view(wish, board, now)
    ranked = _ranked(view, wish)
    if (
        wish.intent is Intent.CONSISTENT
        and wish.last is not None
        and (last := shelf.positions.get(wish.last)) in ranked
    ):
        ranked = [last, *(position for position in ranked if position != last)]
    if view.places is not None:
        ranked = sorted(ranked, key=view.places.__getitem__)
    return Choice(tuple(map(shelf.candidates.__getitem__, ranked)), view.rejected)


def _ranked(view: _View, wish: Wish) -> list[int]:
    match wish.preferences.sort or wish.intent:
        case Sort.PRICE | Intent.CHEAPEST:
            return view.costs.ranked(wish.prompt, wish.completion)
        case Sort.LATENCY:
            return view.prompt_first
        case Sort.THROUGHPUT:
            return view.fluent
        case Intent.FASTEST:
            return view.fastest
        case Intent.BEST:
            return view.best(wish.prompt, wish.completion)
    return view.near.ranked(wish.prompt, wish.completion) + view.others


def _excluded(candidate: Candidate, wish: Wish) -> MinteryError | None:
    """What else a request may use than is certain is looked at when it is quoted."""
    asked, route = wish.preferences, candidate.route
    if asked is NO_PREFERENCES:
        return None
    names = {route.provider.lower(), route.id.lower()}
    if asked.only is not None and names.isdisjoint(asked.only):
        return RouteExcluded(route.id, "provider.only does not name it")
    if not names.isdisjoint(asked.ignore):
        return RouteExcluded(route.id, "provider.ignore names it")
    if asked.order and not asked.allow_fallbacks and asked.place(route) is None:
        return RouteExcluded(route.id, "provider.order does not name it, and fallbacks are not allowed")
    try:
        for unit, price in candidate.certain:
            asked.max_price.check(route.id, unit, price, wish.markup)
    except RouteTooDear as reason:
        return reason
    return None


def _place(preferences: Preferences, candidate: Candidate) -> int:
    """In ``order``; what it does not name comes after it."""
    place = preferences.place(candidate.route)
    return len(preferences.order) if place is None else place


def _or(figure: int | None, unknown: int) -> int:
    return unknown if figure is None else figure
