"""What is for sale, at which prices, and in which state each price is."""

from typing import Any

from mintery.domain.intent import RULES, Intent
from mintery.domain.long_job import LONG_FORMS
from mintery.domain.market import Market
from mintery.domain.model import Model
from mintery.domain.observation import Flaw
from mintery.domain.price import PriceInForce, PriceState
from mintery.errors import UnknownModel
from mintery.units import UnixSeconds, format_usd, pro_rata_down
from mintery.usecases.may_call import MayCall
from mintery.usecases.parts import GatewayParts

UNPRICED = "unpriced"
UNROUTABLE = "unroutable"


def list_models(parts: GatewayParts, market: Market, may_call: MayCall | None = None) -> list[dict[str, Any]]:
    """Every model as OpenAI lists them, with what Mintery adds under ``mintery``; then the names that routes share, and the
    intents. ``may_call``: with whether that key can call it.
    """
    shared = sorted({model.serves for model in parts.models.values() if model.serves})
    return [describe_model(parts, market, name, may_call) for name in (*parts.models, *shared, *Intent)]


def describe_model(parts: GatewayParts, market: Market, name: str, may_call: MayCall | None = None) -> dict[str, Any]:
    """Raises UnknownModel."""
    if (model := parts.models.get(name)) is None:
        return _describe_name(parts, name, may_call)
    return {
        "id": model.id,
        "object": "model",
        "created": 0,
        "owned_by": model.provider,
        "mintery": {
            "kind": model.kind.value,
            "endpoint": model.endpoint.value,
            "also": sorted(model.also),
            "test": model.test,
            "max_output_tokens": model.max_output_tokens,
            "context_tokens": model.context_tokens,
            "serves": model.serves or None,
            "quality": model.quality,
            "needs": model.needs or None,
            "health": _health_json(parts, model),
            "own_key": model.own_key,
            **_job_json(model),
            "prices": price_states(parts, market, model),
            **({} if may_call is None else {"key": may_call.model(model)}),
        },
    }


def _job_json(model: Model) -> dict[str, Any]:
    """What a long job of it may be asked: of a video the longest, of any other the fields that are taken."""
    if model.endpoint not in LONG_FORMS:
        return {}
    limits = {"max_seconds": model.max_seconds or None, "job_seconds": model.job_seconds}
    return limits | {"inputs": sorted(model.inputs), "counts": dict(model.counts)}


def _health_json(parts: GatewayParts, model: Model) -> dict[str, Any]:
    """As this process has measured it; see ``domain.route_health``."""
    now, health = parts.clock().timestamp(), parts.routes.health.of(model.id)
    figures = health.figures(now)
    return {
        "breaker": health.breaker.state_at(now).value,
        "calls": figures.calls,
        "failures": figures.failures,
        "first_byte_ms": None if figures.latency_us is None else pro_rata_down(figures.latency_us, 1, 1_000),
    }


def _describe_name(parts: GatewayParts, name: str, may_call: MayCall | None) -> dict[str, Any]:
    """Raises UnknownModel."""
    routes = tuple(parts.models.values()) if name in tuple(Intent) else parts.routes.named(parts.models, name)
    if not routes:
        raise UnknownModel(name)
    rule = RULES[Intent(name) if name in tuple(Intent) else Intent.AUTO]
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": "mintery",
        "mintery": {
            "rule": rule,
            "routes": [route.id for route in routes],
            "test": any(route.test for route in routes),
            **({} if may_call is None else {"key": may_call.any_of(name, routes)}),
        },
    }


def price_states(parts: GatewayParts, market: Market, model: Model) -> list[dict[str, Any]]:
    """For each SKU its price in USD per unit, its version and its state, and ``why`` where that is not normal, or where the
    price sources here have none.
    """
    now, flawed = parts.chain_now(market), parts.tariffs.flawed
    states = []
    for sku in model.skus:
        price, flaw = market.prices.get(sku), flawed.get(str(sku))
        state = UNPRICED if price is None else price.state_at(now, parts.freshness).value
        if flaw is not None and flaw.flaw is not Flaw.ABSENT:
            state = UNROUTABLE
        entry = {
            "sku": str(sku),
            "usd": None if price is None else format_usd(price.usd),
            "usd_wad": None if price is None else str(price.usd),
            "version": None if price is None else price.version,
            "state": state,
        }
        if (why := _why(price, now, state) if flaw is None else flaw.why) is not None:
            entry["why"] = why
        states.append(entry)
    return states


def _why(price: PriceInForce | None, now: UnixSeconds, state: str) -> str | None:
    if price is None:
        return "no quorum of reporters has put a price into force"
    if state == PriceState.QUEUED:
        return "another price waits for its confirmation"
    return None if state == PriceState.NORMAL else f"a quorum last saw it {now - price.refreshed_at} s ago"


def priced_states(parts: GatewayParts, market: Market) -> set[PriceState]:
    """Of everything that is for sale and has a price."""
    now = parts.chain_now(market)
    priced = (market.prices.get(sku) for model in parts.models.values() for sku in model.skus)
    return {price.state_at(now, parts.freshness) for price in priced if price is not None}
