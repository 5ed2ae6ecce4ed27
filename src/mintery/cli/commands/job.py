"""``mintery job``: work that takes minutes, from its opening to what it made."""

import json
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mintery.cli.money import nanos_text
from mintery.cli.options import DEFAULT_URL, ApiKey, GatewayUrl, Json
from mintery.cli.output import pairs, progress, show, table
from mintery.errors import MalformedRequest, UnknownJob
from mintery.units import NanoCredits

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(
    help="Open work that takes minutes (video, music, game assets), look at it, fetch what it made.",
    no_args_is_help=True,
)

Form = Literal["videos", "jobs"]
FormOption = Annotated[Form, typer.Option("--form", help="videos, or jobs for anything else.")]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id (req_…).")]
_ID = re.compile(r"[\w-]+")
_ENDED = ("completed", "failed")
_PAUSE = 2.0


@app.command("open")
def open_(
    model: Annotated[str, typer.Argument(help="Which model (see /v1/models).")],
    fields: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE...", help="What is asked of it, like prompt='a cat' seconds=8 size=1280x720."
        ),
    ],
    *,
    api_key: ApiKey,
    form: FormOption = "videos",
    idempotency_key: Annotated[
        str | None, typer.Option("--idempotency-key", metavar="KEY", help="The same key again is the same job.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Look at it until it has ended.", show_default=False)] = False,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Open a job. What it may cost is held now and charged when it is completed; one that fails costs nothing."""
    from mintery.client import open_job, read_job

    asked = dict(map(_field, fields))
    request: dict[str, Any] = {"model": model, **asked} if form == "videos" else {"model": model, "input": asked}
    with progress("Opening the job"):
        job = open_job(url, api_key, form, request, idempotency_key=idempotency_key)
    if wait:
        with progress("Waiting for the job"):
            while job["status"] not in _ENDED:
                time.sleep(_PAUSE)
                job = read_job(url, api_key, form, job["id"])
    _show(job, as_json=as_json)


@app.command("show")
def show_(
    job_id: JobId, *, api_key: ApiKey, form: FormOption = "videos", url: GatewayUrl = DEFAULT_URL, as_json: Json = False
) -> None:
    """Show how a job stands, and what it cost once it is completed."""
    from mintery.client import read_job

    with progress("Looking at the job"):
        job = read_job(url, api_key, form, _checked(job_id))
    _show(job, as_json=as_json)


@app.command("list")
def list_(
    *,
    api_key: ApiKey,
    form: FormOption = "videos",
    limit: Annotated[int, typer.Option(min=1, max=100, help="The newest so many.")] = 20,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """List the account's newest jobs."""
    from mintery.client import list_jobs

    with progress("Asking for the jobs"):
        jobs = list_jobs(url, api_key, form, limit=limit)
    rows = [(job["id"], job["model"], job["status"], f"{job['progress']} %", _cost(job)) for job in jobs]
    show({"jobs": jobs}, table("Jobs", ("job", "model", "status", "done", "cost"), rows), as_json=as_json)


@app.command("fetch")
def fetch(
    job_id: JobId,
    file: Annotated[Path, typer.Argument(help="Where to write what it made, or - for standard output.")],
    *,
    api_key: ApiKey,
    form: FormOption = "videos",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Write what a completed job made to a file. Fetching costs nothing, and may be done again."""
    from mintery.client import fetch_job

    size = 0
    with fetch_job(url, api_key, form, _checked(job_id)) as pieces:
        if str(file) == "-":
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            return
        part = file.with_name(file.name + ".part")
        with part.open("wb") as written:
            for piece in pieces:
                size += written.write(piece)
        part.replace(file)
    facts = {"job": job_id, "file": str(file), "bytes": size}
    show(facts, pairs("What it made is saved", [(name, str(value)) for name, value in facts.items()]), as_json=as_json)


def _field(text: str) -> tuple[str, Any]:
    """A value that reads as JSON's number, true, false, list or object is one; everything else is a text."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise MalformedRequest(f"{text[:80]!r} is no NAME=VALUE")
    try:
        read = json.loads(value)
    except ValueError:
        return name, value
    return name, read


def _checked(job_id: str) -> str:
    if not _ID.fullmatch(job_id):
        raise UnknownJob(job_id)
    return job_id


def _cost(job: "Mapping[str, Any]") -> str:
    cost = job["mintery"]["cost_nanocredits"]
    return "" if cost is None else nanos_text(NanoCredits(int(cost)))


def _show(job: "Mapping[str, Any]", *, as_json: bool) -> None:
    money, error = job["mintery"], job["error"]
    held = NanoCredits(int(money["held_nanocredits"]))
    rows = [
        ("model", job["model"] + (" (TEST: a stub makes this up)" if money["test"] else "")),
        ("status", f"{job['status']}, {job['progress']} % done"),
        *([("why", f"{error['code']}: {error['message']}")] if error else []),
        *([("held", nanos_text(held))] if held else []),
        *([("cost", _cost(job))] if money["receipt"] else []),
        *([("made", json.dumps(job["output"]))] if job.get("output") is not None else []),
        *([("kept until", _time(job["expires_at"]))] if job["expires_at"] else []),
        *([("given up at", _time(money["given_up_at"]))] if job["status"] not in _ENDED else []),
    ]
    show(dict(job), pairs(f"Job {job['id']}", rows), as_json=as_json)


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
