"""TEST ONLY: a provider's long jobs, made up: ``/videos`` as OpenAI has it, and ``/predictions`` as others do.

A job is done when it has been looked at often enough. What it makes is a text that says TEST.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson
from aiohttp import web

from mintery.domain.long_job import JobStatus
from mintery.providers.job_forms import JobForm
from mintery.providers.stub_answers import CREATED, LABEL

KEY_HEADER = "Idempotency-Key"
PREDICTIONS = JobForm(
    create="/predictions",
    look="/predictions/{id}",
    fetch="",
    cancel="/predictions/{id}/cancel",
    multipart=False,
    model_field="version",
    input_field="input",
    progress="",
    expires="",
    output="output",
    failure_code="",
    failure_message="error",
    states={
        "starting": JobStatus.QUEUED,
        "processing": JobStatus.IN_PROGRESS,
        "succeeded": JobStatus.COMPLETED,
        "failed": JobStatus.FAILED,
        "canceled": JobStatus.FAILED,
    },
    usage={"second": "metrics.predict_time"},
    key_header=KEY_HEADER,
)
_SAID = {status: said for said, status in PREDICTIONS.states.items() if said != "canceled"}


class JobBehaviour(StrEnum):
    """Names of models whose jobs behave so; any other's are done."""

    NEVER_ENDS = "never-ends"
    FAILS_LATER = "fails-later"
    TENFOLD = "tenfold-seconds"
    """It says that ten times as much was made as was asked for."""
    NEGATIVE = "negative-seconds"
    SILENT = "silent-seconds"
    """It does not say how much was made."""
    FAILS_AFTER_OPENING = "fails-after-opening"
    """It takes the job, and answers 500."""
    CUTS_AFTER_OPENING = "cuts-after-opening"
    """It takes the job, and drops the connection."""
    TAKES_NONE = "takes-none"
    """It answers 429."""
    REFUSES_IT = "refuses-it"
    """It answers 400."""
    GONE = "gone"
    """It has forgotten what it made."""


@dataclass
class StubJob:
    id: str
    model: str
    fields: dict[str, Any]
    key: str | None
    looks: int = 0
    cancelled: bool = False

    @property
    def seconds(self) -> int:
        wanted = int(self.fields.get("seconds") or self.fields.get("duration") or 4)
        match self.model:
            case JobBehaviour.TENFOLD:
                return 10 * wanted
            case JobBehaviour.NEGATIVE:
                return -wanted
            case _:
                return wanted


@dataclass
class JobControl:
    """What tests read and turn.

    Attributes:
        done_after: looks that a job takes; the first look counts.
        jobs: by their ids, in the order in which they were opened.
        fails_looks: every look is answered with this status.
        refuses_again: every opening under a key that opened a job already is answered with this status.
        answers: waited for before an opening is answered, once the job is there.
        fetched: how often something was fetched.
    """

    done_after: int = 1
    jobs: dict[str, StubJob] = field(default_factory=dict)
    fails_looks: int | None = None
    refuses_again: int | None = None
    answers: Callable[[], Awaitable[None]] | None = None
    fetched: int = 0

    def open(self, model: str, fields: dict[str, Any], key: str | None) -> tuple[StubJob, bool]:
        """The same key is the same job."""
        for job in self.jobs.values():
            if key is not None and job.key == key:
                return job, False
        job = StubJob(f"job_{len(self.jobs) + 1}", model, fields, key)
        self.jobs[job.id] = job
        return job, True


def add_job_routes(app: web.Application, control: JobControl) -> None:
    served = _Served(control)
    app.router.add_post("/v1/videos", served.open_video)
    app.router.add_get("/v1/videos/{id}", served.look_at_video)
    app.router.add_get("/v1/videos/{id}/content", served.fetch)
    app.router.add_post("/v1/predictions", served.open_prediction)
    app.router.add_get("/v1/predictions/{id}", served.look_at_prediction)
    app.router.add_post("/v1/predictions/{id}/cancel", served.cancel)


