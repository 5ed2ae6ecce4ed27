"""What the gateway sells of itself, and what an account has bought of it."""

from collections.abc import Sequence
from typing import Any

from mintery.domain.market import Market
from mintery.domain.membership import Offer, Standing
from mintery.domain.model import Model
from mintery.domain.project import Project
from mintery.domain.voucher import AccountId
from mintery.errors import MinteryError, snake_case
from mintery.ledger.queries_memberships import Membership
from mintery.units import format_nanocredits, format_usd
from mintery.usecases.hold_memberships import renews, status_of
from mintery.usecases.parts import GatewayParts
from mintery.usecases.quote_request import quote_fee


def show_offers(parts: GatewayParts, market: Market, project: Project | None) -> list[dict[str, Any]]:
    """As JSON values: each with its prices, and what ``project``'s credits pay for it where one is given."""
    return [_offer_json(parts, market, project, offer) for offer in parts.standings.offers.offers.values()]


def show_standing(parts: GatewayParts, account: AccountId) -> dict[str, Any]:
    """What the account may do now."""
    return _standing_json(parts.standings.of(account, parts.clock()))


def show_memberships(parts: GatewayParts, memberships: Sequence[Membership]) -> list[dict[str, Any]]:
    return [membership_json(parts, each) for each in memberships]


def membership_json(parts: GatewayParts, membership: Membership) -> dict[str, Any]:
    """A standing authority: what it may charge, how much at most, and when next."""
    goes_on = renews(membership, parts.ledger.revoked_vouchers(membership.key.holder))
    last, status = membership.last, status_of(membership, parts.clock(), renews=goes_on)
    return {
        "object": "membership",
        "membership": membership.name,
        "status": status,
        "account": membership.account,
        "token": membership.key.token,
        "most_nanocredits_a_month": str(membership.most),
        "most_credits_a_month": format_nanocredits(membership.most),
        "agreed_at": membership.agreed_at.isoformat(),
        "ended_at": None if membership.ended_at is None else membership.ended_at.isoformat(),
        "ended_for": membership.ended_for,
        "paid_until": None if last is None else last.paid.ends_at.isoformat(),
        "next_charge_at": last.paid.ends_at.isoformat() if last is not None and goes_on else None,
        "receipt": None if last is None else last.request,
        "voucher_deadline": membership.signed.voucher.deadline,
    }


def _offer_json(parts: GatewayParts, market: Market, project: Project | None, offer: Offer) -> dict[str, Any]:
    opens = sorted(model.id for model in parts.channels.models.values() if model.needs == offer.name)
    fees = parts.standings.offers.fees_of(offer.name, None if project is None else project.kind)
    return {
        "object": "membership.offer",
        "membership": offer.name,
        "models": opens,
        "requests_per_minute": offer.rates.requests,
        "tokens_per_minute": offer.rates.tokens,
        "priority": offer.priority,
        "prices": [_price_json(parts, market, project, fee) for fee in sorted(fees, key=lambda fee: fee.id)],
    }


def _price_json(parts: GatewayParts, market: Market, project: Project | None, fee: Model) -> dict[str, Any]:
    """In USD as the oracle has it; in credits with the project's markup, or why these do not pay for it now."""
    [sku] = fee.skus
    price = market.prices.get(sku)
    told: dict[str, Any] = {
        "per": sku.unit,
        "kind": fee.kind.value,
        "sku": str(sku),
        "usd": None if price is None else format_usd(price.usd),
    }
    if project is None:
        return told
    try:
        amount = quote_fee(parts, market, project, fee).amount
    except MinteryError as reason:
        return told | {"available": False, "code": snake_case(type(reason).__name__), "why": str(reason)}
    return told | {"available": True, "nanocredits": str(amount), "credits": format_nanocredits(amount)}


def _standing_json(standing: Standing) -> dict[str, Any]:
    return {
        "memberships": sorted(standing.opens),
        "requests_per_minute": standing.rates.requests,
        "tokens_per_minute": standing.rates.tokens,
        "priority": standing.priority,
    }
