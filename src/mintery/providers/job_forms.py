"""How upstreams are asked for long jobs, and how they tell of them: declared, not programmed, for no two agree.

The default is OpenAI's ``/v1/videos``. Paths follow ``base_url``; ``{id}`` in them is the job's, ``{model}`` the upstream's
name for the model. Members are found by paths into the upstream's JSON, steps divided by points; an empty one is not there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from mintery.domain.long_job import JobFailure, JobStatus
from mintery.domain.model import Quantities
from mintery.errors import ProviderNonsense

_UPSTREAM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:=-]{0,254}", re.ASCII)
_MOST_OUTPUT = 64 * 1024
_MOST_COUNT = 10**15
_LAST = datetime(9998, 12, 31, tzinfo=UTC)
_MOST_SAID = 10**14
_MILLISECONDS_FROM = 10**11
_EPOCH = datetime.fromtimestamp(0, UTC)
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class JobForm:
    """One upstream's.

    Attributes:
        create: POST opens a job. ``look``: GET tells of it. ``fetch``: GET gives what it made; empty where ``output`` says
            where that is. ``cancel``: POST ends it early; empty where nothing does.
        multipart: the body is a form; else JSON.
        model_field, input_field: where the body names the model, and where all else stands; empty for none, and for the top.
        id, status, progress, expires, output: members of what it tells.
        failure_code, failure_message: members that say why it failed.
        states: what its status texts mean.
        usage: members that say how much was used, by unit.
        key_header: the header by which it takes the same request for the same job; empty where it knows none.
    """

    create: str = "/videos"
    look: str = "/videos/{id}"
    fetch: str = "/videos/{id}/content"
    cancel: str = ""
    multipart: bool = True
    model_field: str = "model"
    input_field: str = ""
    id: str = "id"
    status: str = "status"
    progress: str = "progress"
    expires: str = "expires_at"
    output: str = ""
    failure_code: str = "error.code"
    failure_message: str = "error.message"
    states: Mapping[str, JobStatus] = field(default_factory=lambda: {each.value: each for each in JobStatus})
    usage: Mapping[str, str] = field(default_factory=lambda: {"second": "seconds"})
    key_header: str = ""


OPENAI_VIDEOS = JobForm()
NOTHING_TOLD: Quantities = MappingProxyType({})


class JobReport(NamedTuple):
    """What an upstream says of a job.

    Attributes:
        upstream: its id there.
        usage: what was used, unchecked; empty where it says nothing of that.
        output: JSON; None where the form names none.
    """

    upstream: str
    status: JobStatus
    progress: int = 0
    usage: Quantities = NOTHING_TOLD
    output: str | None = None
    expires_at: datetime | None = None
    failure: JobFailure | None = None


def read_report(provider: str, form: JobForm, body: bytes) -> JobReport:
    """Raises ProviderNonsense unless it names the job and its status in words that the form declares."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ProviderNonsense(provider, "what it says of a job is no JSON") from None
    upstream = _member(told, form.id)
    if isinstance(upstream, int) and not isinstance(upstream, bool):
        upstream = str(upstream)
    if not isinstance(upstream, str) or not _UPSTREAM_ID.fullmatch(upstream):
        raise ProviderNonsense(provider, "a job has no id that can be asked for")
    said = _member(told, form.status)
    status = form.states.get(said) if isinstance(said, str) else None
    if status is None:
        raise ProviderNonsense(provider, f"a job's status is {str(said)[:40]!r}")
    failed = status is JobStatus.FAILED
    return JobReport(
        upstream,
        status,
        progress=_progress(_member(told, form.progress), status),
        usage={unit: count for unit, path in form.usage.items() if (count := _count(_member(told, path))) is not None},
        output=_output(provider, _member(told, form.output)) if status is JobStatus.COMPLETED else None,
        expires_at=_instant(_member(told, form.expires)),
        failure=_failure(told, form) if failed else None,
    )


def _member(told: Any, path: str) -> Any:
    """``_ABSENT`` where there is none."""
    if not path:
        return _ABSENT
    for step in path.split("."):
        if isinstance(told, list) and step.isdecimal() and int(step) < len(told):
            told = told[int(step)]
        elif isinstance(told, dict) and step in told:
            told = told[step]
        else:
            return _ABSENT
    return told


def _progress(said: Any, status: JobStatus) -> int:
    if status is JobStatus.COMPLETED:
        return 100
    whole = said if isinstance(said, int) and not isinstance(said, bool) else 0
    return min(max(whole, 0), 99)


def _count(said: Any) -> int | None:
    """Rounded up to a whole unit; texts are read as numbers. None where it is no number that anybody could use."""
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return None
    try:
        number = Decimal(str(said))
    except ArithmeticError:
        return None
    if not number.is_finite() or abs(number) > _MOST_COUNT:
        return None
    return int(number.to_integral_value(ROUND_CEILING))


def _output(provider: str, said: Any) -> str | None:
    if said is _ABSENT:
        return None
    try:
        text = orjson.dumps(said).decode()
    except orjson.JSONEncodeError:
        raise ProviderNonsense(provider, "what a job made is nested too deeply") from None
    if len(text) > _MOST_OUTPUT:
        raise ProviderNonsense(provider, f"what a job made takes more than {_MOST_OUTPUT} characters to tell")
    return text


def _instant(said: Any) -> datetime | None:
    """Unix seconds, or milliseconds, or ISO 8601. None outside of the years that can be kept."""
    try:
        if isinstance(said, str):
            read = datetime.fromisoformat(said)
            read = read if read.tzinfo is not None else read.replace(tzinfo=UTC)
            return read if _EPOCH <= read <= _LAST else None
        if isinstance(said, int) and not isinstance(said, bool) and 0 <= said < _MOST_SAID:
            is_finer = said >= _MILLISECONDS_FROM
            return _EPOCH + (timedelta(milliseconds=said) if is_finer else timedelta(seconds=said))
    except (ValueError, OverflowError):
        return None
    return None


def _failure(told: Any, form: JobForm) -> JobFailure:
    code, message = _member(told, form.failure_code), _member(told, form.failure_message)
    return JobFailure(
        code if isinstance(code, str) and code else "failed",
        message if isinstance(message, str) and message else "the provider gave no reason",
    )
