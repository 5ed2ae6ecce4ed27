"""``/v1/reserve`` and ``/v1/prices``: what anyone may know of what backs the credits. Open to everyone."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from mintery.crypto.hashing import parse_address
from mintery.errors import MalformedInput, UnknownProject, UnknownSku
from mintery.gateway.entry import till_of
from mintery.gateway.errors import ErrorTable, Problems, Shown
from mintery.usecases.public_chain import PublicChain
from mintery.usecases.publish_reserve import (
    deployment_json,
    price_history_json,
    publish_reserve,
    reserve_history_json,
)

MOST = 1_000

ERRORS: ErrorTable = {
    UnknownProject: Shown(404, "invalid_request_error"),
    UnknownSku: Shown(404, "invalid_request_error", attributes=("sku",)),
}


def reserve_router(problems: Problems, chain: PublicChain) -> APIRouter:
    router = APIRouter(tags=["reserve"])

    @router.get("/v1/reserve")
    def get_reserve(request: Request) -> dict[str, Any]:
        """Every project's supply and reserve, where the contracts are, and the last comparison of ledger and chain."""
        return publish_reserve(till_of(request).parts, chain)

    @router.get("/v1/reserve/{token}/history", responses=problems.responses(UnknownProject, MalformedInput))
    def get_reserve_history(
        request: Request, token: str, limit: Annotated[int, Query(ge=1, le=MOST)] = MOST
    ) -> dict[str, Any]:
        """What one project's reserve has been, and what its supply needed, oldest first: the newest ``limit`` notes."""
        parts = till_of(request).parts
        address = parse_address(token)
        market, _ = chain.market()
        if address not in market.projects:
            raise UnknownProject(address, [f"{each.symbol} {each.token}" for each in market.projects.values()])
        return reserve_history_json(address, parts.ledger.reserve_history(address, limit=limit))

    @router.get("/v1/deployment")
    def get_deployment() -> dict[str, Any]:
        """Whether the money here is play money, and on which chain it is."""
        return deployment_json(chain)

    @router.get("/v1/prices/{sku:path}", responses=problems.responses(UnknownSku))
    def get_price_history(request: Request, sku: str) -> dict[str, Any]:
        """What one SKU has cost, version by version, oldest first: the newest 500 of them."""
        return price_history_json(chain.price_history(sku, till_of(request).parts.clock()))

    return router
