"""What routing remembers between requests: shelves of the newest reading, sessions, and how routes have answered."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from mintery.domain.market import Market
from mintery.domain.model import Endpoint, Model
from mintery.domain.route_health import HealthBoard
from mintery.domain.route_shelf import Shelf
from mintery.domain.voucher import AccountId, Address

MOST_SESSIONS = 100_000

Session = tuple[AccountId, str]
"""An account and the name that it gives a session; the name is empty for the account's own."""
ShelfKey = tuple[Address, Endpoint, tuple[str, ...], bool, int, int, frozenset[str]]
"""Whose credits pay, for what kind of request, the names that it gave, whether their order counts, how often the price
sources here have said something else (``Tariffs.noted``), how often the channels changed (``ChannelBoard.version``), and the
memberships of whoever asks."""


class Routes:
    """Of one process; belongs to its event loop. A gateway that starts knows no session and has measured nothing."""

    def __init__(self) -> None:
        self.health = HealthBoard()
        self._market: Market | None = None
        self._shelves: dict[ShelfKey, Shelf] = {}
        self._sessions: OrderedDict[Session, str] = OrderedDict()
        self._named: tuple[Mapping[str, Model], dict[str, tuple[Model, ...]]] | None = None

    def shelf(self, market: Market, key: ShelfKey) -> Shelf | None:
        """One that was laid out for this reading before."""
        return self._shelves.get(key) if self._market is market else None

    def keep_shelf(self, market: Market, key: ShelfKey, shelf: Shelf) -> None:
        if self._market is not market:
            self._market, self._shelves = market, {}
        self._shelves[key] = shelf

    def named(self, models: Mapping[str, Model], name: str) -> Sequence[Model]:
        """The routes that go by ``name``: their own id, or what they serve."""
        if self._named is None or self._named[0] is not models:
            self._named = (models, routes_by_name(models))
        return self._named[1].get(name, ())

    def last_of(self, session: Session) -> str | None:
        return self._sessions.get(session)

    def remember(self, session: Session, route: str) -> None:
        """Of too many sessions, those that were idle longest are forgotten."""
        self._sessions[session] = route
        self._sessions.move_to_end(session)
        if len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)


def routes_by_name(models: Mapping[str, Model]) -> dict[str, tuple[Model, ...]]:
    found: dict[str, tuple[Model, ...]] = {}
    for model in models.values():
        for name in {model.id, model.serves or model.id}:
            found[name] = (*found.get(name, ()), model)
    return found
