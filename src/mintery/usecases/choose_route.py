"""What a body asks of its route, and how the routes that go by the names in it rank."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mintery.domain.channel import markup_of
from mintery.domain.intent import Intent
from mintery.domain.keys import NO_RULES, KeyRules
from mintery.domain.market import Market
from mintery.domain.membership import ANYBODY, Standing
from mintery.domain.model import Endpoint, Model
from mintery.domain.project import Project
from mintery.domain.route_preferences import FIELD, NO_PREFERENCES, Preferences, parse_preferences, read_names
from mintery.domain.route_shelf import Candidate, Rejection, Shelf, Wish, candidate_of
from mintery.domain.routing import Choice, choose
from mintery.domain.voucher import AccountId
from mintery.errors import ChannelDisabled, MalformedRequest, NotAvailable, NotFound, RouteExcluded
from mintery.units import ceil_div
from mintery.usecases.meter_usage import BYTES_PER_TOKEN
from mintery.usecases.parts import GatewayParts
from mintery.usecases.quote_request import check_covered, check_market_open, check_provider_open
from mintery.usecases.routes import Session, ShelfKey
from mintery.usecases.verify_credential import Credential

MODELS = "models"
ROUTING_FIELDS = frozenset({FIELD, MODELS})
"""They are for this gateway, and go to no provider."""
NOMINAL_ANSWER = 256
"""Tokens: where a request sets no lower cap, routes are compared by an answer of this length."""
LONGEST_SESSION = 256


class Counter(NamedTuple):
    """Where a request is dealt with: at which reading of the market, whose credits pay, what their account may do, and what the
    key may be used for.
    """

    parts: GatewayParts
    market: Market
    project: Project
    account: AccountId
    standing: Standing = ANYBODY
    rules: KeyRules = NO_RULES
    own_key: bool = False
    """The caller's own key pays the provider."""


class Question(NamedTuple):
    """Attributes:
    asked: the model that the body names.
    names: what may answer, in order; with an intent they are equals, and none stands for all there are.
    in_order: earlier names come first, however they rank.
    size: of the body, in bytes.
    """

    asked: str
    intent: Intent
    names: tuple[str, ...]
    in_order: bool
    preferences: Preferences
    endpoint: Endpoint
    size: int
    cap: int | None
    session: Session


def counter_of(parts: GatewayParts, market: Market, credential: Credential, standing: Standing) -> Counter:
    project = market.projects[credential.admits.voucher.token]
    return Counter(parts, market, project, credential.account, standing, credential.rules)


def is_routed(counter: Counter, fields: Mapping[str, Any]) -> bool:
    """Whether the body leaves anything to choose; a body that names one route and no more is that route's alone."""
    name = fields.get("model")
    if isinstance(name, str) and name in counter.parts.models:
        return not ROUTING_FIELDS.isdisjoint(fields)
    return isinstance(name, str) or MODELS in fields


def read_question(fields: Mapping[str, Any], endpoint: Endpoint | None, size: int, session: Session) -> Question:
    """``endpoint`` None: as the body looks.

    Raises:
        MalformedRequest, Unsupported
    """
    name = fields.get("model")
    names = read_names(fields.get(MODELS), MODELS)
    if name is None and names:
        name = names[0]
    if not isinstance(name, str):
        raise MalformedRequest("model must be a string", field="model")
    given = fields.get(FIELD)
    cap = fields.get("max_completion_tokens") or fields.get("max_tokens")
    is_intent = name in tuple(Intent)
    return Question(
        asked=name,
        intent=Intent(name) if is_intent else Intent.AUTO,
        names=names if is_intent else tuple(dict.fromkeys((name, *names))),
        in_order=not is_intent,
        preferences=NO_PREFERENCES if given is None else parse_preferences(given),
        endpoint=endpoint or _written_for(fields),
        size=size,
        cap=cap if type(cap) is int and cap > 0 else None,
        session=session,
    )


