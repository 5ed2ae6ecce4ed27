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
from tests.gateway.rig import (
    DOMAIN,
    GATEWAY,
    HOLDER,
    IDENTITY,
    PROVIDER_ID,
    SETTLER,
    TOKEN,
    Rig,
    key_text,
    market,
    model,
    private_key,
    rig,
)

from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import account_id
from mintery.domain.hold import RequestId
from mintery.domain.long_job import LongJob
from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.voucher import AccountKey
from mintery.ledger.reads import Ledger
from mintery.ledger.store import open_ledger
from mintery.providers.config import ProviderConfig
from mintery.providers.long_jobs import open_long_jobs
from mintery.providers.stub_jobs import PREDICTIONS, JobBehaviour, JobControl, StubJob
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
STANDS_IN = tuple(
    replace(each, id=f"{each.provider}/spare-{place}", serves="spare", quality=900 - place)
    for place, each in enumerate((film(JobBehaviour.TAKES_NONE), film("film")))
)
TUNES = tuple(
    replace(each, id=f"{each.provider}/tune-{place}", serves="tune", quality=900 - place)
    for place, each in enumerate((song(JobBehaviour.FAILS_AFTER_OPENING), song("song")))
)
"""Of the first nobody knows, though it may be asked again."""
MODELS = {each.id: each for each in (*SOLD, *SHARED, *STANDS_IN, *TUNES)}


@dataclass
class Studio:
    """Made for one test after another; see ``anew``. ``turn`` lets one look at ``at`` seconds from now."""

    rig: Rig
    signer: PrivateKey = HOLDER
    before: int = 0
    """Jobs at the provider that are none of this test's."""
    tests: int = 0

    @property
    def ledger(self) -> Ledger:
        return self.rig.ledger

    @property
    def control(self) -> JobControl:
        return self.rig.stub.control.jobs

    @property
    def jobs(self) -> Sequence[StubJob]:
        """At the provider, of this test."""
        return list(self.control.jobs.values())[self.before :]

    @property
    def account(self) -> AccountKey:
        return AccountKey(TOKEN, GATEWAY, self.signer.address, self.signer.address)

    def anew(self) -> "Studio":
        """For one more test: with another holder, of 100 credits, and nothing left open."""
        control = self.control
        control.fails_looks, control.refuses_again, control.answers, control.done_after = None, None, None, 1
        if self.ledger.open_long_jobs():
            self.turn(10**6)
            assert self.ledger.open_long_jobs() == []
        self.tests += 1
        self.signer, self.before = private_key(1_000 + self.tests), len(control.jobs)
        self.rig.fund(100, signer=self.signer)
        return self

    def key(self, **fields: Any) -> str:
        return key_text(signer=self.signer, **fields)

    def get(self, path: str, **options: Any) -> Response:
        return self.rig.get(path, **{"key": self.key(), **options})

    def post(self, path: str, **options: Any) -> Response:
        return self.rig.post(path, **{"key": self.key(), **options})

    @property
    def untouched(self) -> bool:
        """No credit moved and nothing is held."""
        return self.money() == (100 * 10**9, 0, 0)

    def another(self) -> Follower:
        """As another process has it, which knows of no earlier look."""
        return Follower(partial(open_long_jobs, self.rig.configs), DOMAIN, SETTLER.address)

    def turn(self, at: float = 0, *, follower: Follower | None = None) -> Followed:
        return (follower or self.another()).follow(self.ledger, datetime.now(UTC) + timedelta(seconds=at))

    def video(self, name: str = "film", *, seconds: int | str = 8, **options: Any) -> Response:
        fields = {"prompt": "a cat", "seconds": str(seconds), "size": "1280x720"} | options.pop("fields", {})
        return self.post("/v1/videos", json={"model": f"test/{name}", **fields}, **options)

    def song(self, name: str = "song", *, duration: int = 30, **options: Any) -> Response:
        body = {"model": f"pred/{name}", "input": {"prompt": "a waltz", "duration": duration}}
        return self.post("/v1/jobs", json=body, **options)

    def opened(self, answer: Response) -> RequestId:
        assert answer.status_code == 200, answer.text
        return RequestId(answer.json()["id"])

    def job(self, request: RequestId) -> LongJob:
        found = self.ledger.long_job(request)
        assert found is not None
        return found

    def money(self) -> tuple[int, int, int]:
        """Available, held and captured, in nanocredits."""
        balance = self.ledger.account(account_id(self.account))
        assert balance is not None
        return balance.available, balance.held, balance.captured


def predictions(config: ProviderConfig) -> Sequence[ProviderConfig]:
    models = tuple(each for each in MODELS.values() if each.provider == "pred")
    return (replace(config, name="pred", registry_id=PROVIDER_ID, models=models, jobs=PREDICTIONS),)


@contextmanager
def studio(database_url: str, **options: Any) -> Iterator[Studio]:
    """The ledger is checked once more at the end."""
    with open_ledger(database_url, IDENTITY) as ledger:
        with rig(ledger, extra=tuple(MODELS.values()), beside=predictions, **options) as running:
            running.market = market(int(time.time()), MODELS)
            yield Studio(running).anew()
        ledger.check()
