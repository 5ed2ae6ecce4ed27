"""Long jobs as an operator writes them down in the providers file.

Models for ``videos`` and ``jobs`` take minutes: an app opens a job, looks at it, and fetches what it made. Such a model is
sold by the ``request``, by the ``second``, or by ``second.1280x720`` and the like where sizes have prices of their own; a
generic job by whatever its fields or its provider say the number of. Beside what all models have, it may have

- ``max_seconds``: the longest that may be asked for; needed where seconds are sold.
- ``job_seconds`` 1800: the longest that a job takes. Its hold stands so long, and it is given up then.
- ``inputs`` ``[]``: fields that cost nothing more, as ``["input_reference"]`` of a video. A generic job takes no others.
- ``counts`` ``{}``: fields of a generic job that say how many units are wanted, as ``{duration = "second"}``.

How a provider is asked is declared beside its models, where that is not as OpenAI's ``/videos``::

    [providers.jobs]
    create = "/predictions"             # POST; {model} in it stands for the upstream's name of the model
    look = "/predictions/{id}"          # GET
    fetch = ""                          # GET what it made; "" where ``output`` tells where that is
    cancel = "/predictions/{id}/cancel" # POST; "" where nothing ends a job early
    multipart = false                   # the body is JSON
    model_field = "version"             # where the body names the model; "" for nowhere
    input_field = "input"               # where all else stands; "" for beside it
    id = "id"                           # members of what it tells, by their paths: "metrics.predict_time", "output.0"
    status = "status"
    output = "output"
    failure_message = "error"
    usage = {second = "metrics.predict_time"}
    queued = ["starting"]               # what its status texts mean
    in_progress = ["processing"]
    completed = ["succeeded"]
    failed = ["failed", "canceled"]
    key_header = ""                     # by which it takes the same request for the same job; "" where it knows none
"""

from collections.abc import Container

from pydantic import BaseModel, ConfigDict, Field

from mintery.domain.long_job import LONG_FORMS, JobStatus
from mintery.domain.model import Endpoint, Model, Unit
from mintery.errors import MalformedFile
from mintery.providers.job_forms import OPENAI_VIDEOS, JobForm

LONGEST_JOB = 1_800
"""Seconds, where the file does not say."""
_PATH = r"^/[^\s?#]*$"
_PATH_OF_ONE = r"^/[^\s?#]*\{id\}[^\s?#]*$"


class JobFormIn(BaseModel):
    """``[providers.jobs]``."""

    model_config = ConfigDict(extra="forbid")

    create: str = Field(default=OPENAI_VIDEOS.create, pattern=_PATH)
    look: str = Field(default=OPENAI_VIDEOS.look, pattern=_PATH_OF_ONE)
    fetch: str = Field(default=OPENAI_VIDEOS.fetch, pattern=f"^$|{_PATH_OF_ONE}")
    cancel: str = Field(default=OPENAI_VIDEOS.cancel, pattern=f"^$|{_PATH_OF_ONE}")
    multipart: bool = OPENAI_VIDEOS.multipart
    model_field: str = OPENAI_VIDEOS.model_field
    input_field: str = OPENAI_VIDEOS.input_field
    id: str = Field(default=OPENAI_VIDEOS.id, min_length=1)
    status: str = Field(default=OPENAI_VIDEOS.status, min_length=1)
    progress: str = OPENAI_VIDEOS.progress
    expires: str = OPENAI_VIDEOS.expires
    output: str = OPENAI_VIDEOS.output
    failure_code: str = OPENAI_VIDEOS.failure_code
    failure_message: str = OPENAI_VIDEOS.failure_message
    usage: dict[Unit, str] = {Unit.SECOND: OPENAI_VIDEOS.usage[Unit.SECOND]}
    key_header: str = Field(default=OPENAI_VIDEOS.key_header, pattern=r"^[A-Za-z0-9-]*$")
    queued: tuple[str, ...] = (JobStatus.QUEUED.value,)
    in_progress: tuple[str, ...] = (JobStatus.IN_PROGRESS.value,)
    completed: tuple[str, ...] = Field(default=(JobStatus.COMPLETED.value,), min_length=1)
    failed: tuple[str, ...] = Field(default=(JobStatus.FAILED.value,), min_length=1)

    def form(self, provider: str, where: str) -> JobForm:
        """Raises MalformedFile where a status text means two things."""
        fields = self.model_dump()
        states: dict[str, JobStatus] = {}
        for status in JobStatus:
            for said in fields.pop(status.value):
                if states.setdefault(said, status) is not status:
                    why = f"{provider}: {said!r} is both {status} and {states[said]}"
                    raise MalformedFile(where, why)
        usage = {unit.value: path for unit, path in fields.pop("usage").items()}
        return JobForm(**fields, usage=usage, states=states)


def check_long_jobs(model: Model, form: JobForm, where: str) -> None:
    """Whatever a job is sold by is bounded before it is opened. Raises MalformedFile."""
    if (wrong := _wrong(model) or _unbounded(model, form)) is not None:
        raise MalformedFile(where, f"{model.id}: {wrong}")


def _wrong(model: Model) -> str | None:
    """What fits no model of its endpoint."""
    endpoints = {model.endpoint, *model.also}
    if LONG_FORMS.isdisjoint(endpoints):
        if model.inputs or model.counts or model.job_seconds:
            return "inputs, counts and job_seconds are for videos and jobs"
        sized = any(unit.startswith(f"{Unit.SECOND}.") for unit in model.units)
        return "seconds have sizes where videos are made" if sized else None
    if len(endpoints) > 1:
        return "a model whose answers are jobs answers at no other endpoint"
    if model.tiers or model.windows:
        return "long jobs have neither tiers nor windows"
    if model.counts and model.endpoint is Endpoint.VIDEOS:
        return "counts are for generic jobs; a video names its seconds"
    return None


def _unbounded(model: Model, form: JobForm) -> str | None:
    """What a job could use of without limit."""
    if model.endpoint not in LONG_FORMS:
        return None
    known = _known_units(model, form)
    for unit in sorted(model.units):
        base = unit.partition(".")[0]
        if base not in known or (unit != base and model.endpoint is Endpoint.JOBS):
            return f"neither a field nor its provider says how many {unit} there are"
        if base == Unit.SECOND and not model.max_seconds:
            return "it is sold by the second: say max_seconds"
    return None


def _known_units(model: Model, form: JobForm) -> Container[str]:
    if model.endpoint is Endpoint.VIDEOS:
        return {Unit.SECOND.value, Unit.REQUEST.value}
    return {Unit.REQUEST.value, *(unit for _, unit in model.counts), *form.usage}
