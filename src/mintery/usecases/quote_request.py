"""What a request may cost at most, and whether its account's credits may pay for it at all, right now."""

from mintery.domain.channel import markup_of
from mintery.domain.market import Market
from mintery.domain.model import Model
from mintery.domain.project import Project
from mintery.domain.quote import Quote, quote
from mintery.errors import AssetDepegged, Draining, ModelNotCovered, ResaleForbidden, ReserveShort
from mintery.units import UnixSeconds
from mintery.usecases.parts import GatewayParts
from mintery.usecases.shaped import ShapedRequest


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
