"""What is for sale, at which prices, and in which state each price is."""

from typing import Any

from mintery.domain.market import Market
from mintery.domain.model import Model
from mintery.errors import UnknownModel
from mintery.units import format_usd
from mintery.usecases.parts import GatewayParts

UNPRICED = "unpriced"


def list_models(parts: GatewayParts, market: Market) -> list[dict[str, Any]]:
    """Every model as OpenAI lists them, with what Mintery adds under ``mintery``."""
    return [describe_model(parts, market, model.id) for model in parts.models.values()]


def describe_model(parts: GatewayParts, market: Market, name: str) -> dict[str, Any]:
    """Raises UnknownModel."""
    if (model := parts.models.get(name)) is None:
        raise UnknownModel(name)
    return {
        "id": model.id,
        "object": "model",
        "created": 0,
        "owned_by": model.provider,
        "mintery": {
            "kind": model.kind.value,
            "endpoint": model.endpoint.value,
            "test": model.test,
            "max_output_tokens": model.max_output_tokens,
            "context_tokens": model.context_tokens,
            "prices": price_states(parts, market, model),
        },
    }


def price_states(parts: GatewayParts, market: Market, model: Model) -> list[dict[str, Any]]:
    """For each SKU its price in USD per unit, its version and its state."""
    now = parts.chain_now(market)
    states = []
    for sku in model.skus:
        price = market.prices.get(sku)
        states.append(
            {
                "sku": str(sku),
                "usd": None if price is None else format_usd(price.usd),
                "usd_wad": None if price is None else str(price.usd),
                "version": None if price is None else price.version,
                "state": UNPRICED if price is None else price.state_at(now, parts.freshness).value,
            }
        )
    return states
