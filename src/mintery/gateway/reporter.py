"""What a reporter shows: its signed report to the other reporters, and to its operator what stands out of order."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.responses import JSONResponse, Response

from mintery import __version__

REPORT_PATH = "/v1/price-report"


def create_reporter_app(
    shown: Callable[[], bytes | None], health: Callable[[], Mapping[str, Any]], registry: CollectorRegistry
) -> FastAPI:
    """Open to everyone: a report is public as soon as it is sent, and the metrics say no more than it and the alarms."""
    app = FastAPI(title="Mintery price reporter", version=__version__)

    @app.get(REPORT_PATH)
    def get_report() -> Response:
        """The report of the present epoch, as it was signed; 404 before the first."""
        report = shown()
        if report is None:
            return JSONResponse({"error": {"message": "nothing is signed yet", "code": "no_report"}}, 404)
        return Response(report, media_type="application/json")

    @app.get("/healthz")
    def get_health() -> JSONResponse:
        """200 while this reporter itself works, else 503; ``alarms`` name it and the others, and why."""
        report = dict(health())
        return JSONResponse(report, 200 if report["works"] else 503)

    @app.get("/metrics", response_class=Response)
    def get_metrics() -> Response:
        """Prometheus text."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return app
