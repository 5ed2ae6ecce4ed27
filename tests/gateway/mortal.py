"""Processes that die where a test says: from then on they write nothing, read nothing and ask nobody."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from prometheus_client import CollectorRegistry
from tests.gateway.rig import DOMAIN, SETTLER
from tests.gateway.studio import Studio

from mintery.domain.hold import RequestId
from mintery.domain.model import Endpoint
from mintery.ledger.commands import Command, Result
from mintery.ledger.reads import Ledger
from mintery.providers.job_forms import JobReport
from mintery.providers.long_jobs import JobProvider, open_long_jobs
from mintery.usecases.follow_long_jobs import Followed, Follower
from mintery.usecases.meters import Meters
from mintery.usecases.pay_for_request import Asked, open_till, pay_for_request
from mintery.usecases.verify_credential import verify_credential

FORMS = {"test": Endpoint.VIDEOS, "pred": Endpoint.JOBS}


class Killed(BaseException):
    """Nothing of the process goes on."""


@dataclass(frozen=True)
class Death:
    """``at`` a command, or ``"opened"``: the provider's answer is there. ``written``: the command was committed before."""

    at: type | str
    written: bool = False

    def __str__(self) -> str:
        return self.at if isinstance(self.at, str) else f"{self.at.__name__}-{'written' if self.written else 'not'}"


class MortalLedger:
    """A ledger as a mortal process has it."""

    def __init__(self, ledger: Ledger, death: Death | None) -> None:
        self._ledger = ledger
        self._death = death
        self.dead = False

    def commit(self, commands: Sequence[Command]) -> Sequence[Result]:
        self._alive()
        if not self._dies(commands):
            return self._ledger.commit(commands)
        if self._death is not None and self._death.written:
            self._ledger.commit(commands)
        self.die()
        raise AssertionError

    async def commit_async(self, commands: Sequence[Command]) -> Sequence[Result]:
        return self.commit(commands)

    def __getattr__(self, name: str) -> Any:
        self._alive()
        return getattr(self._ledger, name)

    def die(self) -> None:
        self.dead = True
        raise Killed

    def opened(self) -> None:
        """The provider has answered."""
        if self._death == Death("opened"):
            self.die()

    def _alive(self) -> None:
        if self.dead:
            raise Killed

    def _dies(self, commands: Sequence[Command]) -> bool:
        death = self._death
        return death is not None and any(type(command) is death.at for command in commands)


@dataclass
class MortalProvider:
    """What it is asked for by a process that may die before it hears the answer."""

    inner: JobProvider
    ledger: MortalLedger

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def open(self, model: str, body: bytes, key: str) -> JobReport:
        report = await self.inner.open(model, body, key)
        self.ledger.opened()
        return report


def open_job(
    studio: Studio, model: str, fields: Mapping[str, Any], death: Death | None = None, **asked: Any
) -> RequestId | None:
    """The job that a process of its own opened; None where it died before it could say so."""
    ledger = MortalLedger(studio.ledger, death)
    try:
        return asyncio.run(_open_job(studio, ledger, model, fields, asked))
    except Killed:
        return None


async def _open_job(
    studio: Studio, ledger: MortalLedger, model: str, fields: Mapping[str, Any], asked: Mapping[str, Any]
) -> RequestId:
    providers = open_long_jobs(studio.rig.configs)
    mortal = {name: MortalProvider(each, ledger) for name, each in providers.items()}
    parts = replace(
        studio.rig.parts, ledger=ledger, job_providers=mortal, registry=CollectorRegistry(), mark="ffffffff"
    )  # type: ignore[arg-type]  # they do as the real ones
    try:
        till = open_till(parts, Meters(parts.registry))
        market = parts.market()
        credential = verify_credential(parts, market, studio.key(), None)
        form = FORMS[model.partition("/")[0]]
        body = orjson.dumps({"model": model, **fields})
        attempt = await pay_for_request(till, market, credential, Asked(form, f"/v1/{form}", body, **asked))
        whole = await attempt.whole()
        if ledger.dead:
            raise Killed
        if attempt.error is not None:
            raise attempt.error
        return RequestId(orjson.loads(whole)["id"])
    finally:
        for provider in providers.values():
            await provider.close()


def follow(studio: Studio, at: float, death: Death | None = None) -> Followed | None:
    """What a process of its own follows, ``at`` seconds from now; None where it died."""
    ledger = MortalLedger(studio.ledger, death)

    def providers() -> dict[str, Any]:
        return {name: MortalProvider(each, ledger) for name, each in open_long_jobs(studio.rig.configs).items()}

    follower = Follower(providers, DOMAIN, SETTLER.address)
    try:
        return follower.follow(ledger, datetime.now(UTC) + timedelta(seconds=at))  # type: ignore[arg-type]  # as above
    except Killed:
        return None
