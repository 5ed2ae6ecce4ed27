"""The paid paths as the OpenAPI document shows them. Each leads to its ``PaidEndpoint``."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from fastapi import APIRouter
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mintery.errors import (
    AnswerGone,
    AnswerTooLong,
    BodyTooLarge,
    BodyTooSlow,
    CredentialRefused,
    HoldTooLong,
    MalformedRequest,
    MembershipNeeded,
    MinteryError,
    ModelNotCovered,
    ModelUnpriced,
    NoRoute,
    NoRouteNow,
    OutOfFunds,
    PriceStale,
    ProviderNonsense,
    ProviderTimedOut,
    ProviderUnreachable,
    RateLimited,
    UnknownModel,
    Unsupported,
    VoucherAlreadyUsed,
)
from mintery.gateway import paid_examples
from mintery.gateway.errors import Problems
from mintery.gateway.examples import Documented
from mintery.gateway.paid import PaidEndpoint

RAISES = (
    CredentialRefused,
    MalformedRequest, Unsupported, BodyTooLarge, BodyTooSlow, UnknownModel, ModelNotCovered, NoRoute, NoRouteNow,
    OutOfFunds, VoucherAlreadyUsed, AnswerGone, PriceStale, ModelUnpriced, ProviderUnreachable, ProviderTimedOut, ProviderNonsense,
    AnswerTooLong, MembershipNeeded, RateLimited,
)  # fmt: skip


class _Documented(NamedTuple):
    """One path in the document."""

    name: str
    about: str
    request: Mapping[str, Any]
    answers: Documented
    raises: tuple[type[MinteryError], ...] = RAISES


ROUTES: Mapping[str, _Documented] = {
    "/v1/chat/completions": _Documented(
        "post_chat_completion",
        "Answer a chat, whole or as server-sent events, and charge what it used.",
        paid_examples.CHAT_REQUEST,
        paid_examples.CHAT_ANSWERS,
    ),
    "/v1/embeddings": _Documented(
        "post_embeddings",
        "Turn texts into vectors and charge the tokens.",
        paid_examples.EMBEDDING_REQUEST,
        paid_examples.EMBEDDING_ANSWERS,
    ),
    "/v1/responses": _Documented(
        "post_response",
        "Answer in the form of the Responses API, whole or as server-sent events, and charge what it used.",
        paid_examples.RESPONSE_REQUEST,
        paid_examples.RESPONSE_ANSWERS,
    ),
    "/v1/moderations": _Documented(
        "post_moderation",
        "Judge texts and charge the request or its tokens.",
        paid_examples.MODERATION_REQUEST,
        paid_examples.MODERATION_ANSWERS,
    ),
    "/v1/images/generations": _Documented(
        "post_images",
        "Make pictures and charge each by its size and quality, or the tokens.",
        paid_examples.IMAGE_REQUEST,
        paid_examples.IMAGE_ANSWERS,
    ),
    "/v1/audio/speech": _Documented(
        "post_speech",
        "Speak a text and charge its characters.",
        paid_examples.SPEECH_REQUEST,
        paid_examples.SPEECH_ANSWERS,
    ),
    "/v1/audio/transcriptions": _Documented(
        "post_transcription",
        "Write a recording down and charge its seconds, or the tokens.",
        paid_examples.TRANSCRIPTION_REQUEST,
        paid_examples.TRANSCRIPTION_ANSWERS,
    ),
    "/v1/videos": _Documented(
        "post_video",
        "Open a video; hold what it may cost, and charge it when it is completed.",
        paid_examples.VIDEO_REQUEST,
        paid_examples.VIDEO_ANSWER,
        (*RAISES, HoldTooLong),
    ),
    "/v1/jobs": _Documented(
        "post_job",
        "Open anything else that takes minutes: music, game assets. It is charged when it is completed.",
        paid_examples.JOB_REQUEST,
        paid_examples.JOB_ANSWER,
        (*RAISES, HoldTooLong),
    ),
}


def paid_router(endpoints: Mapping[str, PaidEndpoint], problems: Problems) -> APIRouter:
    """The routes, documented with what they raise."""
    router = APIRouter(tags=["paid"])
    for path, documented in ROUTES.items():
        router.add_api_route(
            path,
            _leading_to(endpoints[path]),
            methods=["POST"],
            name=documented.name,
            description=documented.about,
            responses=documented.answers | problems.responses(*documented.raises),
            openapi_extra=dict(documented.request),
            response_class=Response,
        )
    return router


def _leading_to(endpoint: PaidEndpoint) -> Callable[[], Awaitable[Response]]:
    async def post() -> Response:
        return _Answer(endpoint)

    return post


class _Answer(Response):
    """What an endpoint sends, where the framework asks for a response."""

    def __init__(self, endpoint: PaidEndpoint) -> None:
        super().__init__()
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._endpoint(scope, receive, send)
