"""``/v1/route/explain``: which route a request would take, and why not another."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from mintery.domain.model import Endpoint
from mintery.errors import BodyTooLarge, BodyTooSlow, CredentialRefused, MalformedRequest, UnknownModel, Unsupported
from mintery.gateway import examples
from mintery.gateway.bodies import read_body
from mintery.gateway.entry import MEMBERSHIP_HEADER, SESSION_HEADER, credential_of, till_of
from mintery.gateway.errors import Problems
from mintery.usecases.choose_route import counter_of
from mintery.usecases.explain_route import explain_route
from mintery.usecases.pay_for_request import standing_for
from mintery.usecases.shape_request import read_fields


def explanations_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["routes"])

    @router.post(
        "/v1/route/explain",
        responses=examples.ROUTE_ANSWER
        | problems.responses(CredentialRefused, MalformedRequest, Unsupported, BodyTooLarge, BodyTooSlow, UnknownModel),
        openapi_extra=examples.QUOTE_REQUEST,
    )
    async def post_route_explanation(
        request: Request, endpoint: Annotated[Endpoint | None, Query()] = None
    ) -> dict[str, Any]:
        """Explain how the body of a request would be routed now: the choice, what would stand in for it, and for every
        other route the reason. Nothing is spent, and no provider is called.
        """
        parts = till_of(request).parts
        credential = credential_of(request, parts.market())
        body = await read_body(request, parts.limits)
        market = parts.market()  # read again: prices move while a body drips in
        standing = standing_for(parts, market, credential, request.headers.get(MEMBERSHIP_HEADER))
        counter = counter_of(parts, market, credential, standing)
        session = request.headers.get(SESSION_HEADER)
        return explain_route(counter, endpoint, read_fields(body), size=len(body), session=session)

    return router
