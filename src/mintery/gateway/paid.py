"""``/v1/chat/completions`` and its like: the requests that cost.

They are answered without the framework between: its routing, middleware and response objects cost as much as all that is
done here. The router still documents them, and leads to the same code.
"""

import asyncio
from collections.abc import Mapping

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mintery.domain.keys import KEY_TEXT_PREFIX
from mintery.domain.long_job import LONG_FORMS
from mintery.domain.model import Endpoint
from mintery.errors import (
    AccountBusy,
    AnswerLost,
    AnswerTooLong,
    BodyTooLarge,
    BodyTooSlow,
    Conflict,
    HoldAboveStaleLimit,
    LedgerError,
    LedgerUnavailable,
    LimitReached,
    MalformedInput,
    MalformedRequest,
    MembershipNeeded,
    MembershipNotSold,
    MinteryError,
    ModelNotCovered,
    ModelUnpriced,
    NoRoute,
    NoRouteNow,
    NotAvailable,
    NotFound,
    OutOfFunds,
    PriceQueued,
    PriceStale,
    ProviderFailed,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnreachable,
    RateAboveLimit,
    RateLimited,
    RouteExcluded,
    RouteTooDear,
    SkuUnroutable,
    UnknownMembership,
    UnknownModel,
    Unsupported,
)
from mintery.gateway.bodies import arrived, receive_body
from mintery.gateway.entry import (
    MEMBERSHIP_HEADER,
    PROVIDER_KEY_HEADER,
    RAISED_HEADER,
    SESSION_HEADER,
    bearer_key,
    provider_key,
)
from mintery.gateway.errors import OUR_FAULT, ErrorTable, Problem, Problems, Shown, fault_of, respond
from mintery.gateway.rates import rate_headers
from mintery.gateway.refusals import provider_problem, refuse
from mintery.gateway.relay import relay
from mintery.usecases.attempts import Attempt, Head
from mintery.usecases.explain_shortfall import shortfall
from mintery.usecases.pay_for_request import Asked, Till, pay_for_request
from mintery.usecases.verify_credential import is_known, verify_credential

FUNDS = ("required", "available", "account")

ERRORS: ErrorTable = {
    MalformedInput: Shown(400, "invalid_request_error"),
    MalformedRequest: Shown(400, "invalid_request_error"),
    Unsupported: Shown(422, "invalid_request_error"),
    BodyTooLarge: Shown(413, "invalid_request_error", attributes=("size", "limit")),
    BodyTooSlow: Shown(408, "invalid_request_error", attributes=("seconds",)),
    NotFound: Shown(404, "invalid_request_error"),
    UnknownModel: Shown(404, "invalid_request_error", "model_not_found", attributes=("model",)),
    ModelNotCovered: Shown(404, "invalid_request_error", attributes=("model", "token", "why")),
    NoRoute: Shown(404, "invalid_request_error", attributes=("asked", "reasons")),
    RouteExcluded: Shown(404, "invalid_request_error", attributes=("route",)),
    RouteTooDear: Shown(404, "invalid_request_error", attributes=("route", "unit", "actual", "markup", "limit")),
    UnknownMembership: Shown(404, "invalid_request_error", attributes=("membership",)),
    MembershipNotSold: Shown(404, "invalid_request_error", attributes=("membership", "period")),
    MembershipNeeded: Shown(403, "permission_error", attributes=("model", "membership", "sold_by")),
    OutOfFunds: Shown(402, "insufficient_quota", attributes=FUNDS),
    LimitReached: Shown(402, "insufficient_quota", attributes=(*FUNDS, "limit", "period", "resets_at")),
    Conflict: Shown(409, "conflict", attributes=("request_id",)),
    NotAvailable: Shown(503, "service_unavailable", retry=True),
    AccountBusy: Shown(429, "rate_limit_error", "rate_limit_exceeded", retry=True, attributes=("account", "limit")),
    RateLimited: Shown(429, "rate_limit_error", "rate_limit_exceeded", retry=True, attributes=("by", "limit")),
    RateAboveLimit: Shown(429, "rate_limit_error", attributes=("by", "actual", "limit")),
    NoRouteNow: Shown(503, "service_unavailable", retry=True, attributes=("asked", "reasons")),
    ModelUnpriced: Shown(503, "service_unavailable", attributes=("model", "sku")),
    SkuUnroutable: Shown(503, "service_unavailable", retry=True, attributes=("sku", "why")),
    PriceStale: Shown(503, "service_unavailable", retry=True, attributes=("sku", "age", "limit")),
    PriceQueued: Shown(503, "service_unavailable", retry=True, attributes=("sku",)),
    HoldAboveStaleLimit: Shown(503, "service_unavailable", retry=True, attributes=("sku", "required", "limit")),
    ProviderFailed: Shown(502, "provider_error", attributes=("provider",)),
    ProviderUnreachable: Shown(502, "provider_error", attributes=("provider",)),
    ProviderTimedOut: Shown(504, "provider_error", attributes=("provider", "seconds")),
    ProviderRefused: Shown(502, "provider_error", attributes=("provider", "status")),
    AnswerTooLong: Shown(502, "provider_error", attributes=("provider", "limit")),
    AnswerLost: Shown(500, "server_error", attributes=("request_id",)),
    LedgerError: Shown(500, "server_error", "ledger_error", instead=OUR_FAULT),
    LedgerUnavailable: Shown(
        503, "service_unavailable", retry=True, instead="the ledger cannot be written now", wait=5
    ),
}

