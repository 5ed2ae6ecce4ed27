"""The routes that are for sale at one reading of the market, laid out so that a request chooses among them in a few steps.

What no request changes is found once: for a reading, what each route costs; for a state of health and one kind of
preferences, at most once a second, what is open to them and how fast it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from mintery.domain.intent import Intent
from mintery.domain.model import Model, Unit
from mintery.domain.quote import Tariff
from mintery.domain.route_health import Figures, HealthBoard, RouteHealth
from mintery.domain.route_preferences import NO_PREFERENCES, Preferences
from mintery.domain.tiers import minute_of, window_at
from mintery.errors import MinteryError, RouteExcluded, RouteTooDear
from mintery.units import ONE_IN_BPS, BasisPoints, UnixSeconds, UsdWad, in_common_measure

NEAR_QUALITY = 100
"""``auto`` takes routes that are at most so far below the best one for equals."""
_UNMEASURED = -(2**62)
"""Before every figure: one request tries a route that nobody has measured."""
_LAST = 2**62
_MOST_VIEWS = 256
_CERTAIN = (Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN, Unit.REQUEST)
_MIDNIGHT = UnixSeconds(0)
_NO_MARKUP = BasisPoints(0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A route that is for sale.

    Attributes:
        place: the position, among the names that the request gave, of the one that this route goes by.
        prompt: of one input token, or character or second where it is sold by those.
        completion: of one output token.
        request: of one request, with the cheapest picture that it sells.
        markup: what the holder pays on top of each.
        certain: units that every request may use, each with its price.
    """

    route: Model
    place: int
    prompt: UsdWad
    completion: UsdWad
    request: UsdWad
    markup: BasisPoints = _NO_MARKUP
    certain: tuple[tuple[str, UsdWad], ...] = ()

    @property
    def id(self) -> str:
        return self.route.id


def candidate_of(
    tariff: Tariff, place: int = 0, now: UnixSeconds = _MIDNIGHT, markup: BasisPoints = _NO_MARKUP
) -> Candidate:
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
        markup=markup,
        certain=tuple((unit, prices[unit]) for unit in _CERTAIN if unit in prices),
    )


class Rejection(NamedTuple):
    """``reason`` is typed, and says itself in one sentence."""

    route: str
    reason: MinteryError


class Wish(NamedTuple):
    """What a request asks of its route.

    Attributes:
        prompt, completion: tokens that it is compared by.
        last: the route that its session used last.
    """

    intent: Intent
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


class View:
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
        self.places: Sequence[tuple[int, int, int]] | None = None
        if order or shelf.several_places:
            self.places = [(_place(wish.preferences, each), each.place, each.route.backup) for each in shelf.candidates]

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
            [
                price * (ONE_IN_BPS + each.markup)
                for each in self.candidates
                for price in (each.prompt, each.completion, each.request)
            ]
        )
        self.prices = list(zip(measured[::3], measured[1::3], measured[2::3], strict=True))
        """As ``Candidate``'s with their markup, in a measure that all of them have in common."""
        self.several_places = len({(each.place, each.route.backup) for each in self.candidates}) > 1
        self._views: dict[Preferences, View] = {}
        self._seen: tuple[int, int] | None = None

    def view(self, wish: Wish, board: HealthBoard, now: float) -> View:
        """At most a second old, but for what must be seen at once."""
        if (seen := (board.version, int(now))) != self._seen or len(self._views) > _MOST_VIEWS:
            self._seen = seen
            self._views.clear()
        if (view := self._views.get(wish.preferences)) is None:
            view = self._views[wish.preferences] = View(self, wish, board, now)
        return view


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
            asked.max_price.check(route.id, unit, price, candidate.markup)
    except RouteTooDear as reason:
        return reason
    return None


def _place(preferences: Preferences, candidate: Candidate) -> int:
    """In ``order``; what it does not name comes after it."""
    place = preferences.place(candidate.route)
    return len(preferences.order) if place is None else place


def _or(figure: int | None, unknown: int) -> int:
    return unknown if figure is None else figure
