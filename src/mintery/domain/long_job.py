"""Work that a provider takes minutes for: video, music, game assets. It is opened, looked at until it ends, and fetched.

The request's hold stands for it all the while. What a job is to be charged by is kept beside it, so that whichever process
sees its end can write the receipt. A job's status is derived: it is over when its hold is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from mintery.domain.attempt import AttemptOutcome, RouteAttempt
from mintery.domain.hold import Hold, HoldStatus, RequestId
from mintery.domain.model import Endpoint, Quantities
from mintery.domain.quote import PricedLine
from mintery.domain.quoted import Quoted, parse_quoted, quoted_text


class JobStatus(StrEnum):
    """queued → in_progress → completed | failed. OpenAI's words.

    Forbidden: anything after completed or failed, which come with the capture and the release of the hold.
    """

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


LONG_FORMS = frozenset({Endpoint.VIDEOS, Endpoint.JOBS})
"""Endpoints whose answer is a job."""


class JobFailure(NamedTuple):
    """Why a job failed, in the provider's words or the gateway's."""

    code: str
    message: str


class JobQuote(NamedTuple):
    """What a job is charged by.

    Attributes:
        quoted: the route that has it, at pinned prices, with what the gateway itself charges for.
        asked: what the request comes to by its own words: what is charged where the provider says nothing else.
        variants: units that a provider reports, by the variant that is sold.
        backup: the route stands in for another.
    """

    quoted: Quoted
    asked: Quantities
    variants: Mapping[str, str]
    backup: bool = False

    @property
    def sold(self) -> tuple[PricedLine, ...]:
        """The route's own units, each with its upper bound."""
        return tuple(line for line in self.quoted.lines if line.sku.model == self.quoted.model)

    @property
    def fees(self) -> tuple[PricedLine, ...]:
        """The gateway's own, to be charged as they are."""
        return tuple(line for line in self.quoted.lines if line.sku.model != self.quoted.model)


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that a provider may be asked for from ``begun_at`` on.

    Attributes:
        form: the endpoint whose words it is told in.
        follow_until: it is given up then. No hold outlives it by more than its evidence takes.
        shown: what of the request its answers repeat.
        sent: the body that opened it, where the provider takes the same again as the same: kept until it is accepted.
    """

    request: RequestId
    form: Endpoint
    quote: JobQuote
    begun_at: datetime
    follow_until: datetime
    shown: Mapping[str, str] = field(default_factory=dict)
    sent: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LongJob:
    """A job as it is recorded.

    Attributes:
        upstream: its id at the provider; None until the provider's acceptance is recorded.
        tried: calls of routes that did not take it.
        progress: percent, as the provider said last.
        expires_at: until when the provider keeps what it made, as it said.
        output: what the provider says it made, as JSON; None where that is fetched.
        ended_at: of its hold.
    """

    new: NewJob
    hold: Hold
    epoch: int
    upstream: str | None
    accepted_at: datetime | None
    started_at: datetime | None
    progress: int
    tried: tuple[RouteAttempt, ...]
    expires_at: datetime | None
    output: str | None
    failure: JobFailure | None
    ended_at: datetime | None

    @property
    def id(self) -> RequestId:
        return self.new.request

    @property
    def quoted(self) -> Quoted:
        return self.new.quote.quoted

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def status(self) -> JobStatus:
        if self.hold.captured is not None:
            return JobStatus.COMPLETED
        if self.hold.released_for is not None:
            return JobStatus.FAILED
        return JobStatus.QUEUED if self.started_at is None else JobStatus.IN_PROGRESS

    def is_lost_at(self, now: datetime) -> bool:
        """Nobody knows whether the provider has it, and whoever asked for it asks no more."""
        return self.upstream is None and self.hold.status_at(now) is HoldStatus.UNRESOLVED


def job_quote_text(quote: JobQuote) -> str:
    """As JSON, for the ledger."""
    facts = {
        "quoted": quoted_text(quote.quoted),
        "asked": dict(quote.asked),
        "variants": dict(quote.variants),
        "backup": quote.backup,
    }
    return orjson.dumps(facts).decode()


def parse_job_quote(text: str) -> JobQuote:
    """Reads what ``job_quote_text`` wrote."""
    fields: dict[str, Any] = orjson.loads(text)
    return JobQuote(parse_quoted(fields["quoted"]), fields["asked"], fields["variants"], fields["backup"])


def tried_text(tried: Sequence[RouteAttempt]) -> str:
    """As JSON, for the ledger."""
    calls = [
        [call.route, call.provider, call.outcome.value, call.began_at, call.ended_at, call.status] for call in tried
    ]
    return orjson.dumps(calls).decode()


def parse_tried(text: str) -> tuple[RouteAttempt, ...]:
    """Reads what ``tried_text`` wrote."""
    return tuple(
        RouteAttempt(
            route,
            provider,
            AttemptOutcome(outcome),
            datetime.fromisoformat(began),
            datetime.fromisoformat(ended),
            status,
        )
        for route, provider, outcome, began, ended, status in orjson.loads(text)
    )
