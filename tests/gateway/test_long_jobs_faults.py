"""Whatever dies and whenever: no hold has two jobs, no job is charged twice, and nothing stays held."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.mortal import Death, follow, open_job
from tests.gateway.studio import SECOND_NANOS, Studio, studio

from mintery.crypto.vouchers import account_id
from mintery.domain.hold import HoldStatus, ReleaseReason
from mintery.domain.long_job import JobStatus
from mintery.ledger.commands import (
    AcceptLongJob,
    CaptureHold,
    ExtendLease,
    NoteLongJob,
    OpenLongJob,
    PlaceHold,
    ReleaseHold,
)

FILM = {"prompt": "a cat", "seconds": "8", "size": "1280x720"}
SONG = {"input": {"prompt": "a waltz", "duration": 30}}
COST = {"test/film": 8 * SECOND_NANOS, "pred/song": 30 * 100_000}
HUNDRED = 100 * 10**9
LEASE, EVIDENCE, END = 40, 15 * 60, 1_300
"""Seconds after its opening: nobody asks for a job any more; it is given up without evidence; it is given up at all."""
OPENINGS = [Death(PlaceHold), Death(PlaceHold, True), Death("opened"), Death(AcceptLongJob), Death(AcceptLongJob, True)]
ENDINGS = [Death(CaptureHold), Death(CaptureHold, True)]


def ended(here: Studio) -> JobStatus | None:
    """How the one job ended; None where there was none. Everything about it is checked."""
    assert here.ledger.open_long_jobs() == []
    available, held, captured = here.money()
    assert held == 0
    receipts = here.ledger.receipts(account=account_id(here.account))
    assert captured == sum(each.receipt.cost for each in receipts)
    assert available + captured == HUNDRED
    assert len(here.jobs) <= 1
    if not receipts:
        return None
    [receipt] = receipts
    job = here.job(receipt.receipt.id)
    assert (job.status is JobStatus.COMPLETED) == (receipt.receipt.cost > 0)
    return job.status


@pytest.mark.parametrize("death", OPENINGS, ids=str)
@pytest.mark.parametrize("model", ["test/film", "pred/song"])
def test_a_process_that_dies_while_it_opens_a_job_loses_and_doubles_nothing(here: Studio, model: str, death: Death):
    fields = FILM if model == "test/film" else SONG
    assert open_job(here, model, fields, death) is None
    asked_before = len(here.jobs)
    assert follow(here, 1) is not None
    assert len(here.jobs) == asked_before, "whoever asks for it may still be there"

    follow(here, LEASE)
    follow(here, LEASE + 20)

    status = ended(here)
    is_known = death == Death(AcceptLongJob, True)
    has_intent = death != Death(PlaceHold)
    if is_known or (model == "pred/song" and has_intent):
        assert status is JobStatus.COMPLETED
        assert here.money()[2] == COST[model]
        assert len(here.jobs) == 1
    else:
        assert status is (JobStatus.FAILED if has_intent else None)
        assert len(here.jobs) == (1 if death.at in {"opened", AcceptLongJob} else 0)


@pytest.mark.parametrize("status", [404, 409, 429, 503])
def test_a_provider_that_is_too_busy_to_say_whether_it_has_a_job_is_asked_again(stage: Studio, status: int):
    assert open_job(stage, "pred/song", SONG, Death(AcceptLongJob)) is None
    stage.control.refuses_again = status

    follow(stage, LEASE)
    [job] = stage.ledger.open_long_jobs()
    assert (job.upstream, stage.money()[1]) == (None, COST["pred/song"])
    stage.control.refuses_again = None
    for later in (20, 40):
        follow(stage, LEASE + later)

    assert ended(stage) is JobStatus.COMPLETED
    assert stage.money()[2] == COST["pred/song"]


@pytest.mark.parametrize(("status", "at", "why"), [(400, LEASE, "refused"), (429, EVIDENCE + 200, "no_evidence")])
def test_a_job_that_its_provider_never_tells_of_is_given_up_in_time(stage: Studio, status: int, at: int, why: str):
    """At once where what was asked for is refused itself."""
    open_job(stage, "pred/song", SONG, Death(AcceptLongJob))
    stage.control.refuses_again = status
    [job] = stage.ledger.open_long_jobs()

    follower = stage.another()
    for seconds in (at, at + 120):
        stage.turn(seconds, follower=follower)

    assert stage.untouched
    assert ended(stage) is not JobStatus.COMPLETED
    failure = stage.job(job.id).failure
    assert failure is not None
    assert failure.code == why


@pytest.mark.parametrize("death", ENDINGS, ids=str)
def test_a_process_that_dies_while_it_charges_a_job_charges_it_once(here: Studio, death: Death):
    assert open_job(here, "test/film", FILM) is not None

    assert follow(here, 1, death) is None
    assert here.money()[2] == (COST["test/film"] if death.written else 0)
    follow(here, 30)

    assert ended(here) is JobStatus.COMPLETED
    assert here.money()[2] == COST["test/film"]


@pytest.mark.parametrize("death", [Death(ReleaseHold), Death(ReleaseHold, True)], ids=str)
def test_a_process_that_dies_while_it_releases_a_job_releases_it_once(here: Studio, death: Death):
    request = open_job(here, "test/fails-later", FILM)
    assert request is not None

    assert follow(here, 1, death) is None
    follow(here, 30)

    assert here.untouched
    job = here.job(request)
    assert (job.hold.released_for, job.is_open) == (ReleaseReason.PROVIDER_FAILED, False)


def test_a_lost_client_finds_its_job_by_its_idempotency_key(stage: Studio):
    """The process died when the job was recorded; the client sends the same again, to another one."""
    open_job(stage, "test/film", FILM, Death(AcceptLongJob, True), idempotency_key="k1")

    again = stage.post("/v1/videos", json={"model": "test/film", **FILM}, headers={"Idempotency-Key": "k1"})

    # The credential is the same, and so is the body: this is what that one opened.
    assert again.status_code == 200, again.text
    assert again.headers["x-mintery-replayed"] == "true"
    assert len(stage.jobs) == 1
    stage.turn(1)
    done = stage.post("/v1/videos", json={"model": "test/film", **FILM}, headers={"Idempotency-Key": "k1"})
    assert (done.json()["id"], done.json()["status"]) == (again.json()["id"], "completed")
    assert stage.money()[2] == COST["test/film"]


def test_a_process_that_was_thought_dead_and_comes_back_charges_nothing_more(stage: Studio):
    """Its acceptance comes when the job was given up: the provider is told to stop, where it can be."""
    given_up: list[bool] = []

    async def in_the_meantime() -> None:
        await asyncio.to_thread(follow, stage, LEASE)
        given_up.append(stage.ledger.open_long_jobs() == [])

    stage.control.answers = in_the_meantime
    answer = stage.video()
    stage.control.answers = None

    assert given_up == [True]
    assert answer.status_code == 500
    assert stage.untouched
    assert ended(stage) is JobStatus.FAILED


DEATHS = st.none() | st.sampled_from(
    [
        Death(at, written)
        for at in (CaptureHold, ReleaseHold, NoteLongJob, ExtendLease, AcceptLongJob)
        for written in (False, True)
    ]
)
RUNS = st.lists(
    st.tuples(
        st.sampled_from([1, 30, LEASE, 300, 400, EVIDENCE, END - 50, END]),
        DEATHS,
        st.sampled_from([None, None, 500, 404, 429]),
    ),
    max_size=5,
)


@settings(max_examples=60)
@given(
    model=st.sampled_from(["test/film", "pred/song", "test/never-ends", "pred/fails-later", "test/tenfold-seconds"]),
    opening=st.none() | st.sampled_from([*OPENINGS, Death(OpenLongJob, True)]),
    looks=st.integers(1, 4),
    runs=RUNS,
)
def test_whatever_dies_every_credit_is_where_it_belongs(
    sqlite_studio: Studio,
    model: str,
    opening: Death | None,
    looks: int,
    runs: list[tuple[int, Death | None, int | None]],
):
    here = sqlite_studio.anew()
    control = here.control
    control.done_after = looks
    open_job(here, model, FILM if model.startswith("test/") else SONG, opening)
    clock = 0
    for later, death, fails in runs:
        clock += later
        control.fails_looks = fails
        follow(here, clock, death)
        for job in here.ledger.open_long_jobs():
            assert job.hold.lease_until <= job.new.follow_until
            assert job.hold.status_at(job.hold.placed_at) is HoldStatus.DISPATCHED
    control.fails_looks = None
    for _ in range(5):
        clock += 20
        follow(here, clock)
    follow(here, clock + END + EVIDENCE)

    status = ended(here)
    if model in {"test/never-ends", "pred/fails-later"}:
        assert status is not JobStatus.COMPLETED


def test_a_process_that_is_killed_while_its_provider_answers_leaves_nothing_held(tmp_path: Path):
    """Killed by the system, not by us: nothing of it runs on. Its provider has the job, and nobody knows its id."""
    path = tmp_path / "ledger.sqlite"
    with studio(f"sqlite:///{path}") as stage:
        arrived, go_on = threading.Event(), threading.Event()

        async def hang() -> None:
            arrived.set()
            await asyncio.to_thread(go_on.wait, 60)

        stage.control.answers = hang
        command = [
            sys.executable,
            "-m",
            "tests.gateway.opening_process",
            str(path),
            stage.rig.stub.base_url,
            stage.key(),
        ]
        running = subprocess.Popen(command)
        try:
            assert arrived.wait(60)
        finally:
            running.kill()
            running.wait()
            go_on.set()
        stage.control.answers = None
        assert stage.money()[1] == COST["test/film"]
        [job] = stage.ledger.open_long_jobs()
        assert (job.upstream, len(stage.jobs)) == (None, 1)
        assert follow(stage, 60) is not None
        assert not stage.untouched, "its lease has not lapsed"

        follow(stage, 200)

        assert stage.untouched
        assert ended(stage) is JobStatus.FAILED
        again = stage.post("/v1/videos", json={"model": "test/film", **FILM}, headers={"Idempotency-Key": "once"})
        told = again.json()
        assert (told["status"], told["error"]["code"], len(stage.jobs)) == ("failed", "lost", 1), again.text
