"""``/v1/wallet/activity``: what happened last, page by page; ``/v1/wallet/receipts``: one request, before and after."""

import hashlib
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from mintery.domain.hold import RequestId
from mintery.domain.statement import LineKind
from mintery.errors import CredentialRefused, MalformedRequest, NotSignedIn, UnknownReceipt, UnknownTimeZone
from mintery.gateway.entry import till_of
from mintery.gateway.errors import Problems
from mintery.usecases.show_activity import Page, Wanted, show_activity
from mintery.usecases.show_request import show_request
from mintery.wallet.callers import CallerDep
from mintery.wallet.statement import ZoneName, labels_of, zone_for

MOST = 200
_NAME = Query(max_length=200)


def activity_router(problems: Problems) -> APIRouter:
    router = APIRouter(
        tags=["wallet: statement"], responses=problems.responses(NotSignedIn, CredentialRefused, UnknownTimeZone)
    )

    @router.get("/v1/wallet/activity", response_class=Response, responses=problems.responses(MalformedRequest))
    def get_activity(
        request: Request,
        caller: CallerDep,
        *,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
        cursor: Annotated[str | None, Query(max_length=60, description="The `next` of the page before.")] = None,
        kind: LineKind | None = None,
        wallet: Literal["official", "routed"] | None = None,
        key: Annotated[str | None, _NAME] = None,
        model: Annotated[str | None, _NAME] = None,
        time_zone: ZoneName = None,
    ) -> Response:
        """The newest lines first, and the requests that are under way now. A gateway key sees its own requests alone.

        To follow it live, ask for the first page again with its `ETag` as `If-None-Match`: 304 says that nothing is new.
        """
        parts = till_of(request).parts
        market, _ = parts.reading()
        page = Page(
            limit, f"{caller.holder}/{caller.key or ''}", cursor, Wanted(kind, wallet, caller.key or key, model)
        )
        shown = show_activity(
            parts,
            market,
            caller.accounts,
            page,
            zone=zone_for(request, caller, time_zone),
            labels=labels_of(request, caller),
        )
        return _unless_known(request, shown)

    @router.get("/v1/wallet/receipts/{request_id}", responses=problems.responses(UnknownReceipt))
    def get_request(
        request: Request,
        caller: CallerDep,
        request_id: str,
        time_zone: ZoneName = None,
    ) -> dict[str, Any]:
        """What a request could cost at most, and, once it is charged, its signed receipt."""
        parts = till_of(request).parts
        market, _ = parts.reading()
        return show_request(
            parts,
            market,
            RequestId(request_id),
            caller.accounts,
            key=caller.key,
            zone=zone_for(request, caller, time_zone),
            labels=labels_of(request, caller),
        )

    return router


def _unless_known(request: Request, shown: dict[str, Any]) -> Response:
    body = orjson.dumps(shown)
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "Cache-Control": "private, no-cache"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
