"""``/healthz``: whether requests can be sold, and the state of each price. Open to everyone."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from mintery.gateway import examples
from mintery.gateway.entry import till_of
from mintery.usecases.report_health import DOWN, report_health


def health_router() -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz", responses=examples.HEALTH)
    def get_health(request: Request) -> JSONResponse:
        """200 while anything sells, 503 when nothing does."""
        till = till_of(request)
        report = report_health(till.parts, till.attempts)
        return JSONResponse(report, 503 if report["status"] == DOWN else 200)

    return router
