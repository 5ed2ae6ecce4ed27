"""``/v1/models``: what is for sale. Open to everyone."""

from typing import Any

from fastapi import APIRouter, Request

from mintery.errors import UnknownModel
from mintery.gateway import examples
from mintery.gateway.entry import till_of
from mintery.gateway.errors import Problems
from mintery.usecases.list_models import describe_model, list_models


def models_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["models"])

    @router.get("/v1/models", responses=examples.MODEL_LIST)
    def get_models(request: Request) -> dict[str, Any]:
        """Every model with its prices and their states. Models of a stub are marked ``test``."""
        parts = till_of(request).parts
        return {"object": "list", "data": list_models(parts, parts.market())}

    @router.get("/v1/models/{model:path}", responses=problems.responses(UnknownModel))
    def get_model(request: Request, model: str) -> dict[str, Any]:
        """One model."""
        parts = till_of(request).parts
        return describe_model(parts, parts.market(), model)

    return router
