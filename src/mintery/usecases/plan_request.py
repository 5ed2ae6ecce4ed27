"""From a body to the routes that may answer it, each with the body that it would be sent and the most that it may cost.

A body that names one route and says nothing else of routing is that route's alone. Otherwise the routes that go by the name
are ranked, and the first that can take the request, at prices that are good now, are planned: the first is called, the
others stand in, in their order, while nothing of an answer has left. The hold covers the dearest of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from mintery.domain.intent import Intent
from mintery.domain.keys import KeyRules
from mintery.domain.limits import NAMED
from mintery.domain.long_job import LONG_FORMS
from mintery.domain.membership import ANYBODY, Period, Standing
from mintery.domain.model import Endpoint, Model
from mintery.domain.quote import Quote, with_fee
from mintery.domain.route_shelf import Candidate, Rejection
from mintery.errors import (
    KeyMayNot,
    MalformedInput,
    MinteryError,
    NoRoute,
    NoRouteNow,
    NotAvailable,
    NotFound,
    Unsupported,
)
from mintery.units import NanoCredits
from mintery.usecases.choose_route import (
    ROUTING_FIELDS,
    Counter,
    Question,
    choose_route,
    is_routed,
    read_question,
    session_of,
)
from mintery.usecases.quote_request import OWN_KEY_FIELD, quote_fee, quote_own_key, quote_request
from mintery.usecases.routes import Session
from mintery.usecases.shape_request import find_model, shape_request
from mintery.usecases.shaped import ShapedRequest

MOST_LEGS = 3
MOST_SHAPED, FEWEST_SHAPED = 16, 2
"""Routes that one request is shaped for while they refuse it. A long body costs as much for each and is refused for nothing,
so the longer it is, the fewer they are.
"""
SHORT_BYTES, LONG_BYTES = 64 * 1024, 256 * 1024
"""All of them up to the one, the fewest above the other."""
UNFIT = (MalformedInput, NotAvailable, NotFound, KeyMayNot)
"""Why a route cannot take a request: what it asks, its price, whose credits pay, or which key asks."""


_INTENTS = frozenset(intent.value for intent in Intent)


class Leg(NamedTuple):
    """One route, with what it would be sent and its quote."""

    request: ShapedRequest
    quote: Quote


class Plan(NamedTuple):
    """Attributes:
    legs: the chosen route, and those that stand in for it.
    amount: nanocredits that cover whichever delivers.
    seconds: the longest that all of them may take, one after the other.
    follow: the longest that a long job may take once it is open.
    asked: the name that was asked for, where it is not the route's own.
    session: which goes on with the route that delivers.
    standing: what the account may do.
    """

    legs: tuple[Leg, ...]
    amount: NanoCredits
    seconds: int
    asked: str | None
    session: Session
    standing: Standing = ANYBODY
    follow: int = 0

    def within(self, available: NanoCredits) -> "Plan | None":
        """Without the stand-ins that would need more; None where the chosen one does, or nothing changes."""
        legs = tuple(leg for leg in self.legs if leg.quote.amount <= available)
        if not legs or legs[0] is not self.legs[0] or len(legs) == len(self.legs):
            return None
        return self._replace(legs=legs, amount=amount_of(legs), follow=_follow(legs))


def way_of(plan: Plan) -> str:
    """How the request asked: the intent that it named, or ``named``."""
    return plan.asked if plan.asked in _INTENTS else NAMED


def check_allowed(rules: KeyRules, plan: Plan) -> None:
    """Whether a key's rules allow what was planned by earlier ones. Raises WayNotAllowed, ModelNotAllowed."""
    rules.check_way(way_of(plan))
    for leg in plan.legs:
        rules.check_model(leg.quote.model.id, leg.quote.model.serves)


class Legs(NamedTuple):
    """Those that can take the request, and why better ones cannot."""

    legs: tuple[Leg, ...]
    seconds: int
    rejected: tuple[Rejection, ...]


def plan_request(
    counter: Counter, endpoint: Endpoint | None, fields: Mapping[str, Any], *, size: int, session: str | None = None
) -> Plan:
    """``endpoint`` None takes any. ``size`` is the body's, in bytes; ``session`` the name that the request's header gives.

    Raises:
        MalformedRequest, Unsupported, UnknownModel, ModelNotCovered, MembershipNeeded, NotAvailable, NoRoute
    """
    its_session = session_of(counter.account, session, fields)
    if not is_routed(counter, fields):
        model = find_model(counter.parts.models, fields, endpoint)
        counter.rules.check_way(NAMED)
        leg = exact_leg(counter, model, fields, endpoint)
        seconds = _longest(counter, leg)
        return Plan((leg,), leg.quote.amount, seconds, None, its_session, counter.standing, _follow([leg]))

    if counter.own_key:
        raise Unsupported("with a provider key of your own, name one route of that provider", field=OWN_KEY_FIELD)
    question = read_question(fields, endpoint, size, its_session)
    counter.rules.check_way(NAMED if question.in_order else question.intent)
    choice = choose_route(counter, question)
    found = plan_legs(counter, question, fields, choice.ranked)
    if not found.legs:
        raise refusal_of(question.asked, (*choice.rejected, *found.rejected))
    asked = None if found.legs[0].request.model.id == question.asked else question.asked
    amount, follow = amount_of(found.legs), _follow(found.legs)
    return Plan(found.legs, amount, found.seconds, asked, its_session, counter.standing, follow)


