"""Which route a body would take now, what would stand in for it, and why each other would not answer. Nothing is spent."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mintery.domain.intent import RULES, SORT_RULES
from mintery.domain.model import Endpoint, Model
from mintery.domain.route_shelf import Rejection
from mintery.errors import snake_case
from mintery.units import format_nanocredits, pro_rata_down
from mintery.usecases.choose_route import Counter, Question, choose_route, is_routed, read_question, session_of
from mintery.usecases.parts import GatewayParts
from mintery.usecases.plan_request import MOST_SHAPED, UNFIT, Leg, Legs, exact_leg, leg_of, plan_legs
from mintery.usecases.shape_request import find_model

NAMED = "the request names one route, which alone answers it; nothing stands in"
MOST_QUOTED_BYTES = 64 * 1024
"""A longer body is not priced for routes that would not be called: each would take as long as a request. A shorter one is for
as many as a request may be shaped for; further routes are told without what it would cost there."""


class Told(NamedTuple):
    """What was asked for, and the one sentence by which it was chosen."""

    asked: str
    rule: str


def explain_route(
    counter: Counter, endpoint: Endpoint | None, fields: Mapping[str, Any], *, size: int, session: str | None = None
) -> dict[str, Any]:
    """As JSON values; see ``plan_request`` for what is given.

    Raises:
        MalformedRequest, Unsupported, UnknownModel, NotAvailable
    """
    its_session = session_of(counter.account, session, fields)
    if not is_routed(counter, fields):
        model = find_model(counter.parts.models, fields, endpoint)
        named = Legs((), 0, ())
        try:
            named = named._replace(legs=(exact_leg(counter, model, fields, endpoint),))
        except UNFIT as reason:
            named = named._replace(rejected=(Rejection(model.id, reason),))
        return _explained(counter.parts, Told(model.id, NAMED), named, [])
    question = read_question(fields, endpoint, size, its_session)
    choice = choose_route(counter, question)
    called = plan_legs(counter, question, fields, choice.ranked)
    rejected = [*choice.rejected, *called.rejected]
    known = {leg.quote.model.id for leg in called.legs} | {route for route, _ in called.rejected}
    priced = MOST_SHAPED - len(known) if size <= MOST_QUOTED_BYTES else 0
    others: list[dict[str, Any]] = []
    for candidate in choice.ranked:
        if candidate.id in known:
            continue
        priced -= 1
        try:
            leg = leg_of(counter, question, fields, candidate.route) if priced >= 0 else None
        except UNFIT as reason:
            rejected.append(Rejection(candidate.id, reason))
        else:
            others.append(_route_json(counter.parts, candidate.route, leg, "runner_up"))
    told = Told(question.asked, rule_of(question))
    return _explained(counter.parts, told, called._replace(rejected=tuple(rejected)), others)


def rule_of(question: Question) -> str:
    """One sentence."""
    preferences = question.preferences
    sort = preferences.sort
    rule = RULES[question.intent] if sort is None else SORT_RULES[sort]
    if question.in_order and len(question.names) > 1:
        rule = f"the first of {', '.join(question.names)} that can answer; of a name's routes, {rule}"
    if preferences.order:
        rule = f"{', '.join(preferences.order)} in this order; after them, {rule}"
    return rule


def _explained(parts: GatewayParts, told: Told, called: Legs, others: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of the runners-up, ``backup`` ones stand in for the chosen one in their order; the others would not be called."""
    roles = ("chosen", *["backup"] * len(called.legs))
    legs = [_route_json(parts, leg.quote.model, leg, role) for leg, role in zip(called.legs, roles, strict=False)]
    amount = max((leg.quote.amount for leg in called.legs), default=None)
    return {
        "object": "route.explanation",
        "asked": told.asked,
        "rule": told.rule,
        "chosen": legs[0] if legs else None,
        "runners_up": [*legs[1:], *others],
        "rejected": [
            {"route": route, "code": snake_case(type(why).__name__), "reason": str(why)}
            for route, why in called.rejected
        ],
        "hold_nanocredits": None if amount is None else str(amount),
        "hold_credits": None if amount is None else format_nanocredits(amount),
    }


def _route_json(parts: GatewayParts, model: Model, leg: Leg | None, role: str) -> dict[str, Any]:
    now = parts.clock().timestamp()
    health = parts.routes.health.of(model.id)
    figures = health.figures(now)
    latency, pace, expected = figures.latency_us, figures.milli_tokens, figures.expected_us
    return {
        "route": model.id,
        "role": role,
        "provider": model.provider,
        "kind": model.kind.value,
        "test": model.test,
        "quality": model.quality,
        "max_cost_nanocredits": None if leg is None else str(leg.quote.amount),
        "price_state": None if leg is None else leg.quote.state.value,
        "breaker": health.breaker.state_at(now).value,
        "calls": figures.calls,
        "failures": figures.failures,
        "first_byte_ms": None if latency is None else pro_rata_down(latency, 1, 1_000),
        "tokens_per_second": None if pace is None else pro_rata_down(pace, 1, 1_000),
        "answer_ms": None if expected is None else pro_rata_down(expected, 1, 1_000),
    }