def _written_for(fields: Mapping[str, Any]) -> Endpoint:
    """As far as a body alone says."""
    if isinstance(fields.get("input"), Mapping):
        return Endpoint.JOBS
    for field, endpoint in (
        ("messages", Endpoint.CHAT),
        ("seconds", Endpoint.VIDEOS),
        ("prompt", Endpoint.IMAGES),
        ("voice", Endpoint.SPEECH),
    ):
        if field in fields:
            return endpoint
    return Endpoint.EMBEDDINGS


def choose_route(counter: Counter, question: Question) -> Choice:
    """Raises UnknownModel, NotAvailable."""
    parts = counter.parts
    wish = Wish(
        question.intent,
        prompt=ceil_div(question.size, BYTES_PER_TOKEN),
        completion=min(question.cap or NOMINAL_ANSWER, NOMINAL_ANSWER),
        preferences=question.preferences,
        last=parts.routes.last_of(question.session),
    )
    return choose(_shelf(counter, question), wish, parts.routes.health, parts.clock().timestamp())


def session_of(account: AccountId, header: str | None, fields: Mapping[str, Any]) -> Session:
    """By the header, else by what the provider is told of it anyway, else the account's own."""
    name = header or fields.get("prompt_cache_key") or fields.get("user") or ""
    return account, name[:LONGEST_SESSION] if isinstance(name, str) else ""


def _shelf(counter: Counter, question: Question) -> Shelf:
    """Raises UnknownModel, NotAvailable."""
    parts, market, project = counter[:3]
    opens = counter.standing.opens
    check_market_open(market, project, parts.chain_now(market))
    key: ShelfKey = (
        project.token,
        question.endpoint,
        question.names,
        question.in_order,
        parts.tariffs.noted,
        parts.channels.version,
        opens,
    )
    if (known := parts.routes.shelf(market, key)) is not None:
        return known
    candidates, rejected = [], []
    for place, model in _going_by(parts, question.names):
        try:
            candidates.append(_candidate(counter, question.endpoint, model, place if question.in_order else 0))
        except (NotAvailable, NotFound) as reason:
            rejected.append(Rejection(model.id, reason))
    rejected += [Rejection(model.id, ChannelDisabled(model.id)) for model in _off(parts, question.names)]
    shelf = Shelf(candidates, rejected)
    if len(question.names) <= 1:  # of lists there is no end: clients write them
        parts.routes.keep_shelf(market, key, shelf)
    return shelf


def _off(parts: GatewayParts, names: Sequence[str]) -> Iterable[Model]:
    """Those that would go by a name, were they not switched off."""
    return [model for model in parts.channels.off if not names or not {model.id, model.serves}.isdisjoint(names)]


def _going_by(parts: GatewayParts, names: Sequence[str]) -> Iterable[tuple[int, Model]]:
    """Each route once, with the place of the first name that it goes by. Raises UnknownModel, ChannelDisabled."""
    if not names:
        return [(0, model) for model in parts.models.values()]
    found: dict[str, tuple[int, Model]] = {}
    for place, name in enumerate(names):
        if not (models := parts.routes.named(parts.models, name)):
            raise parts.channels.missing(name)
        for model in models:
            found.setdefault(model.id, (place, model))
    return found.values()


def _candidate(counter: Counter, endpoint: Endpoint, model: Model, place: int) -> Candidate:
    """Raises RouteExcluded, ModelNotCovered, MembershipNeeded, NotAvailable."""
    parts, market, project = counter[:3]
    if endpoint is not model.endpoint and endpoint not in model.also:
        raise RouteExcluded(model.id, f"it is a model for {model.endpoint}, not for {endpoint}")
    check_covered(project, model)
    check_provider_open(market, model)
    parts.standings.offers.check_open(model, counter.standing, project.kind)
    markup = markup_of(project, model)
    return candidate_of(parts.tariffs.of(market, model), place, parts.chain_now(market), markup)
