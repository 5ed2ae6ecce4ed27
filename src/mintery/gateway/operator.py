"""What is the operator's alone: metrics, status, the last reconciliation, draining."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from mintery.errors import CredentialMissing, NotOperator
from mintery.gateway.entry import require_operator, till_of
from mintery.gateway.errors import Problems
from mintery.usecases.meters import log_transition
from mintery.usecases.report_health import report_status


def operator_router(problems: Problems) -> APIRouter:
    router = APIRouter(
        tags=["operator"],
        dependencies=[Depends(require_operator)],
        responses=problems.responses(CredentialMissing, NotOperator),
    )

    @router.get("/metrics", response_class=Response)
    def get_metrics(request: Request) -> Response:
        """Prometheus text."""
        return Response(generate_latest(till_of(request).parts.registry), media_type=CONTENT_TYPE_LATEST)

    @router.get("/v1/operator/status")
    def get_status(request: Request) -> dict[str, Any]:
        """Health, the ledger's sums per token, open holds and batches."""
        till = till_of(request)
        return report_status(till.parts, till.attempts)

    @router.get("/v1/operator/reconciliation")
    def get_reconciliation(request: Request) -> dict[str, Any]:
        """What the last reconciliation found; empty before the first."""
        reconcile = till_of(request).parts.reconcile
        return {} if reconcile is None else dict(reconcile())

    @router.post("/v1/operator/drain")
    def post_drain(request: Request) -> dict[str, Any]:
        """Take no new requests; what is running is answered to its end."""
        return _set_draining(request, draining=True)

    @router.delete("/v1/operator/drain")
    def delete_drain(request: Request) -> dict[str, Any]:
        """Take requests again."""
        return _set_draining(request, draining=False)

    return router


def _set_draining(request: Request, *, draining: bool) -> dict[str, Any]:
    attempts = till_of(request).attempts
    attempts.draining = draining
    log_transition("draining" if draining else "serving", running=len(attempts))
    return {"draining": draining, "running": len(attempts)}
