"""A gateway that sells long jobs, of two providers behind one stub: ``test`` makes videos as OpenAI has it, ``pred`` anything
at ``/predictions``, where the same key is the same job. Nothing follows the jobs but the tests themselves.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from httpx2 import Response
from tests.gateway.rig import DOMAIN, IDENTITY, PROVIDER_ID, SETTLER, Rig, market, model, rig

from mintery.crypto.vouchers import account_id
from mintery.domain.hold import RequestId
from mintery.domain.long_job import LongJob
from mintery.domain.model import Endpoint, Model, Unit
from mintery.ledger.reads import Ledger
from mintery.ledger.store import open_ledger
from mintery.providers.config import ProviderConfig
from mintery.providers.long_jobs import open_long_jobs
from mintery.providers.stub_jobs import PREDICTIONS, JobBehaviour, StubJob
from mintery.usecases.follow_long_jobs import Followed, Follower

SECOND_USD = 10**17
"""Of a second of 1280x720, in 1e-18 USD: a second costs a tenth of a credit."""
SECOND_NANOS = 10**8
SIZES = frozenset({"second.1280x720", "second.1792x1024"})


def film(name: str, **changes: Any) -> Model:
    made = replace(
        model(name, Endpoint.VIDEOS), units=SIZES, max_output_tokens=0, max_seconds=20, job_seconds=1_200, **changes
    )
    return replace(made, inputs=frozenset({"input_reference"}))


def song(name: str, **changes: Any) -> Model:
    return replace(
        model(name, Endpoint.JOBS),
        id=f"pred/{name}",
        provider="pred",
        units=frozenset({Unit.SECOND.value}),
        max_output_tokens=0,
        max_seconds=60,
        job_seconds=1_200,
        inputs=frozenset({"prompt"}),
        counts=(("duration", Unit.SECOND.value),),
        **changes,
    )


SOLD = (
    film("film"),
    *(film(each.value) for each in JobBehaviour),
    song("song"),
    *(song(each.value) for each in JobBehaviour),
    replace(song("render"), counts=(), inputs=frozenset({"prompt", "duration"})),
    replace(film("endless"), job_seconds=4_000),
)
SHARED = tuple(
    replace(each, id=f"{each.provider}/shared-{place}", serves="shared", quality=900 - place)
    for place, each in enumerate((film(JobBehaviour.TAKES_NONE), film(JobBehaviour.CUTS_AFTER_OPENING), film("film")))
)
"""Three routes of one name, in this order: one takes nothing, of one nobody knows, one makes films."""
MODELS = {each.id: each for each in (*SOLD, *SHARED)}


@dataclass
class Studio:
    """``follower`` is one process's; ``turn`` lets it look at ``at`` seconds from now."""

    rig: Rig
    follower: Follower

    @property
    def ledger(self) -> Ledger:
        return self.rig.ledger

    @property
    def jobs(self) -> Sequence[StubJob]:
        """At the provider."""
        return list(self.rig.stub.control.jobs.jobs.values())

    def another(self) -> Follower:
        """As another process has it, which knows of no earlier look."""
        return Follower(partial(open_long_jobs, self.rig.configs), DOMAIN, SETTLER.address)

    def turn(self, at: float = 0, *, follower: Follower | None = None) -> Followed:
        return (follower or self.another()).follow(self.ledger, datetime.now(UTC) + timedelta(seconds=at))

    def video(self, name: str = "film", *, seconds: int | str = 8, **options: Any) -> Response:
        fields = {"prompt": "a cat", "seconds": str(seconds), "size": "1280x720"} | options.pop("fields", {})
        return self.rig.post("/v1/videos", json={"model": f"test/{name}", **fields}, **options)

    def song(self, name: str = "song", *, duration: int = 30, **options: Any) -> Response:
        body = {"model": f"pred/{name}", "input": {"prompt": "a waltz", "duration": duration}}
        return self.rig.post("/v1/jobs", json=body, **options)

    def opened(self, answer: Response) -> RequestId:
        assert answer.status_code == 200, answer.text
        return RequestId(answer.json()["id"])

    def job(self, request: RequestId) -> LongJob:
        found = self.ledger.long_job(request)
        assert found is not None
        return found

    def money(self) -> tuple[int, int, int]:
        """Available, held and captured, in nanocredits."""
        balance = self.ledger.account(account_id(self.rig.account))
        assert balance is not None
        return balance.available, balance.held, balance.captured


def predictions(config: ProviderConfig) -> Sequence[ProviderConfig]:
    models = tuple(each for each in MODELS.values() if each.provider == "pred")
    return (replace(config, name="pred", registry_id=PROVIDER_ID, models=models, jobs=PREDICTIONS),)


@contextmanager
def studio(database_url: str, **options: Any) -> Iterator[Studio]:
    """Its holder has deposited 100 credits; the ledger is checked once more at the end."""
    with open_ledger(database_url, IDENTITY) as ledger:
        with rig(ledger, extra=tuple(MODELS.values()), beside=predictions, **options) as running:
            running.market = market(int(time.time()), MODELS)
            running.fund(100)
            opened = Studio(running, Follower(dict, DOMAIN, SETTLER.address))
            opened.follower = opened.another()
            yield opened
        ledger.check()
