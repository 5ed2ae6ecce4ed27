"""Long jobs after they were opened: looked at, listed and fetched by the account that pays, by a gateway key of it those
that it opened itself, and by the operator.
"""

from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from mintery.domain.hold import RequestId
from mintery.domain.model import Endpoint
from mintery.errors import (
    CredentialRefused,
    JobNotDone,
    LongJobUnreadable,
    NothingToFetch,
    ProviderTimedOut,
    ProviderUnreachable,
    TooManyTries,
    UnknownJob,
)
from mintery.gateway import paid_examples
from mintery.gateway.entry import credential_of, is_operator, till_of
from mintery.gateway.errors import ErrorTable, Problems, Shown
from mintery.gateway.examples import Documented
from mintery.usecases.fetch_long_job import Fetches, fetch_long_job, find_long_job, list_long_jobs
from mintery.usecases.show_long_job import long_job_json
from mintery.usecases.verify_credential import Credential

MOST = 100
_INERT = {
    "x-content-type-options": "nosniff",
    "content-disposition": "attachment",
    "content-security-policy": "sandbox",
}
"""A provider's bytes are never a page of this gateway's."""
Variant = Literal["video", "thumbnail", "spritesheet"]

ERRORS: ErrorTable = {
    UnknownJob: Shown(404, "invalid_request_error", "job_not_found", attributes=("request_id",)),
    LongJobUnreadable: Shown(500, "server_error", "job_unreadable", attributes=("request",)),
    NothingToFetch: Shown(404, "invalid_request_error", attributes=("request_id", "why")),
    JobNotDone: Shown(409, "conflict", attributes=("request_id", "status")),
}


class Form(NamedTuple):
    """One kind of job: where it is served, and how that is documented."""

    endpoint: Endpoint
    path: str
    one: Documented
    many: Documented


FORMS = (
    Form(Endpoint.VIDEOS, "/v1/videos", paid_examples.VIDEO_ANSWER, paid_examples.VIDEO_LIST),
    Form(Endpoint.JOBS, "/v1/jobs", paid_examples.JOB_ANSWER, paid_examples.JOB_LIST),
)


def long_jobs_router(form: Form, problems: Problems) -> APIRouter:
    router = APIRouter(tags=["paid"])
    fetches = Fetches()

    @router.get(form.path, responses=form.many | problems.responses(CredentialRefused, UnknownJob))
    def get_jobs(
        request: Request, limit: Annotated[int, Query(ge=1, le=MOST)] = 20, after: str | None = None
    ) -> dict[str, Any]:
        """The account's jobs, or the gateway key's, newest first; ``after`` is the id of the last one that was seen."""
        parts = till_of(request).parts
        market, _ = parts.reading()
        reader = credential_of(request, market)
        last = None if after is None else RequestId(after)
        found, has_more = list_long_jobs(parts, reader, form.endpoint, limit=limit, after=last)
        ids = [job.id for job in found]
        ends = {"first_id": ids[0], "last_id": ids[-1]} if ids else {"first_id": None, "last_id": None}
        return {"object": "list", "data": [long_job_json(job) for job in found], "has_more": has_more, **ends}

    @router.get(form.path + "/{request_id}", responses=form.one | problems.responses(CredentialRefused, UnknownJob))
    def get_job(request: Request, request_id: str) -> dict[str, Any]:
        """How it stands. Reading it costs nothing; asking the provider is the gateway's own work."""
        parts = till_of(request).parts
        return long_job_json(find_long_job(parts, RequestId(request_id), form.endpoint, _reader(request)))

    @router.get(
        form.path + "/{request_id}/content",
        responses=paid_examples.MADE
        | problems.responses(
            CredentialRefused,
            UnknownJob,
            JobNotDone,
            NothingToFetch,
            ProviderUnreachable,
            ProviderTimedOut,
            TooManyTries,
        ),
        response_class=Response,
    )
    async def get_content(request: Request, request_id: str, variant: Variant | None = None) -> Response:
        """What it made, once it is completed and charged."""
        parts = till_of(request).parts
        reader = await run_in_threadpool(_reader, request)
        job = await run_in_threadpool(find_long_job, parts, RequestId(request_id), form.endpoint, reader)
        made = await fetch_long_job(parts, fetches, job, variant)
        headers = {"cache-control": "no-store", "x-mintery-receipt": job.id, **_INERT}
        if made.length is not None:
            headers["content-length"] = str(made.length)
        return StreamingResponse(made.pieces, media_type=made.content_type, headers=headers)

    return router


def _reader(request: Request) -> Credential | None:
    """None stands for the operator. A chain that cannot be read keeps nobody from a job."""
    if is_operator(request):
        return None
    market, _ = till_of(request).parts.reading()
    return credential_of(request, market)
