"""``/v1/reserve`` and ``/v1/prices``: what anyone may know of what backs the credits. Open to everyone."""

from typing import Any

from fastapi import APIRouter, Request

from mintery.errors import UnknownSku
from mintery.gateway.entry import till_of
from mintery.gateway.errors import ErrorTable, Problems, Shown
from mintery.usecases.public_chain import PublicChain
from mintery.usecases.publish_reserve import deployment_json, price_history_json, publish_reserve

ERRORS: ErrorTable = {UnknownSku: Shown(404, "invalid_request_error", attributes=("sku",))}


def reserve_router(problems: Problems, chain: PublicChain) -> APIRouter:
    router = APIRouter(tags=["reserve"])

    @router.get("/v1/reserve")
    def get_reserve(request: Request) -> dict[str, Any]:
        """Every project's supply and reserve, where the contracts are, and the last comparison of ledger and chain."""
        return publish_reserve(till_of(request).parts, chain)

    @router.get("/v1/deployment")
    def get_deployment() -> dict[str, Any]:
        """Whether the money here is play money, and on which chain it is."""
        return deployment_json(chain)

    @router.get("/v1/prices/{sku:path}", responses=problems.responses(UnknownSku))
    def get_price_history(request: Request, sku: str) -> dict[str, Any]:
        """What one SKU has cost, version by version, oldest first: the newest 500 of them."""
        return price_history_json(chain.price_history(sku, till_of(request).parts.clock()))

    return router
