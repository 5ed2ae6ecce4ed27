"""A long job as its app sees it, in OpenAI's words for videos and in the same for any other."""

from datetime import datetime
from typing import Any

import orjson

from mintery.domain.long_job import JobStatus, LongJob
from mintery.domain.model import Endpoint
from mintery.units import format_nanocredits

OBJECTS = {Endpoint.VIDEOS: "video", Endpoint.JOBS: "job"}
_DONE = 100


def long_job_json(job: LongJob) -> dict[str, Any]:
    """As JSON values; times are unix seconds. Prompts are not kept, and so not shown."""
    done = job.status is JobStatus.COMPLETED
    told = {
        "id": job.id,
        "object": OBJECTS[job.new.form],
        "model": job.quoted.asked or job.quoted.model,
        "status": job.status.value,
        "progress": _DONE if done else job.progress,
        "created_at": _seconds(job.hold.placed_at),
        "completed_at": _seconds(job.ended_at) if done else None,
        "expires_at": _seconds(job.expires_at),
        "error": _error(job),
    }
    if job.new.form is Endpoint.VIDEOS:
        told |= {"prompt": None, "remixed_from_video_id": None, **job.new.shown}
    else:
        told["output"] = None if job.output is None else orjson.loads(job.output)
    return told | {"mintery": _money(job)}


def _error(job: LongJob) -> dict[str, str] | None:
    if job.status is not JobStatus.FAILED:
        return None
    if job.failure is None:
        return {"code": "failed", "message": "it failed before the provider had it; nothing was charged"}
    return job.failure._asdict()


def _money(job: LongJob) -> dict[str, Any]:
    cost = job.hold.captured
    return {
        "route": job.quoted.model,
        "backup": job.new.quote.backup,
        "test": job.quoted.test,
        "held_nanocredits": str(job.hold.amount) if job.is_open else "0",
        "cost_nanocredits": None if cost is None else str(cost),
        "cost_credits": None if cost is None else format_nanocredits(cost),
        "receipt": None if cost is None else job.id,
        "given_up_at": _seconds(job.new.follow_until),
    }


def _seconds(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp())
