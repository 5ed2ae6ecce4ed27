"""``/v1/quote``: what a request may cost at most, without sending it."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from mintery.errors import (
    BodyTooLarge,
    BodyTooSlow,
    CredentialRefused,
    MalformedRequest,
    MembershipNeeded,
    ModelNotCovered,
    PriceStale,
    UnknownModel,
    Unsupported,
)
from mintery.gateway import examples
from mintery.gateway.bodies import read_body
from mintery.gateway.entry import (
    MEMBERSHIP_HEADER,
    PROVIDER_KEY_HEADER,
    SESSION_HEADER,
    credential_of,
    provider_key,
    till_of,
)
from mintery.gateway.errors import Problems
from mintery.units import format_nanocredits, format_usd
from mintery.usecases.pay_for_request import Asked, plan_body, standing_for
from mintery.usecases.rate_tokens import rate_tokens
from mintery.usecases.show_credits import show_credits
from mintery.usecases.verify_credential import check_may_spend


def quotes_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["money"])

    @router.post(
        "/v1/quote",
        responses=examples.QUOTE_ANSWER
        | problems.responses(
            CredentialRefused,
            MalformedRequest,
            Unsupported,
            BodyTooLarge,
            BodyTooSlow,
            UnknownModel,
            ModelNotCovered,
            MembershipNeeded,
            PriceStale,
        ),
        openapi_extra=examples.QUOTE_REQUEST,
    )
    async def post_quote(request: Request) -> dict[str, Any]:
        """Price the body of a chat or embeddings request. Sending that body within the quote's life costs no more."""
        parts = till_of(request).parts
        credential = credential_of(request, parts.market())
        body = await read_body(request, parts.limits)
        market = parts.market()  # read again: prices move while a body drips in
        check_may_spend(parts, market, credential)
        own_key = provider_key(request.headers.get(PROVIDER_KEY_HEADER))
        session = request.headers.get(SESSION_HEADER)
        asked = Asked(None, "/v1/quote", body, session=session, provider_key=own_key)
        standing = standing_for(parts, market, credential, request.headers.get(MEMBERSHIP_HEADER))
        plan = plan_body(parts, market, credential, asked, standing)
        quote, amount = plan.legs[0].quote, plan.amount
        funds = await run_in_threadpool(show_credits, parts, market, credential)
        return {
            "object": "quote",
            "model": quote.model.id,
            "test": quote.model.test,
            "backups": [leg.quote.model.id for leg in plan.legs[1:]],
            "max_cost_nanocredits": str(amount),
            "max_cost_credits": format_nanocredits(amount),
            "max_cost_usd": format_usd(quote.usd),
            "price_state": quote.state.value,
            "expires_at": quote.expires_at,
            "affordable": int(funds["spendable_nanocredits"]) >= amount,
            "spendable_nanocredits": funds["spendable_nanocredits"],
            "wallet": funds["wallet"],
            "own_key": quote.own_key,
            "memberships": sorted(standing.opens),
            "rates": {"requests_per_minute": standing.rates.requests, "tokens_per_minute": standing.rates.tokens},
            "counts_as_tokens": rate_tokens(plan.legs[0].request),
            "lines": [
                {
                    "sku": str(line.sku),
                    "price_version": line.price_version,
                    "unit_price_usd_wad": str(line.unit_price),
                    "max_quantity": line.quantity,
                }
                for line in quote.most
            ],
        }

    return router
