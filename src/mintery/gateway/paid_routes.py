"""The paid paths as the OpenAPI document shows them. Each leads to its ``PaidEndpoint``."""

from collections.abc import Mapping

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
from mintery.gateway import examples
from mintery.gateway.errors import Problems
from mintery.gateway.paid import PaidEndpoint

RAISES = (
    CredentialRefused,
    MalformedRequest, Unsupported, BodyTooLarge, BodyTooSlow, UnknownModel, ModelNotCovered, NoRoute, NoRouteNow,
    OutOfFunds, VoucherAlreadyUsed, AnswerGone, PriceStale, ModelUnpriced, ProviderUnreachable, ProviderTimedOut, ProviderNonsense,
    AnswerTooLong, MembershipNeeded, RateLimited,
)  # fmt: skip


def paid_router(endpoints: Mapping[str, PaidEndpoint], problems: Problems) -> APIRouter:
    """The routes, documented with what they raise."""
    router = APIRouter(tags=["paid"])

    @router.post(
        "/v1/chat/completions",
        responses=examples.CHAT_ANSWERS | problems.responses(*RAISES),
        openapi_extra=examples.CHAT_REQUEST,
        response_class=Response,
    )
    async def post_chat_completion() -> Response:
        """Answer a chat, whole or as server-sent events, and charge what it used."""
        return _Answer(endpoints["/v1/chat/completions"])

    @router.post(
        "/v1/embeddings",
        responses=examples.EMBEDDING_ANSWERS | problems.responses(*RAISES),
        openapi_extra=examples.EMBEDDING_REQUEST,
        response_class=Response,
    )
    async def post_embeddings() -> Response:
        """Turn texts into vectors and charge the tokens."""
        return _Answer(endpoints["/v1/embeddings"])

    @router.post(
        "/v1/responses",
        responses=examples.RESPONSE_ANSWERS | problems.responses(*RAISES),
        openapi_extra=examples.RESPONSE_REQUEST,
        response_class=Response,
    )
    async def post_response() -> Response:
        """Answer in the form of the Responses API, whole or as server-sent events, and charge what it used."""
        return _Answer(endpoints["/v1/responses"])

    @router.post(
        "/v1/moderations",
        responses=examples.MODERATION_ANSWERS | problems.responses(*RAISES),
        openapi_extra=examples.MODERATION_REQUEST,
        response_class=Response,
    )
    async def post_moderation() -> Response:
        """Judge texts and charge the request or its tokens."""
        return _Answer(endpoints["/v1/moderations"])

    @router.post(
        "/v1/images/generations",
        responses=examples.IMAGE_ANSWERS | problems.responses(*RAISES),
        openapi_extra=examples.IMAGE_REQUEST,
        response_class=Response,
    )
    async def post_images() -> Response:
        """Make pictures and charge each by its size and quality, or the tokens."""
        return _Answer(endpoints["/v1/images/generations"])

    @router.post(
        "/v1/audio/speech",
        responses=examples.SPEECH_ANSWERS | problems.responses(*RAISES),
        openapi_extra=examples.SPEECH_REQUEST,
        response_class=Response,
    )
    async def post_speech() -> Response:
        """Speak a text and charge its characters."""
        return _Answer(endpoints["/v1/audio/speech"])

    @router.post(
        "/v1/audio/transcriptions",
        responses=examples.TRANSCRIPTION_ANSWERS | problems.responses(*RAISES),
        openapi_extra=examples.TRANSCRIPTION_REQUEST,
        response_class=Response,
    )
    async def post_transcription() -> Response:
        """Write a recording down and charge its seconds, or the tokens."""
        return _Answer(endpoints["/v1/audio/transcriptions"])

    @router.post(
        "/v1/videos",
        responses=examples.VIDEO_ANSWER | problems.responses(*RAISES, HoldTooLong),
        openapi_extra=examples.VIDEO_REQUEST,
        response_class=Response,
    )
    async def post_video() -> Response:
        """Open a video; hold what it may cost, and charge it when it is completed."""
        return _Answer(endpoints["/v1/videos"])

    @router.post(
        "/v1/jobs",
        responses=examples.JOB_ANSWER | problems.responses(*RAISES, HoldTooLong),
        openapi_extra=examples.JOB_REQUEST,
        response_class=Response,
    )
    async def post_job() -> Response:
        """Open anything else that takes minutes: music, game assets. It is charged when it is completed."""
        return _Answer(endpoints["/v1/jobs"])

    return router


class _Answer(Response):
    """What an endpoint sends, where the framework asks for a response."""

    def __init__(self, endpoint: PaidEndpoint) -> None:
        super().__init__()
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._endpoint(scope, receive, send)
