"""``/v1/receipts``: to the account that paid, to its gateway keys what each spent itself, and to the operator."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from mintery.domain.hold import RequestId
from mintery.errors import CredentialRefused, UnknownReceipt
from mintery.gateway import examples
from mintery.gateway.entry import credential_of, is_operator, till_of
from mintery.gateway.errors import ErrorTable, Problems, Shown
from mintery.usecases.read_receipt import list_receipts, read_receipt
from mintery.usecases.verify_credential import Credential

MOST = 1_000

ERRORS: ErrorTable = {
    UnknownReceipt: Shown(404, "invalid_request_error", "receipt_not_found", attributes=("request_id",))
}


def receipts_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["money"])

    @router.get("/v1/receipts", responses=problems.responses(CredentialRefused))
    def get_receipts(request: Request, limit: Annotated[int, Query(ge=1, le=MOST)] = 100) -> dict[str, Any]:
        """The newest receipts, newest first; the operator sees every account's."""
        parts = till_of(request).parts
        return {"object": "list", "data": list_receipts(parts, _reader(request), limit)}

    @router.get(
        "/v1/receipts/{request_id}",
        responses=examples.RECEIPT_ANSWER | problems.responses(CredentialRefused, UnknownReceipt),
    )
    def get_receipt(request: Request, request_id: str) -> dict[str, Any]:
        """One signed receipt, with the transaction that settled it once there is one."""
        return read_receipt(till_of(request).parts, RequestId(request_id), _reader(request))

    return router


def _reader(request: Request) -> Credential | None:
    """None stands for the operator. A chain that cannot be read keeps nobody from a receipt."""
    if is_operator(request):
        return None
    market, _ = till_of(request).parts.reading()
    return credential_of(request, market)
