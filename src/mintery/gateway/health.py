"""``/healthz``: whether requests can be sold, and the state of each price. Open to everyone, however often."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from mintery.errors import ChainError, NotAvailable
from mintery.gateway import examples
from mintery.gateway.entry import till_of
from mintery.usecases.pay_for_request import Till
from mintery.usecases.report_health import DOWN, report_health

_FRESH = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Attributes:
    of: what was looked at; each of these is another object once it says something else.
    """

    at: datetime
    of: Sequence[object]
    answer: Response

    def serves(self, now: datetime, of: Sequence[object]) -> bool:
        return abs(now - self.at) < _FRESH and all(old is new for old, new in zip(self.of, of, strict=True))


def health_router() -> APIRouter:
    router = APIRouter(tags=["health"])
    shown: list[_Shown] = []

    @router.get("/healthz", responses=examples.HEALTH)
    async def get_health(request: Request) -> Response:
        """200 while anything sells, 503 when nothing does."""
        # Not in a thread: a report asks memory alone, and a load balancer hears one while every thread waits for something.
        till = till_of(request)
        now, of = till.parts.clock(), _looked_at(till)
        if not shown or not shown[0].serves(now, of):
            shown[:] = [_Shown(now, of, _answer(report_health(till.parts, till.attempts)))]
        return shown[0].answer

    return router


def _looked_at(till: Till) -> tuple[object, ...]:
    parts = till.parts
    market: object
    try:
        market = parts.market()
    except (NotAvailable, ChainError) as error:
        market = type(error)
    channels = parts.channels
    return market, till.attempts.draining, channels.models, channels.listed, parts.tariffs.flawed


def _answer(report: dict[str, Any]) -> Response:
    return JSONResponse(report, 503 if report["status"] == DOWN else 200)
