"""``/v1/key`` and ``/v1/generation`` in OpenRouter's forms, and ``/api/v1``, by which its clients know all that they ask for."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import Response
from starlette.types import Scope

from mintery.domain.hold import RequestId
from mintery.errors import CredentialRefused, UnknownReceipt
from mintery.gateway import examples, paid
from mintery.gateway.entry import credential_of, is_operator, till_of
from mintery.gateway.errors import Problems
from mintery.usecases.openrouter_forms import generation_form, key_form

PREFIX = "/api"
SHARED = frozenset({*paid.PATHS, "/v1/models", "/v1/credits", "/v1/key", "/v1/auth/key", "/v1/generation"})
"""What OpenRouter's API has too. Nothing else is there by a second name: whoever closes a path must close one."""


def as_ours(scope: Scope) -> Scope:
    """A request to ``/api/v1/…``, of which we have ``/v1/…``, as one to that."""
    if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
        return scope
    ours = scope["path"].removeprefix(PREFIX)
    if ours not in SHARED:
        return scope
    return {**scope, "path": ours, "raw_path": ours.encode()}


def openrouter_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["money"])

    def get_key(request: Request) -> Response:
        """The key's limit and what was used of it, in dollars, in OpenRouter's form."""
        parts = till_of(request).parts
        market, _ = parts.reading()
        return exact_json({"data": key_form(parts, market, credential_of(request, market))})

    described: dict[str, Any] = {
        "response_class": Response,
        "responses": examples.KEY_ANSWER | problems.responses(CredentialRefused),
    }
    router.add_api_route("/v1/key", get_key, **described)
    router.add_api_route("/v1/auth/key", get_key, include_in_schema=False)

    @router.get(
        "/v1/generation",
        response_class=Response,
        responses=examples.GENERATION_ANSWER | problems.responses(CredentialRefused, UnknownReceipt),
    )
    def get_generation(
        request: Request, generation: Annotated[str, Query(alias="id", description="From the answer's x-request-id.")]
    ) -> Response:
        """What one request used and cost, in dollars, in OpenRouter's form. The receipt says more."""
        parts = till_of(request).parts
        reader = None
        if not is_operator(request):
            market, _ = parts.reading()
            reader = credential_of(request, market)
        return exact_json({"data": generation_form(parts, RequestId(generation), reader)})

    return router


def exact_json(facts: dict[str, Any]) -> Response:
    """With numbers that are written out already."""
    return Response(orjson.dumps(facts), media_type="application/json")
