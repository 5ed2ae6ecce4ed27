"""What the ledger can be asked to write of long jobs."""

from dataclasses import dataclass
from datetime import datetime

from mintery.domain.attempt import RouteAttempt
from mintery.domain.hold import RequestId
from mintery.domain.long_job import JobFailure, JobQuote, NewJob


@dataclass(frozen=True, slots=True)
class OpenLongJob:
    """Intent: the provider may be asked for it from here on. Beside the ``PlaceHold`` of its request; refused (NotWritten)
    where that has no open hold.
    """

    job: NewJob


@dataclass(frozen=True, slots=True)
class RerouteLongJob:
    """Intent: another route is asked, as those ``tried`` did not take it. Refused (NotWritten) once a provider has it."""

    request: RequestId
    quote: JobQuote
    tried: tuple[RouteAttempt, ...]
    begun_at: datetime
    sent: bytes | None = None


@dataclass(frozen=True, slots=True)
class AcceptLongJob:
    """The provider has it as ``upstream``. Refused (NotWritten) where the hold has ended or another id is recorded."""

    request: RequestId
    upstream: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NoteLongJob:
    """What a look at it found. ``started_at`` counts once, progress never falls."""

    request: RequestId
    progress: int
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CloseLongJob:
    """What it came to. Beside the capture or release that ends it; refused (NotWritten) where the hold is still open."""

    request: RequestId
    output: str | None = None
    expires_at: datetime | None = None
    failure: JobFailure | None = None
