"""Long jobs in the providers file: what is declared is what is asked, and nothing is sold without a bound."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from mintery.domain.long_job import JobStatus
from mintery.domain.model import Endpoint
from mintery.errors import MalformedFile
from mintery.providers.config import ProviderConfig, parse_providers, read_providers
from mintery.providers.job_forms import OPENAI_VIDEOS
from mintery.providers.stub_jobs import PREDICTIONS

TOML = """
[[providers]]
name = "acme"
registry_id = 1
kind = "routed"
base_url = "https://api.acme.example/v1"

[providers.jobs]
create = "/predictions"
look = "/predictions/{id}"
fetch = ""
cancel = "/predictions/{id}/cancel"
multipart = false
model_field = "version"
input_field = "input"
progress = ""
expires = ""
output = "output"
failure_code = ""
failure_message = "error"
usage = {second = "metrics.predict_time"}
queued = ["starting"]
in_progress = ["processing"]
completed = ["succeeded"]
failed = ["failed", "canceled"]
key_header = "Idempotency-Key"

[[providers.models]]
id = "acme/song"
endpoint = "jobs"
units = ["second", "request"]
max_output_tokens = 0
context_tokens = 1
max_seconds = 60
inputs = ["prompt"]
counts = {duration = "second"}
"""
FILM: dict[str, Any] = {
    "id": "acme/film", "endpoint": "videos", "units": ["second.1280x720", "second.720p"], "max_output_tokens": 0,
    "context_tokens": 1, "max_seconds": 12,
}  # fmt: skip
SONG: dict[str, Any] = {
    **FILM,
    "id": "acme/song",
    "endpoint": "jobs",
    "units": ["second"],
    "counts": {"length": "second"},
}


def parse(model: dict[str, Any], **provider: Any) -> ProviderConfig:
    given = {"name": "acme", "registry_id": 1, "kind": "routed", "base_url": "https://acme.example/v1", **provider}
    [config] = parse_providers(orjson.dumps({"providers": [{**given, "models": [model]}]}).decode(), {})
    return config


def test_a_form_is_read_as_it_is_declared(tmp_path: Path):
    file = tmp_path / "providers.toml"
    file.write_text(TOML)

    [config] = read_providers(file, {})

    assert config.jobs == PREDICTIONS
    [song] = config.models
    assert (song.endpoint, song.counts, song.inputs) == (
        Endpoint.JOBS,
        (("duration", "second"),),
        frozenset({"prompt"}),
    )
    assert song.job_seconds == 1_800


def test_openais_form_needs_no_declaration():
    config = parse({**FILM, "job_seconds": 600})

    assert config.jobs == OPENAI_VIDEOS
    assert config.jobs.states["completed"] is JobStatus.COMPLETED
    assert config.models[0].job_seconds == 600


@pytest.mark.parametrize(
    "model",
    [
        {**FILM, "max_seconds": 0},
        {**FILM, "units": ["second.long"]},
        {**FILM, "units": ["output_token"]},
        {**FILM, "also": ["chat"]},
        {**FILM, "tiers": [5]},
        {**FILM, "windows": [{"name": "night", "from": "00:00", "until": "06:00"}]},
        {**FILM, "counts": {"seconds": "second"}},
        {**SONG, "units": ["second.1280x720"]},
        {**SONG, "units": ["image"]},
        {**SONG, "units": ["second", "output_token"]},
        {**SONG, "counts": {"length": "metre"}},
        {**FILM, "endpoint": "chat", "units": ["output_token"], "job_seconds": 5},
        {**FILM, "endpoint": "chat", "units": ["output_token"], "inputs": ["seed"]},
        {**FILM, "endpoint": "transcription"},
    ],
)
def test_what_has_no_bound_is_not_sold(model: dict[str, Any]):
    with pytest.raises(MalformedFile):
        parse(model)


@pytest.mark.parametrize(
    "jobs",
    [
        {"look": "/videos"},
        {"create": "videos"},
        {"fetch": "/videos/{id}/content?key=1"},
        {"cancel": "https://elsewhere.example/{id}"},
        {"id": ""},
        {"completed": []},
        {"completed": ["done"], "failed": ["done"]},
        {"usage": {"metre": "metres"}},
        {"key_header": "Idempotency Key"},
        {"shape": "x"},
    ],
)
def test_a_form_that_cannot_be_followed_is_refused(jobs: dict[str, Any]):
    with pytest.raises(MalformedFile):
        parse(FILM, jobs=jobs)


def test_a_wire_that_carries_chats_carries_no_jobs():
    with pytest.raises(MalformedFile):
        parse(FILM, wire="google")
