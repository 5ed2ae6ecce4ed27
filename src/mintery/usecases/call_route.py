"""One call of one route: timed, judged for the route's health, and followed by the next route's where that may be.

Another route stands in only while nothing of an answer has left: when the provider could not be reached, was too slow, had
too much to do, failed, or did not let the gateway in. What a provider says of the request itself is its answer.
"""

from datetime import timedelta
from time import perf_counter

from mintery.domain.attempt import AttemptOutcome, RouteAttempt
from mintery.domain.model import Unit
from mintery.errors import (
    AnswerTooLong,
    MinteryError,
    NotAvailable,
    NotInItsFormat,
    ProviderFailed,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnreachable,
)
from mintery.providers.calls import Usage
from mintery.usecases.dispatched import Dispatched
from mintery.usecases.quote_request import check_provider_open

REQUESTS_FAULT = frozenset({400, 409, 413, 415, 422})
"""The provider refused what it was asked: so would another."""
ASKED_OF_ONE = 404
"""A model that its provider does not know: the request's fault only where it named the route itself."""
ASKERS_DOING = frozenset({402, 403, 408, 424, 451})
"""One who asks can bring these about at will: another route may stand in, but they close none to everybody else."""
FIRST_FAULT = 500
"""From here on a status tells of the provider's own trouble."""
_OUTPUT = Unit.OUTPUT_TOKEN
_OTHER_OUTPUTS = (Unit.REASONING_TOKEN, Unit.IMAGE_OUTPUT_TOKEN, Unit.AUDIO_OUTPUT_TOKEN)
_MICROS = 1_000_000


class RouteCall:
    """Begins when it is made. ``answered``, ``failed`` or ``undecided`` ends it."""

    __slots__ = ("_board", "_first", "_route", "_started", "_trial", "_work")

    def __init__(self, work: Dispatched) -> None:
        self._work = work
        self._board = work.parts.routes.health
        self._route = work.quote.model.id
        self._first: float | None = None
        self._trial = self._board.begin(self._route, work.parts.clock().timestamp())
        self._started = perf_counter()

    def first(self) -> None:
        """The first event of a stream is there."""
        self._first = perf_counter()
        self._work.meters.first_byte.observe(self._first - self._started)
        if self._trial:
            self._board.passed(self._route)
            self._trial = False

    def answered(self, usage: Usage | None) -> None:
        work, first, took = self._work, self._first, perf_counter() - self._started
        if first is None:
            work.meters.first_byte.observe(took)
        self._board.answered(
            self._route,
            work.parts.clock().timestamp(),
            whole_us=int(took * _MICROS),
            first_us=None if first is None else int((first - self._started) * _MICROS),
            tokens=0 if usage is None else _tokens(work, usage),
            trial=self._trial,
        )

    def undecided(self) -> None:
        """It says nothing about the route."""
        self._board.undecided(self._route, trial=self._trial)

    def failed(self, error: ProviderFailed) -> RouteAttempt:
        """What is recorded of it."""
        now = self._work.parts.clock()
        own_key = self._work.provider_key is not None
        if not is_providers_fault(error, stream=self._work.request.stream, own_key=own_key):
            self.undecided()
        else:
            wait = error.retry_after if isinstance(error, ProviderRefused) else None
            self._board.failed(self._route, now.timestamp(), None if wait is None else float(wait), trial=self._trial)
        began = now - timedelta(seconds=perf_counter() - self._started)
        status = error.status if isinstance(error, ProviderRefused) else None
        broke = self._first is not None and not isinstance(error, AnswerTooLong)
        outcome = AttemptOutcome.BROKE if broke else outcome_of(error)
        return RouteAttempt(self._route, self._work.quote.model.provider, outcome, began, now, status)

    def delivered(self) -> RouteAttempt:
        now = self._work.parts.clock()
        began = now - timedelta(seconds=perf_counter() - self._started)
        return RouteAttempt(self._route, self._work.quote.model.provider, AttemptOutcome.DELIVERED, began, now)


def next_leg(work: Dispatched, failed: RouteAttempt, error: ProviderFailed) -> Dispatched:
    """The same request at the next route that is still open, with ``failed`` recorded; at none, where no other may answer.

    What was closed since the hold is passed over: a provider that no longer lets its models be sold on is not called.
    """
    tried = [*work.tried, failed]
    place = len(tried)
    if not may_fall_back(work, error):
        return work._replace(tried=tuple(tried), stands=False)
    now = work.parts.clock()
    barred = work.parts.routes.health.barred(now.timestamp())
    for leg in work.plan.legs[place:]:
        model = leg.quote.model
        if model.id not in barred and _is_open(work, leg.quote.model.id):
            return work._replace(request=leg.request, quote=leg.quote, tried=tuple(tried))
        tried.append(RouteAttempt(model.id, model.provider, AttemptOutcome.SKIPPED, now, now))
    return work._replace(tried=tuple(tried), stands=False)


def may_fall_back(work: Dispatched, error: ProviderFailed) -> bool:
    if isinstance(error, ProviderRefused):
        return error.status not in REQUESTS_FAULT
    return isinstance(error, ProviderUnreachable | ProviderTimedOut) and not work.attempt.begun


def is_providers_fault(error: ProviderFailed, *, stream: bool, own_key: bool = False) -> bool:
    """Whether it counts against the route for everybody. A whole answer takes as long as it was asked to be; what is refused
    to a caller's ``own_key`` says nothing of ours.
    """
    if isinstance(error, NotInItsFormat | AnswerTooLong):
        return False
    if isinstance(error, ProviderRefused):
        askers = own_key and error.status < FIRST_FAULT
        return not askers and error.status not in REQUESTS_FAULT | {ASKED_OF_ONE} | ASKERS_DOING
    return stream or not isinstance(error, ProviderTimedOut)


def outcome_of(error: ProviderFailed) -> AttemptOutcome:
    match error:
        case ProviderUnreachable():
            return AttemptOutcome.UNREACHABLE
        case ProviderTimedOut():
            return AttemptOutcome.TIMED_OUT
        case ProviderRefused():
            return AttemptOutcome.REFUSED
        case AnswerTooLong():
            return AttemptOutcome.TOO_LONG
        case _:
            return AttemptOutcome.NONSENSE


def _is_open(work: Dispatched, route: str) -> bool:
    """By the newest reading, however old: one that is too old to sell by does not stop what credits are held for already."""
    parts = work.parts
    try:
        market, _ = parts.reading()
    except MinteryError:
        return True
    if (model := parts.models.get(route)) is None:
        return False
    try:
        check_provider_open(market, model)
    except NotAvailable:
        return False
    return True


def _tokens(work: Dispatched, usage: Usage) -> int:
    """Of output, as far as the request could ask for them: what a provider says more does not make it faster."""
    said = usage.get(_OUTPUT, 0)
    for unit in _OTHER_OUTPUTS:
        if unit in usage:
            said += usage[unit]
    most = work.request.most.get(_OUTPUT, 0)
    return min(max(said, 0), most)
