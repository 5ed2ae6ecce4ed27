"""What became of a request's calls to providers, and of requests that no provider ever saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from mintery.domain.hold import RequestId
from mintery.domain.keys import KeyId
from mintery.domain.voucher import AccountId


class AttemptOutcome(StrEnum):
    """How one call of one route ended."""

    DELIVERED = "delivered"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    REFUSED = "refused"
    """With an error status."""
    NONSENSE = "nonsense"
    """Something else than its format, or half of it."""
    FAILED_LATER = "failed_later"
    """A long job that it took, and did not do."""
    BROKE = "broke"
    """A stream that ended after its first event."""
    TOO_LONG = "too_long"
    """Its answer was longer than the gateway carries, which is no fault of the provider's."""
    SKIPPED = "skipped"
    """It was closed between the hold and its turn, and not called."""


@dataclass(frozen=True, slots=True)
class RouteAttempt:
    """One call. ``status`` is the provider's own, where it answered with an error. The delivered one is what is paid."""

    route: str
    provider: str
    outcome: AttemptOutcome
    began_at: datetime
    ended_at: datetime
    status: int | None = None


REFUSED_KEY = "asked_by_key"
"""Where a refusal's evidence says which gateway key asked. It is shown to nobody."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was refused before anything was set aside for it.

    Attributes:
        account: None where no key opened one.
        asked: the model that it named, as far as it was read.
        code: the error's name, as in the answer; ``evidence`` its attributes as JSON values, its cause, and who asked.
    """

    request: RequestId
    account: AccountId | None
    asked: str | None
    code: str
    message: str
    evidence: Mapping[str, Any]
    at: datetime

    @property
    def key(self) -> KeyId | None:
        """The gateway key that asked."""
        return self.evidence.get(REFUSED_KEY)
