"""``/v1/why``: what a failed request failed at."""

import re
from typing import Any

from fastapi import APIRouter, Request

from mintery.domain.hold import RequestId
from mintery.errors import CredentialRefused, UnknownRequest
from mintery.gateway import examples
from mintery.gateway.entry import credential_of, is_operator, till_of
from mintery.gateway.errors import ErrorTable, Problems, Shown
from mintery.usecases.diagnose_request import diagnose_refusal, diagnose_request

_ID = re.compile(r"req_[0-9a-f]{32}", re.ASCII)
ERRORS: ErrorTable = {
    UnknownRequest: Shown(404, "invalid_request_error", "request_not_found", attributes=("request_id",))
}


def diagnoses_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["routes"])

    @router.get(
        "/v1/why/{request_id}",
        responses=examples.WHY_ANSWER | problems.responses(CredentialRefused, UnknownRequest),
    )
    def get_diagnosis(request: Request, request_id: str) -> dict[str, Any]:
        """Name what a request failed at (pricing, balance, routing, provider, key or model), with the evidence.

        For the gateway key or the account that sent it, and for the operator. A request whose key opened no account is explained to
        whoever knows its id, in the words in which it was refused.
        """
        till = till_of(request)
        if not _ID.fullmatch(request_id):  # whoever asks without a key asks nothing of the ledger with it
            raise UnknownRequest(request_id)
        named = RequestId(request_id)
        refusal = till.refusals.find(named)
        if refusal is not None and refusal.account is None:
            return diagnose_refusal(refusal)
        reader = None
        if not is_operator(request):
            market, _ = till.parts.reading()
            reader = credential_of(request, market)
        if refusal is None:
            return diagnose_request(till.parts, named, reader)
        if reader is not None and not reader.may_read(refusal.account, refusal.key):
            raise UnknownRequest(named)
        return diagnose_refusal(refusal)

    return router
