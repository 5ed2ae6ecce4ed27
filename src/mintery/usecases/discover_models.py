"""What providers offer beside what is sold here. Nothing follows from it by itself: adding a channel is a person's act."""

import asyncio
from collections.abc import Sequence
from typing import Any

from mintery.domain.market import Market
from mintery.domain.model import Model
from mintery.errors import NotAvailable, ProviderFailed, UnknownChannel
from mintery.usecases.parts import GatewayParts


async def discover_models(parts: GatewayParts, provider: str | None = None) -> list[dict[str, Any]]:
    """For each provider (or one), as JSON values: models that are ``new`` here, channels whose model is ``gone`` there, and
    channels that are ``unpriced``. ``error`` where the provider did not say.

    Raises:
        UnknownChannel, NotAvailable
    """
    sellers = parts.channels.sellers
    if provider is not None and provider not in sellers:
        raise UnknownChannel(provider)
    names = sorted(sellers) if provider is None else [provider]
    market, _ = parts.reading()
    return list(await asyncio.gather(*(_of_provider(parts, market, name) for name in names)))


async def _of_provider(parts: GatewayParts, market: Market, name: str) -> dict[str, Any]:
    channels = [model for model in parts.channels.listed.values() if model.provider == name]
    unpriced = sorted(model.id for model in channels if not _is_priced(parts, market, model))
    try:
        offered: Sequence[str] = await parts.providers[name].models()
    except ProviderFailed as error:
        return {"provider": name, "offered": None, "new": [], "gone": [], "unpriced": unpriced, "error": str(error)}
    known = {model.upstream for model in (*channels, *parts.channels.declared.values()) if model.provider == name}
    return {
        "provider": name,
        "offered": len(offered),
        "new": sorted(set(offered) - known),
        "gone": sorted(model.id for model in channels if model.upstream not in offered),
        "unpriced": unpriced,
        "error": None,
    }


def _is_priced(parts: GatewayParts, market: Market, model: Model) -> bool:
    try:
        parts.tariffs.of(market, model)
    except NotAvailable:
        return False
    return True
