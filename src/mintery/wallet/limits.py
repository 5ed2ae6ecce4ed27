"""``/v1/wallet/limits``: how much may be spent in a day, a week, a month; ``/v1/wallet/time-zone``: where those begin."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from mintery.domain.keys import KeyId
from mintery.domain.limits import LimitId, LimitPeriod
from mintery.errors import MalformedRequest, NotSignedIn, UnknownGatewayKey, UnknownLimit, UnknownTimeZone
from mintery.gateway.entry import till_of
from mintery.gateway.errors import Problems
from mintery.usecases import keep_limits
from mintery.usecases.keep_limits import Scope
from mintery.wallet.amounts import AmountIn
from mintery.wallet.callers import HolderDep
from mintery.wallet.key_shapes import limit_json
from mintery.wallet.projects import project_of


class NewLimitIn(AmountIn):
    token: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$")
    period: Literal["day", "week", "month"]
    key: str | None = Field(None, max_length=60)
    model: str | None = Field(None, max_length=200)
    intent: str | None = Field(None, max_length=40)


class TimeZoneIn(BaseModel):
    time_zone: str = Field(min_length=1, max_length=60)


class TimeZoneOut(BaseModel):
    time_zone: str | None = Field(description="An IANA name; None: UTC, as nobody has said.")


def limits_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["wallet: limits"], responses=problems.responses(NotSignedIn))
    unknown = problems.responses(UnknownLimit, UnknownGatewayKey, MalformedRequest)

    @router.get("/v1/wallet/limits")
    def get_limits(request: Request, caller: HolderDep) -> dict[str, Any]:
        """All limits that stand, each with what its period has counted. What is set aside counts."""
        parts = till_of(request).parts
        states = keep_limits.limit_states(parts, caller.holder)
        return {"object": "list", "data": [limit_json(parts, each) for each in states]}

    @router.post("/v1/wallet/limits", responses=unknown)
    def post_limit(request: Request, caller: HolderDep, body: NewLimitIn) -> dict[str, Any]:
        """Set a limit. It counts from now on, and holds for the next request."""
        parts = till_of(request).parts
        project = project_of(parts, body.token)
        scope = Scope(project.token, None if body.key is None else KeyId(body.key), body.model, body.intent)
        state = keep_limits.set_limit(parts, caller.holder, scope, LimitPeriod(body.period), body.nanocredits(project))
        return limit_json(parts, state)

    @router.patch("/v1/wallet/limits/{limit_id}", responses=unknown)
    def patch_limit(request: Request, caller: HolderDep, limit_id: str, body: AmountIn) -> dict[str, Any]:
        """Another ceiling. What the period has counted stays."""
        parts = till_of(request).parts
        limit = LimitId(limit_id)
        token = keep_limits.limit_state(parts, caller.holder, limit).limit.token
        ceiling = body.nanocredits(project_of(parts, token))
        return limit_json(parts, keep_limits.change_limit(parts, caller.holder, limit, ceiling))

    @router.delete("/v1/wallet/limits/{limit_id}", responses=unknown)
    def delete_limit(request: Request, caller: HolderDep, limit_id: str) -> dict[str, Any]:
        """End a limit; as it stood."""
        parts, limit = till_of(request).parts, LimitId(limit_id)
        state = keep_limits.limit_state(parts, caller.holder, limit)
        keep_limits.end_limit(parts, caller.holder, limit)
        return limit_json(parts, state)

    @router.get("/v1/wallet/time-zone")
    def get_time_zone(request: Request, caller: HolderDep) -> TimeZoneOut:
        """Where the holder's days, weeks and months begin."""
        return TimeZoneOut(time_zone=till_of(request).parts.ledger.time_zone(caller.holder))

    @router.put("/v1/wallet/time-zone", responses=problems.responses(UnknownTimeZone))
    def put_time_zone(request: Request, caller: HolderDep, body: TimeZoneIn) -> TimeZoneOut:
        """Say where, by an IANA name like Europe/Berlin. Limits follow at once."""
        keep_limits.set_time_zone(till_of(request).parts, caller.holder, body.time_zone)
        return TimeZoneOut(time_zone=body.time_zone)

    return router
