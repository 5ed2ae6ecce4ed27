"""``/v1/wallet/authorities``: everything that may act for the holder without asking again, and its end."""

from typing import Any

from fastapi import APIRouter, Request

from mintery.domain.authority import Authority
from mintery.errors import NotSignedIn, UnknownAuthority
from mintery.gateway.entry import till_of
from mintery.gateway.errors import Problems
from mintery.usecases.authorities import list_authorities, revoke_authority
from mintery.usecases.parts import GatewayParts
from mintery.wallet.amounts import amount_json
from mintery.wallet.callers import HolderDep
from mintery.wallet.projects import project_if_known


def authorities_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["wallet: authorities"], responses=problems.responses(NotSignedIn))

    @router.get("/v1/wallet/authorities")
    def get_authorities(request: Request, caller: HolderDep) -> dict[str, Any]:
        """All that stand: keys and budgets, memberships, vouchers, signatures of what is not done yet, sign-ins."""
        parts = till_of(request).parts
        return {
            "object": "list",
            "data": [_authority_json(parts, each) for each in list_authorities(parts, caller.holder)],
        }

    @router.delete("/v1/wallet/authorities/{authority_id}", responses=problems.responses(UnknownAuthority))
    def delete_authority(request: Request, caller: HolderDep, authority_id: str) -> dict[str, Any]:
        """Revoke one, from the next request on. A membership's paid month runs to its end."""
        parts = till_of(request).parts
        return _authority_json(parts, revoke_authority(parts, caller.holder, authority_id))

    return router


def _authority_json(parts: GatewayParts, authority: Authority) -> dict[str, Any]:
    project = None if authority.token is None else project_if_known(parts, authority.token)
    most = {} if authority.most is None else amount_json("most", authority.most, project)
    return {
        "object": "authority",
        "id": authority.id,
        "kind": authority.kind.value,
        "label": authority.label,
        "token": authority.token,
        "symbol": None if project is None else project.symbol,
        "since": authority.since,
        "until": authority.until,
        "terms": list(authority.terms),
        **most,
    }
