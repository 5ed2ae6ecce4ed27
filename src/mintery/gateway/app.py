"""The gateway's HTTP application."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mintery import __version__
from mintery.errors import MalformedRequest, MinteryError
from mintery.gateway import (
    channels,
    diagnoses,
    entry,
    examples,
    long_jobs,
    memberships,
    orders,
    paid,
    receipts,
    reserve,
)
from mintery.gateway.channels import channels_router
from mintery.gateway.credits import credits_router
from mintery.gateway.diagnoses import diagnoses_router
from mintery.gateway.errors import Problem, Problems, fault_of, respond
from mintery.gateway.explanations import explanations_router
from mintery.gateway.health import health_router
from mintery.gateway.long_jobs import long_jobs_router
from mintery.gateway.memberships import memberships_router
from mintery.gateway.models import models_router
from mintery.gateway.open_routes import OpenRoutes, small_body
from mintery.gateway.openrouter import as_ours, openrouter_router
from mintery.gateway.operator import operator_router
from mintery.gateway.orders import order_admin_router, webhooks_router
from mintery.gateway.paid import PaidEndpoint
from mintery.gateway.paid_routes import paid_router
from mintery.gateway.quotes import quotes_router
from mintery.gateway.receipts import receipts_router
from mintery.gateway.reserve import reserve_router
from mintery.gateway.shared import shared
from mintery.usecases.meters import Meters, log_transition
from mintery.usecases.parts import GatewayParts
from mintery.usecases.pay_for_request import Till, open_till
from mintery.usecases.state_meters import StateMeters
from mintery.wallet import routers as wallet

LOG = logging.getLogger(__name__)


class GatewayApp(FastAPI):
    """FastAPI, but for the paid paths: those go straight to their endpoints. What strangers may ask is counted before that, and no
    call's body is longer, or longer on its way, than it may be.
    """

    def __init__(self, endpoints: Mapping[str, PaidEndpoint], till: Till, problems: Problems, **options: Any) -> None:
        super().__init__(**options)
        self.state.till = till
        self.open_routes = OpenRoutes()
        self._endpoints = endpoints
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = as_ours(scope)
        if scope["type"] == "http" and scope["method"] == "POST":
            endpoint = self._endpoints.get(scope["path"])
            if endpoint is not None:
                await endpoint(scope, receive, send)
                return
        if scope["type"] == "http":
            till: Till = self.state.till
            try:
                self.open_routes.count({**scope, "app": self})
                receive = await small_body(scope, receive, till.parts.limits)
            except MinteryError as error:
                await respond(self._problems.of(error))(scope, receive, send)
                return
            except ClientDisconnect:
                return
        await super().__call__(scope, receive, send)


@cache
def _problems() -> Problems:
    """The same for every gateway of a process."""
    return Problems(
        paid.ERRORS,
        entry.ERRORS,
        receipts.ERRORS,
        diagnoses.ERRORS,
        long_jobs.ERRORS,
        channels.ERRORS,
        memberships.ERRORS,
        orders.ERRORS,
        reserve.ERRORS,
        *wallet.ERRORS,
    )


def create_app(parts: GatewayParts) -> FastAPI:
    """A gateway over ``parts``. Stopping it waits for what it is answering, then closes the providers; the ledger is
    the caller's to close.
    """
    meters = Meters(parts.registry)
    parts.registry.register(StateMeters(parts))
    till = open_till(parts, meters)
    meters.running.set_function(lambda: len(till.attempts))
    meters.waiting.set_function(lambda: len(till.attempts.queue))
    problems = _problems()

    endpoints = {path: PaidEndpoint(till, path, problems) for path in paid.PATHS}
    app = GatewayApp(
        endpoints,
        till,
        problems,
        title="Mintery gateway",
        version=__version__,
        description="An OpenAI-compatible gateway that is paid in project credits, by vouchers their holders signed.",
        lifespan=_lifespan,
        docs_url=None,  # their scripts come from elsewhere, and would run where holders are signed in
        redoc_url=None,
    )
    for router in (
        paid_router(endpoints, problems),
        shared(quotes_router, problems),
        shared(explanations_router, problems),
        shared(diagnoses_router, problems),
        shared(credits_router, problems),
        shared(openrouter_router, problems),
        shared(receipts_router, problems),
        *(long_jobs_router(form, problems) for form in long_jobs.FORMS),
        shared(models_router, problems),
        shared(memberships_router, problems),
        health_router(),
        shared(operator_router, problems),
        *([] if parts.public is None else [reserve_router(problems, parts.public)]),
        *wallet.routers(problems),
        shared(channels_router, problems),
        shared(webhooks_router, problems),
        shared(order_admin_router, problems),
    ):
        app.include_router(router)
    _answer_errors(app, problems)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's own way to add to its document
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document, and how keys are sent."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        document.setdefault("components", {})["securitySchemes"] = examples.SECURITY
        app.openapi_schema = document
    return app.openapi_schema


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    till: Till = app.state.till
    yield
    till.attempts.draining = True
    cut = await till.attempts.drained(till.parts.limits.drain_seconds)
    for provider in till.parts.providers.values():
        await provider.close()
    for job_provider in till.parts.job_providers.values():
        await job_provider.close()
    log_transition("stopped", cut_off=cut)


def _answer_errors(app: FastAPI, problems: Problems) -> None:
    @app.exception_handler(MinteryError)
    async def on_typed(_request: Request, error: MinteryError) -> Response:
        return respond(problems.of(error))

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"][1:])
        problem = problems.of(MalformedRequest(f"{place}: {first['msg']}", field=place))
        return respond(Problem(422, problem.body, problem.headers))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        problem = problems.of(MalformedRequest(f"{request.method} {request.url.path}: {error.detail}"))
        return respond(Problem(error.status_code, problem.body, {**problem.headers, **(error.headers or {})}))

    @app.exception_handler(Exception)
    async def on_fault(_request: Request, error: Exception) -> Response:
        # Starlette raises it again after this answer, so the server logs it with its trace.
        return respond(fault_of(problems, error))