def amount_of(legs: Sequence[Leg]) -> NanoCredits:
    """What the dearest of them may cost."""
    return max([leg.quote.amount for leg in legs])


def plan_legs(counter: Counter, question: Question, fields: Mapping[str, Any], ranked: Sequence[Candidate]) -> Legs:
    """The first of ``ranked`` that can take the request at prices that are good now. They do not outlast the hold."""
    preferences = question.preferences
    most = MOST_LEGS if preferences.allow_fallbacks or preferences.order else 1
    legs: list[Leg] = []
    rejected: list[Rejection] = []
    patience = most_shaped(question.size)
    seconds = 0
    barred: list[Rejection] = []
    for candidate in ranked:
        if len(legs) == most or len(rejected) == patience:
            break
        if (bar := _barred(counter, candidate)) is not None:
            barred.append(bar)  # nothing was shaped for it, so it tries nobody's patience
            continue
        try:
            leg = leg_of(counter, question, fields, candidate.route)
        except UNFIT as reason:
            rejected.append(Rejection(candidate.id, reason))
            continue
        longer = seconds + _longest(counter, leg)
        if legs and longer + _follow([*legs, leg]) > counter.parts.longest_hold:
            break
        legs.append(leg)
        seconds = longer
    return Legs(tuple(legs), seconds, (*barred, *rejected))


def _barred(counter: Counter, candidate: Candidate) -> Rejection | None:
    try:
        counter.rules.check_model(candidate.id, candidate.route.serves)
    except KeyMayNot as reason:
        return Rejection(candidate.id, reason)
    return None


def most_shaped(size: int) -> int:
    """Routes that may refuse a body of so many bytes before it is refused."""
    if size <= SHORT_BYTES:
        return MOST_SHAPED
    return FEWEST_SHAPED if size > LONG_BYTES else MOST_SHAPED * SHORT_BYTES // size


def leg_of(counter: Counter, question: Question, fields: Mapping[str, Any], model: Model) -> Leg:
    """One route's, without what only this gateway reads. Raises what is ``UNFIT``."""
    body = {name: value for name, value in fields.items() if name not in ROUTING_FIELDS}
    leg = exact_leg(counter, model, body, question.endpoint)
    for line in chain(leg.quote.lines, *leg.quote.tiers):
        if line.quantity:
            question.preferences.max_price.check(model.id, line.sku.unit, line.unit_price, leg.quote.markup)
    return leg


def refusal_of(asked: str, rejected: Sequence[Rejection]) -> MinteryError:
    """What is told where no route is left: the reason itself where there is one, or the body is at fault for all."""
    reasons = [reason for _, reason in rejected]
    if len({(type(reason), str(reason)) for reason in reasons}) == 1:
        return reasons[0]
    if reasons and all(isinstance(reason, MalformedInput) for reason in reasons):
        return reasons[0]
    waits = any(isinstance(reason, NotAvailable) and reason.retry_after is not None for reason in reasons)
    return (NoRouteNow if waits else NoRoute)(asked, rejected)


def exact_leg(counter: Counter, model: Model, fields: Mapping[str, Any], endpoint: Endpoint | None) -> Leg:
    parts, market, project, _, standing = counter[:5]
    counter.rules.check_model(model.id, model.serves)
    terms = parts.providers[model.provider].terms
    request = shape_request(model, terms, fields, choices=parts.limits.choices, endpoint=endpoint)
    quoted = quote_own_key if counter.own_key else quote_request
    priced = quoted(parts, market, project, request)
    if model.needs:
        parts.standings.offers.check_open(model, standing, project.kind)
    if standing.pays:
        fee = parts.standings.offers.fee(project.kind, standing.pays, Period.REQUEST)
        priced = with_fee(priced, quote_fee(parts, market, project, fee))
    return Leg(request, priced)


def _longest(counter: Counter, leg: Leg) -> int:
    terms = counter.parts.providers[leg.quote.model.provider].terms
    return terms.opening if leg.request.endpoint in LONG_FORMS else terms.longest


def _follow(legs: Iterable[Leg]) -> int:
    return max(leg.request.model.job_seconds for leg in legs)
