"""Which route answers a request, which ones stand behind it, and why each other does not.

Pure: what is for sale at one reading of the market is laid out once on a ``Shelf``; each request then chooses from it by
what it asks for, by prices, declared quality, and how routes have answered lately.
"""

from typing import NamedTuple

from mintery.domain.intent import Intent
from mintery.domain.route_health import HealthBoard
from mintery.domain.route_preferences import Sort
from mintery.domain.route_shelf import Candidate, Rejection, Shelf, View, Wish


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


def _ranked(view: View, wish: Wish) -> list[int]:
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