PATHS: Mapping[str, Endpoint] = {
    "/v1/chat/completions": Endpoint.CHAT,
    "/v1/responses": Endpoint.RESPONSES,
    "/v1/embeddings": Endpoint.EMBEDDINGS,
    "/v1/moderations": Endpoint.MODERATION,
    "/v1/images/generations": Endpoint.IMAGES,
    "/v1/audio/speech": Endpoint.SPEECH,
    "/v1/audio/transcriptions": Endpoint.TRANSCRIPTION,
    "/v1/videos": Endpoint.VIDEOS,
    "/v1/jobs": Endpoint.JOBS,
}
FORMS = frozenset({Endpoint.TRANSCRIPTION})
"""Those whose bodies are forms, for they carry files."""
MAYBE_FORMS = frozenset({Endpoint.VIDEOS})
"""Those whose bodies may carry files."""
FORM = "multipart/form-data"


class PaidEndpoint:
    """One paid path, as an ASGI application."""

    def __init__(self, till: Till, path: str, problems: Problems) -> None:
        self._till = till
        self._path = path
        self._endpoint = PATHS[path]
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            begun = await self._begin(scope, receive)
        except MinteryError as error:
            begun = refuse(self._till, self._problems.of(error), error)
        except ClientDisconnect:
            return  # it left before it had asked for anything
        except Exception as error:
            await respond(fault_of(self._problems, error))(scope, receive, send)
            raise  # the server logs it with its trace
        if isinstance(begun, Response):
            await begun(scope, receive, send)
            return
        attempt, head = begun
        if await relay(attempt, head, self._problems, receive, send):
            self._till.deliveries.note(attempt.request, opened=self._endpoint in LONG_FORMS)

    async def _begin(self, scope: Scope, receive: Receive) -> tuple[Attempt, Head] | Response:
        """Raises what is refused before it is known whose request it is; what fails afterwards is answered with its request."""
        till, parts = self._till, self._till.parts
        headers = _Headers(scope)
        key = bearer_key(headers.get("authorization") or "")
        market, body = parts.market(), b""
        raised = headers.get(RAISED_HEADER)
        if key is not None and key.startswith(KEY_TEXT_PREFIX) and not is_known(parts, key, raised):
            credential = await asyncio.to_thread(verify_credential, parts, market, key, raised)
        else:
            credential = verify_credential(parts, market, key, raised)
        try:
            body = await receive_body(receive, headers.get("content-length"), parts.limits)
            market = parts.market()  # read again: prices move while a body drips in
            attempt = await pay_for_request(till, market, credential, self._asked(headers, body, receive))
        except MinteryError as error:
            beside = shortfall(market, credential, error) if isinstance(error, OutOfFunds) else None
            problem = self._problems.of(error, beside=beside)
            if isinstance(error, RateLimited | RateAboveLimit):
                problem.headers.update(rate_headers(error.left))
            return refuse(till, problem, error, asker=credential, body=body)
        try:
            return attempt, await attempt.head()
        except ProviderRefused as error:
            return _with_receipt(provider_problem(self._problems, error), attempt)
        except MinteryError as error:
            return _with_receipt(self._problems.of(error), attempt)

    def _asked(self, headers: "_Headers", body: bytes, receive: Receive) -> Asked:
        """Raises MalformedRequest."""
        return Asked(
            endpoint=self._endpoint,
            path=self._path,
            body=body,
            idempotency_key=_idempotency_key(headers.get("idempotency-key")),
            declared_retry=(headers.get("x-stainless-retry-count") or "0") != "0",
            form=self._form(headers.get("content-type") or ""),
            session=headers.get(SESSION_HEADER),
            membership=headers.get(MEMBERSHIP_HEADER),
            provider_key=provider_key(headers.get(PROVIDER_KEY_HEADER)),
            gone=lambda: _is_gone(receive),
        )

    def _form(self, content_type: str) -> str | None:
        """The content type of a body that has to be a form, or says that it is one."""
        may_be = self._endpoint in MAYBE_FORMS and content_type.lower().startswith(FORM)
        return content_type if may_be or self._endpoint in FORMS else None


class _Headers:
    """A request's headers by their names in lower case; of one that is there twice, the first."""

    def __init__(self, scope: Scope) -> None:
        self._values: dict[bytes, bytes] = dict(reversed(scope["headers"]))

    def get(self, name: str) -> str | None:
        value = self._values.get(name.encode())
        return None if value is None else value.decode("latin-1")


def _is_gone(receive: Receive) -> bool:
    message = arrived(receive)
    return message is not None and message["type"] == "http.disconnect"


def _with_receipt(problem: Problem, attempt: Attempt) -> Response:
    """After dispatch every error names its request and forbids the client's own retries."""
    response = respond(problem)
    response.headers["x-mintery-request"] = attempt.request
    response.headers["x-request-id"] = attempt.request
    response.headers["x-should-retry"] = "false"
    return response


def _idempotency_key(key: str | None) -> str | None:
    if key is not None and not 1 <= len(key) <= 255:
        raise MalformedRequest("Idempotency-Key must have 1 to 255 characters", field="Idempotency-Key")
    return key
