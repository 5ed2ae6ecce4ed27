"""``/v1/models``: what is for sale. Open to everyone; with a key, whether that key can call it."""

from typing import Any

from fastapi import APIRouter, Request

from mintery.domain.market import Market
from mintery.errors import CredentialRefused, MalformedVoucher, UnknownModel
from mintery.gateway import examples
from mintery.gateway.entry import bearer, credential_of, till_of
from mintery.gateway.errors import Problems
from mintery.usecases.list_models import describe_model, list_models
from mintery.usecases.may_call import MayCall
from mintery.usecases.verify_credential import refresh_credential


def models_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["models"])

    @router.get("/v1/models", responses=examples.MODEL_LIST)
    def get_models(request: Request) -> dict[str, Any]:
        """Every model with its prices and their states, and how its route has answered. Models of a stub are marked ``test``.
        With a key: whether it can call the model now, and otherwise why not.
        """
        parts = till_of(request).parts
        market = parts.market()
        return {"object": "list", "data": list_models(parts, market, _may_call(request, market))}

    @router.get("/v1/models/{model:path}", responses=problems.responses(UnknownModel))
    def get_model(request: Request, model: str) -> dict[str, Any]:
        """One model."""
        parts = till_of(request).parts
        market = parts.market()
        return describe_model(parts, market, model, _may_call(request, market))

    return router


def _may_call(request: Request, market: Market) -> MayCall | None:
    if bearer(request) is None:
        return None
    parts = till_of(request).parts
    try:
        return MayCall(parts, market, refresh_credential(parts, market, credential_of(request, market)))
    except (CredentialRefused, MalformedVoucher) as refused:
        return MayCall(parts, market, refused)