class _Served:
    def __init__(self, control: JobControl) -> None:
        self._control = control

    async def open_video(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        fields |= {name: "(a file)" for name, value in form.items() if not isinstance(value, str)}
        return await self._opened(request, str(fields.pop("model")), fields, self._video)

    async def open_prediction(self, request: web.Request) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        return await self._opened(request, body["version"], body["input"], self._prediction)

    async def look_at_video(self, request: web.Request) -> web.StreamResponse:
        return self._looked(request, self._video)

    async def look_at_prediction(self, request: web.Request) -> web.StreamResponse:
        return self._looked(request, self._prediction)

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        self._control.jobs[request.match_info["id"]].cancelled = True
        return _json({}, 200)

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        self._control.fetched += 1
        job = self._control.jobs[request.match_info["id"]]
        if job.model == JobBehaviour.GONE:
            return _json({"error": {"message": f"{LABEL} it has expired"}}, 404)
        variant = request.query.get("variant", "video")
        made = f"{LABEL} {variant} of {job.fields.get('prompt')}".encode()
        return web.Response(body=made, content_type="video/mp4")

    async def _opened(
        self, request: web.Request, model: str, fields: dict[str, Any], told: Callable[[StubJob], dict[str, Any]]
    ) -> web.StreamResponse:
        if model == JobBehaviour.TAKES_NONE:
            return _json({"error": {"message": f"{LABEL} too many jobs"}}, 429)
        if model == JobBehaviour.REFUSES_IT:
            return _json({"error": {"message": f"{LABEL} not this prompt"}}, 400)
        job, new = self._control.open(model, fields, request.headers.get(KEY_HEADER))
        if not new and self._control.refuses_again is not None:
            return _json({"error": {"message": f"{LABEL} not now"}}, self._control.refuses_again)
        if self._control.answers is not None:
            await self._control.answers()
        if new and model == JobBehaviour.CUTS_AFTER_OPENING and request.transport is not None:
            request.transport.abort()
            await asyncio.sleep(0)
        if new and model == JobBehaviour.FAILS_AFTER_OPENING:
            return _json({"error": {"message": f"{LABEL} out of order"}}, 500)
        return _json(told(job), 201)

    def _looked(self, request: web.Request, told: Callable[[StubJob], dict[str, Any]]) -> web.StreamResponse:
        if self._control.fails_looks is not None:
            return _json({"error": {"message": f"{LABEL} out of order"}}, self._control.fails_looks)
        if (job := self._control.jobs.get(request.match_info["id"])) is None:
            return _json({"error": {"message": f"{LABEL} no such job"}}, 404)
        job.looks += 1
        return _json(told(job), 200)

    def _status(self, job: StubJob) -> JobStatus:
        if job.looks < self._control.done_after or job.model == JobBehaviour.NEVER_ENDS:
            return JobStatus.IN_PROGRESS if job.looks else JobStatus.QUEUED
        return JobStatus.FAILED if job.model == JobBehaviour.FAILS_LATER else JobStatus.COMPLETED

    def _video(self, job: StubJob) -> dict[str, Any]:
        status = self._status(job)
        failure = {"code": "moderation_blocked", "message": f"{LABEL} not this prompt"}
        told = {
            "id": job.id,
            "object": "video",
            "model": job.model,
            "status": status.value,
            "progress": 40 if status is JobStatus.IN_PROGRESS else 0,
            "created_at": CREATED,
            "expires_at": CREATED + 86_400 if status is JobStatus.COMPLETED else None,
            "error": failure if status is JobStatus.FAILED else None,
        }
        return told if job.model == JobBehaviour.SILENT else told | {"seconds": str(job.seconds)}

    def _prediction(self, job: StubJob) -> dict[str, Any]:
        status = self._status(job)
        done = status is JobStatus.COMPLETED
        told: dict[str, Any] = {
            "id": job.id,
            "status": _SAID[status],
            "output": [f"https://made.example/{job.id}"] if done else None,
            "error": f"{LABEL} not this prompt" if status is JobStatus.FAILED else None,
        }
        silent = job.model == JobBehaviour.SILENT or not done
        return told if silent else told | {"metrics": {"predict_time": job.seconds - 0.5}}


def _json(answer: dict[str, Any], status: int) -> web.Response:
    return web.Response(body=orjson.dumps(answer), status=status, content_type="application/json")
