"""``/admin/channels``: what the operator sells, and how; every change is kept with who made it and why."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from mintery.domain.channel import ChannelChange
from mintery.errors import (
    ChannelChangedMeanwhile,
    ChannelSettingRefused,
    CredentialMissing,
    MalformedRequest,
    MultiplierAboveMarkup,
    NotOperator,
    UnknownChannel,
)
from mintery.gateway.entry import operator_named, require_operator, till_of
from mintery.gateway.errors import ErrorTable, Problems, Shown
from mintery.usecases import change_channel as change
from mintery.usecases.change_channel import MOST_REASON, Said
from mintery.usecases.discover_models import discover_models
from mintery.usecases.list_channels import change_json, channel_json, list_changes, list_channels
from mintery.usecases.parts import GatewayParts

ERRORS: ErrorTable = {
    ChannelSettingRefused: Shown(422, "invalid_request_error", attributes=("name", "why")),
    MultiplierAboveMarkup: Shown(422, "invalid_request_error", attributes=("name", "actual", "limit")),
    ChannelChangedMeanwhile: Shown(409, "conflict", attributes=("name", "setting")),
    UnknownChannel: Shown(404, "invalid_request_error", attributes=("name",)),
}
REFUSALS = (ChannelSettingRefused, ChannelChangedMeanwhile, UnknownChannel)
MOST_CHANGES = 1_000


class _SaidIn(BaseModel):
    """``by``: the person, as the operator's key does not say it; not to be given by whoever is signed in."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=MOST_REASON)
    by: str | None = Field(default=None, min_length=1, max_length=MOST_REASON)


class AddedIn(_SaidIn):
    """``terms``: the model as the providers file would declare it; left out for one that the file declares itself."""

    channel: str = Field(pattern=r"^[^\s/:]+/[^\s:]+$")
    terms: dict[str, Any] | None = None


class SwitchIn(_SaidIn):
    on: bool


class MultiplierIn(_SaidIn):
    """``basis_points`` over the provider's price; null for the projects' own markup."""

    basis_points: int | None = Field(ge=0)


class PrimaryIn(_SaidIn):
    """``backups`` in their order; those left out follow."""

    backups: tuple[str, ...] = ()


def channels_router(problems: Problems) -> APIRouter:
    router = APIRouter(
        prefix="/admin/channels",
        tags=["channels"],
        dependencies=[Depends(require_operator)],
        responses=problems.responses(CredentialMissing, NotOperator),
    )

    @router.get("")
    def get_channels(request: Request) -> dict[str, Any]:
        """Official channels and ordinary routes apart, each with its state, its place and its settings."""
        return list_channels(_parts(request))

    @router.get("/history")
    def get_history(
        request: Request, name: str | None = None, limit: Annotated[int, Query(ge=1, le=MOST_CHANGES)] = 100
    ) -> dict[str, Any]:
        """What was changed, newest first: before and after, who and why."""
        return {"object": "list", "data": list_changes(_parts(request), name, limit)}

    @router.get("/discovered", responses=problems.responses(UnknownChannel))
    async def get_discovered(request: Request, provider: str | None = None) -> dict[str, Any]:
        """Ask providers which models they offer now: what is new there, gone there, or has no price here."""
        return {"object": "list", "data": await discover_models(_parts(request), provider)}

    _add_changes(router, problems)
    return router


def _add_changes(router: APIRouter, problems: Problems) -> None:
    refusals = problems.responses(*REFUSALS, MultiplierAboveMarkup, MalformedRequest)

    @router.post("", responses=refusals)
    def post_channel(request: Request, body: AddedIn) -> dict[str, Any]:
        """Sell a model of a provider that the providers file names."""
        parts = _parts(request)
        return _changed(parts, body.channel, change.add_channel(parts, body.channel, body.terms, _said(request, body)))

    @router.post("/{channel:path}/remove", responses=refusals)
    def post_removal(request: Request, channel: str, body: _SaidIn) -> dict[str, Any]:
        """Sell and list it no more. Requests that have their hold are answered."""
        parts = _parts(request)
        return _changed(parts, channel, change.remove_channel(parts, channel, _said(request, body)))

    @router.put("/{channel:path}/enabled", responses=refusals)
    def put_enabled(request: Request, channel: str, body: SwitchIn) -> dict[str, Any]:
        """Take it from sale, or put it back."""
        parts = _parts(request)
        return _changed(parts, channel, change.enable_channel(parts, channel, _said(request, body), enabled=body.on))

    @router.put("/{channel:path}/own-key", responses=refusals)
    def put_own_key(request: Request, channel: str, body: SwitchIn) -> dict[str, Any]:
        """Let callers bring their own key of its provider, or not."""
        parts = _parts(request)
        return _changed(parts, channel, change.allow_own_key(parts, channel, _said(request, body), allowed=body.on))

    @router.put("/{channel:path}/multiplier", responses=refusals)
    def put_multiplier(request: Request, channel: str, body: MultiplierIn) -> dict[str, Any]:
        """Ask less over the provider's price than the projects' markup."""
        parts = _parts(request)
        return _changed(parts, channel, change.set_multiplier(parts, channel, body.basis_points, _said(request, body)))

    @router.put("/{channel:path}/primary", responses=refusals)
    def put_primary(request: Request, channel: str, body: PrimaryIn) -> dict[str, Any]:
        """Ask it first among the channels that share its name; the others stand in."""
        parts = _parts(request)
        said = _said(request, body)
        return _changed(parts, channel, change.make_primary(parts, channel, said, backups=body.backups))

    @router.put("/providers/{provider}/resale", responses=refusals)
    def put_resale(request: Request, provider: str, body: SwitchIn) -> dict[str, Any]:
        """Say that a provider does not let its models be sold on: no route of it takes new holds from now on."""
        parts = _parts(request)
        changed = change.allow_resale(parts, provider, _said(request, body), allowed=body.on)
        return {"provider": provider, "change": None if changed is None else change_json(changed)}


def _parts(request: Request) -> GatewayParts:
    return till_of(request).parts


def _said(request: Request, body: _SaidIn) -> Said:
    return Said(operator_named(request, body.by), body.reason, _parts(request).clock())


def _changed(parts: GatewayParts, channel: str, changed: ChannelChange | None) -> dict[str, Any]:
    """The channel as it is now, None where it is gone; ``change`` None where it was so before."""
    model = parts.channels.listed.get(channel)
    market, _ = parts.reading()
    return {
        "channel": None if model is None else channel_json(parts, market, model),
        "change": None if changed is None else change_json(changed),
    }
