"""What a request may cost at most, and whether its account's credits may pay for it at all, right now."""

from mintery.domain.channel import markup_of
from mintery.domain.long_job import LONG_FORMS
from mintery.domain.market import Market
from mintery.domain.model import Model
from mintery.domain.project import Project
from mintery.domain.quote import Quote, quote
from mintery.errors import AssetDepegged, Draining, ModelNotCovered, ResaleForbidden, ReserveShort, Unsupported
from mintery.units import UnixSeconds
from mintery.usecases.parts import GatewayParts
from mintery.usecases.shaped import ShapedRequest

OWN_KEY_FIELD = "Mintery-Provider-Key"


def quote_request(parts: GatewayParts, market: Market, project: Project, request: ShapedRequest) -> Quote:
    """The upper bound, at pinned prices.

    Raises:
        ModelNotCovered, AssetDepegged, ReserveShort, Draining, ResaleForbidden, ModelUnpriced, PriceStale, PriceQueued,
        HoldAboveStaleLimit
    """
    model, now = request.model, parts.chain_now(market)
    check_covered(project, model)
    check_market_open(market, project, now)
    check_provider_open(market, model)
    tariff = parts.tariffs.of(market, model)
    return quote(
        tariff,
        request.most,
        par=project.par,
        markup=markup_of(project, model),
        now=now,
        limits=parts.freshness,
    )


def quote_fee(parts: GatewayParts, market: Market, project: Project, fee: Model) -> Quote:
    """One of what the gateway itself sells.

    Raises:
        as ``quote_request``
    """
    now = parts.chain_now(market)
    check_covered(project, fee)
    check_market_open(market, project, now)
    check_provider_open(market, fee)
    return quote(
        parts.tariffs.of(market, fee),
        dict.fromkeys(fee.units, 1),
        par=project.par,
        markup=project.markup,
        now=now,
        limits=parts.freshness,
    )


def quote_own_key(parts: GatewayParts, market: Market, project: Project, request: ShapedRequest) -> Quote:
    """A request that the caller's own key pays for at the provider: the gateway's fee, and nothing else. That the provider
    forbids resale does not matter, for nothing of it is sold.

    Raises:
        Unsupported: the channel takes no such key, or the gateway asks no fee for it, or it is a long job, which is followed
            with the gateway's own key: a caller's is kept nowhere.
        as ``quote_request``
    """
    model = request.model
    if not model.own_key or request.endpoint in LONG_FORMS:
        raise Unsupported(f"{model.id} takes no provider key of its callers", field=OWN_KEY_FIELD)
    if model.kind is not project.kind:
        raise ModelNotCovered(model.id, project.token, f"they are {project.kind}, the model is {model.kind}")
    if (fee := parts.standings.offers.own_key_fee(project.kind)) is None:
        raise Unsupported(
            f"this gateway sells no {project.kind} calls with a provider key of their own", field=OWN_KEY_FIELD
        )
    if model.provider_id in market.inactive_providers - market.resale_forbidden:
        raise Draining(f"{model.provider} is switched off")
    quoted = quote_fee(parts, market, project, fee)
    return quoted._replace(model=model, lines=(), fees=quoted.lines, own_key=True)


def check_covered(project: Project, model: Model) -> None:
    """Raises ModelNotCovered: official and routed never pay for each other; the terms name the providers."""
    if model.kind is not project.kind:
        raise ModelNotCovered(model.id, project.token, f"they are {project.kind}, the model is {model.kind}")
    if model.provider_id not in project.providers:
        raise ModelNotCovered(model.id, project.token, f"the project's terms do not name {model.provider}")


def check_market_open(market: Market, project: Project, now: UnixSeconds) -> None:
    """Raises AssetDepegged, ReserveShort, Draining while no new holds are taken."""
    if market.depegged:
        raise AssetDepegged
    if market.assets < market.claims:
        raise ReserveShort(market.assets, market.claims)
    if project.retired_at is not None:
        raise Draining(f"the project {project.symbol} is retired")
    if market.paused_until > now:
        raise Draining(f"settlement is paused until {market.paused_until}")


def check_provider_open(market: Market, model: Model) -> None:
    """Raises ResaleForbidden, Draining: its provider takes no new holds."""
    if not model.resale and not model.sold_on:
        raise ResaleForbidden(model.provider)
    if model.provider_id in market.inactive_providers:
        if model.provider_id in market.resale_forbidden:
            raise ResaleForbidden(model.provider)
        raise Draining(f"{model.provider} is switched off")
