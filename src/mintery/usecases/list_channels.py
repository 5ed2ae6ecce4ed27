"""Every channel as an operator sees it, official ones and ordinary routes apart, and what was changed of them."""

from typing import Any

import orjson

from mintery.domain.channel import ChannelChange, shared_name
from mintery.domain.market import Market
from mintery.domain.model import Model
from mintery.domain.voucher import Kind
from mintery.errors import ChannelDisabled, MinteryError, NotAvailable, snake_case
from mintery.usecases.parts import GatewayParts
from mintery.usecases.quote_request import check_provider_open

FOR_SALE = "for_sale"


def list_channels(parts: GatewayParts) -> dict[str, Any]:
    """As JSON values. Raises NotAvailable before the chain was read."""
    market, _ = parts.reading()
    board = parts.channels
    shown = sorted(board.listed.values(), key=lambda each: (each.serves or each.id, each.backup, each.id))
    by_kind = {kind: [channel_json(parts, market, each) for each in shown if each.kind is kind] for kind in Kind}
    return {
        "object": "channels",
        "official": by_kind[Kind.OFFICIAL],
        "routed": by_kind[Kind.ROUTED],
        "removed": sorted(name for name, terms in board.settings.terms.items() if terms is None),
        "unusable": dict(board.unusable),
        "providers": [_provider_json(parts, market, name) for name in sorted(board.sellers)],
    }


def channel_json(parts: GatewayParts, market: Market, model: Model) -> dict[str, Any]:
    """``state`` is ``for_sale``, or names what keeps it from that; ``why`` says it."""
    board = parts.channels
    why = _why_not(parts, market, model)
    shares = [each for each in board.listed.values() if model.serves and shared_name(each) == shared_name(model)]
    role = "backup" if model.backup else "primary" if any(each.backup for each in shares) else None
    return {
        "channel": model.id,
        "kind": model.kind.value,
        "provider": model.provider,
        "upstream_model": model.upstream,
        "endpoint": model.endpoint.value,
        "serves": model.serves or None,
        "role": role,
        "place": model.backup,
        "state": FOR_SALE if why is None else snake_case(type(why).__name__),
        "why": None if why is None else str(why),
        "multiplier_bps": 0 if model.kind is Kind.OFFICIAL else model.multiplier,
        "own_key": model.own_key,
        "resale": model.resale,
        "quality": model.quality,
        "test": model.test,
        "added": model.id not in board.declared or bool(board.settings.terms.get(model.id)),
    }


def change_json(change: ChannelChange) -> dict[str, Any]:
    """One row of the audit ledger."""
    return {
        "seq": change.seq,
        "scope": change.subject.scope.value,
        "name": change.subject.name,
        "setting": change.subject.setting.value,
        "revision": change.revision,
        "before": None if change.earlier is None else orjson.loads(change.earlier),
        "after": None if change.value is None else orjson.loads(change.value),
        "by": change.changed_by,
        "reason": change.reason,
        "at": change.at.isoformat(),
    }


def list_changes(parts: GatewayParts, name: str | None, limit: int) -> list[dict[str, Any]]:
    """Newest first."""
    return [change_json(change) for change in parts.ledger.channel_changes(name=name, limit=limit)]


def closed_channels(parts: GatewayParts, market: Market) -> dict[str, str]:
    """Those that take no new requests by somebody's decision, each with the reason; what prices do is told elsewhere."""
    closed: dict[str, str] = {}
    for model in parts.channels.listed.values():
        try:
            if model.id not in parts.models:
                raise ChannelDisabled(model.id)
            check_provider_open(market, model)
        except NotAvailable as error:
            closed[model.id] = str(error)
    return closed


def _why_not(parts: GatewayParts, market: Market, model: Model) -> MinteryError | None:
    """Why no request can take it now; not what one request or one project asks."""
    if model.id not in parts.models:
        return parts.channels.missing(model.id)
    try:
        check_provider_open(market, model)
        parts.tariffs.of(market, model)
    except NotAvailable as error:
        return error
    return parts.routes.health.barred(parts.clock().timestamp()).get(model.id)


def _provider_json(parts: GatewayParts, market: Market, name: str) -> dict[str, Any]:
    """``resale``: whether its models are sold on; ``forbidden_by`` who says no."""
    board = parts.channels
    seller = board.sellers[name]
    says_no = [
        who
        for who, no in (
            ("the providers file", not seller.resale),
            ("the operator", not board.settings.resale.get(name, True)),
            ("the registry", seller.registry_id in market.resale_forbidden),
        )
        if no and seller.kind is Kind.ROUTED
    ]
    return {
        "provider": name,
        "kind": seller.kind.value,
        "registry_id": seller.registry_id,
        "resale": None if seller.kind is Kind.OFFICIAL else not says_no,
        "forbidden_by": says_no,
        "switched_off": seller.registry_id in market.inactive_providers - market.resale_forbidden,
    }
