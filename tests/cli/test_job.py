"""``mintery job`` against a gateway that sells a stub's jobs."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.studio import Studio, studio
from typer.testing import CliRunner, Result

from mintery.cli.app import app
from mintery.errors import GatewayRefused, MalformedRequest


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with studio(f"sqlite:///{tmp_path_factory.mktemp('job') / 'ledger.sqlite'}") as running:
        yield running


def run(stage: Studio, *arguments: str) -> Result:
    given = ["job", *arguments, "--url", stage.rig.base_url + "/v1", "--api-key", stage.key()]
    return CliRunner().invoke(app, given)


def test_a_job_from_its_opening_to_its_file(stage: Studio, tmp_path: Path):
    opened = run(stage, "open", "test/film", "prompt=a cat", "seconds=8", "size=1280x720", "--json")
    assert opened.exit_code == 0, opened.output
    job = json.loads(opened.stdout)
    early = run(stage, "fetch", job["id"], str(tmp_path / "cat.mp4"))
    assert isinstance(early.exception, GatewayRefused)
    assert list(tmp_path.iterdir()) == []

    stage.turn()
    shown = run(stage, "show", job["id"])
    fetched = run(stage, "fetch", job["id"], str(tmp_path / "cat.mp4"), "--json")
    listed = run(stage, "list", "--json")

    assert "completed, 100 % done" in shown.stdout
    assert "0.8" in shown.stdout
    assert "TEST" in shown.stdout
    assert fetched.exit_code == 0, fetched.output
    assert json.loads(fetched.stdout)["bytes"] == len(b"[TEST] video of a cat")
    assert (tmp_path / "cat.mp4").read_bytes() == b"[TEST] video of a cat"
    assert job["id"] in [each["id"] for each in json.loads(listed.stdout)["jobs"]]


def test_a_generic_job_shows_what_it_made(stage: Studio):
    opened = run(stage, "open", "pred/song", "prompt=a waltz", "duration=30", "--form", "jobs", "--json")
    assert opened.exit_code == 0, opened.output
    stage.turn()

    shown = run(stage, "show", json.loads(opened.stdout)["id"], "--form", "jobs")

    assert "https://made.example/" in shown.stdout


def test_a_field_without_a_value_is_refused(stage: Studio):
    assert isinstance(run(stage, "open", "test/film", "prompt").exception, MalformedRequest)
