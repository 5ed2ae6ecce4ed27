"""``/v1/chat/completions`` and ``/v1/embeddings``: the requests that cost."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from mintery.domain.market import Market
from mintery.domain.model import Endpoint
from mintery.errors import (
    AnswerGone,
    AnswerLost,
    BodyTooLarge,
    BodyTooSlow,
    Conflict,
    CredentialRefused,
    HoldAboveStaleLimit,
    LedgerError,
    LedgerUnavailable,
    LimitReached,
    MalformedInput,
    MalformedRequest,
    MinteryError,
    ModelNotCovered,
    ModelUnpriced,
    NotAvailable,
    NotFound,
    OutOfFunds,
    PriceQueued,
    PriceStale,
    ProviderFailed,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnreachable,
    UnknownModel,
    Unsupported,
    VoucherAlreadyUsed,
)
from mintery.gateway import examples
from mintery.gateway.bodies import read_body
from mintery.gateway.entry import credential_of, till_of
from mintery.gateway.errors import OUR_FAULT, ErrorTable, Problem, Problems, Shown, respond
from mintery.gateway.refusals import provider_problem
from mintery.gateway.relay import AnswerResponse
from mintery.units import NanoCredits, format_nanocredits
from mintery.usecases.answer_request import mark_delivered
from mintery.usecases.attempts import Attempt
from mintery.usecases.meters import log_alarm
from mintery.usecases.pay_for_request import Asked, Till, pay_for_request
from mintery.usecases.show_credits import wallet_of
from mintery.usecases.verify_credential import Credential

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
    OutOfFunds: Shown(402, "insufficient_quota", attributes=FUNDS),
    LimitReached: Shown(402, "insufficient_quota", attributes=(*FUNDS, "limit")),
    Conflict: Shown(409, "conflict", attributes=("request_id",)),
    NotAvailable: Shown(503, "service_unavailable", retry=True),
    ModelUnpriced: Shown(503, "service_unavailable", attributes=("model", "sku")),
    PriceStale: Shown(503, "service_unavailable", retry=True, attributes=("sku", "age", "limit")),
    PriceQueued: Shown(503, "service_unavailable", retry=True, attributes=("sku",)),
    HoldAboveStaleLimit: Shown(503, "service_unavailable", retry=True, attributes=("sku", "required", "limit")),
    ProviderFailed: Shown(502, "provider_error", attributes=("provider",)),
    ProviderUnreachable: Shown(502, "provider_error", attributes=("provider",)),
    ProviderTimedOut: Shown(504, "provider_error", attributes=("provider", "seconds")),
    ProviderRefused: Shown(502, "provider_error", attributes=("provider", "status")),
    AnswerLost: Shown(500, "server_error", attributes=("request_id",)),
    LedgerError: Shown(500, "server_error", "ledger_error", instead=OUR_FAULT),
    LedgerUnavailable: Shown(
        503, "service_unavailable", retry=True, instead="the ledger cannot be written now", wait=5
    ),
}

RAISES = (
    CredentialRefused,
    MalformedRequest, Unsupported, BodyTooLarge, BodyTooSlow, UnknownModel, ModelNotCovered, OutOfFunds, VoucherAlreadyUsed,
    AnswerGone, PriceStale, ModelUnpriced, ProviderUnreachable, ProviderTimedOut, ProviderNonsense,
)  # fmt: skip


def paid_router(problems: Problems) -> APIRouter:
    """The routes, documented with what they raise."""
    router = APIRouter(tags=["paid"])

    @router.post(
        "/v1/chat/completions",
        responses=examples.CHAT_ANSWERS | problems.responses(*RAISES),
        openapi_extra=examples.CHAT_REQUEST,
        response_class=Response,
    )
    async def post_chat_completion(request: Request) -> Response:
        """Answer a chat, whole or as server-sent events, and charge what it used."""
        return await _answer(request, Endpoint.CHAT, problems)

    @router.post(
        "/v1/embeddings",
        responses=examples.EMBEDDING_ANSWERS | problems.responses(*RAISES),
        openapi_extra=examples.EMBEDDING_REQUEST,
        response_class=Response,
    )
    async def post_embeddings(request: Request) -> Response:
        """Turn texts into vectors and charge the tokens."""
        return await _answer(request, Endpoint.EMBEDDINGS, problems)

    return router


async def _answer(request: Request, endpoint: Endpoint, problems: Problems) -> Response:
    till = till_of(request)
    credential = credential_of(request, till.parts.market())
    body = await read_body(request, till.parts.limits)
    market = till.parts.market()  # read again: prices move while a body drips in
    asked = Asked(
        endpoint=endpoint,
        path=request.url.path,
        body=body,
        idempotency_key=_idempotency_key(request),
        declared_retry=request.headers.get("x-stainless-retry-count", "0") not in {"", "0"},
    )
    try:
        attempt = await pay_for_request(till, market, credential, asked)
    except OutOfFunds as error:
        return respond(problems.of(error, beside=_top_up(market, credential, error)))
    try:
        head = await attempt.head()
    except ProviderRefused as error:
        return _with_receipt(provider_problem(problems, error), attempt)
    except MinteryError as error:
        return _with_receipt(problems.of(error), attempt)

    async def delivered() -> None:
        till.attempts.spawn(_mark_delivered(till, attempt))

    return AnswerResponse(attempt, head, problems, delivered)


def _with_receipt(problem: Problem, attempt: Attempt) -> Response:
    """After dispatch every error names its request and forbids the client's own retries."""
    response = respond(problem)
    response.headers["x-mintery-request"] = attempt.request
    response.headers["x-request-id"] = attempt.request
    response.headers["x-should-retry"] = "false"
    return response


def _top_up(market: Market, credential: Credential, error: OutOfFunds) -> dict[str, Any]:
    wallet = wallet_of(market, credential)
    symbol = wallet["symbol"]
    required = format_nanocredits(NanoCredits(error.required))
    available = format_nanocredits(NanoCredits(error.available))
    return {
        "message": (
            f"This request may need up to {required} {symbol}, and {available} can be spent ({error}). "
            f"To go on, deposit more {symbol} into this wallet or sign a voucher with a higher maximum; "
            "or ask for less with a smaller max_tokens."
        ),
        "wallet": wallet,
        "required_nanocredits": str(error.required),
        "available_nanocredits": str(error.available),
    }


async def _mark_delivered(till: Till, attempt: Attempt) -> None:
    try:
        await mark_delivered(till.parts, attempt.request)
    except MinteryError as error:
        log_alarm("delivery_not_recorded", request=attempt.request, why=type(error).__name__)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= 255:
        raise MalformedRequest("Idempotency-Key must have 1 to 255 characters", field="Idempotency-Key")
    return key
