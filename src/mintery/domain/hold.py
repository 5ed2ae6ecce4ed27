"""Credits set aside for one request, and the limits that admit them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from mintery.domain.voucher import AccountId
from mintery.errors import CaptureExceedsHold, HoldNotOpen
from mintery.units import NanoCredits

RequestId = NewType("RequestId", str)
"""``req_`` and 32 hex digits; names the request, its hold and its receipt alike."""


class HoldStatus(StrEnum):
    """held → dispatched → captured | released; a dispatched hold whose lease lapsed is unresolved until it ends.

    Forbidden: anything after captured or released; held → captured (only what was sent to a provider costs).
    """

    HELD = "held"
    DISPATCHED = "dispatched"
    UNRESOLVED = "unresolved"
    CAPTURED = "captured"
    RELEASED = "released"


class ReleaseReason(StrEnum):
    PROVIDER_FAILED = "provider_failed"
    """The provider answered with an error, or nothing, before it did any work."""
    NOT_DISPATCHED = "not_dispatched"
    """Placed but never sent, and its lease lapsed or its price became too old."""
    UNRESOLVED = "unresolved"
    """Sent, and no evidence of its end came within the time allowed: the operator's loss."""


class Ending(StrEnum):
    """When an amount stops counting against a constraint."""

    CAPTURE = "capture"
    """Held only: a capture or release frees it."""
    SETTLEMENT = "settlement"
    """Held and captured: the batch's final settlement frees what was captured."""
    NEVER = "never"
    """What was captured stays counted (a budget of a period, named in the key)."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A limit that a hold must fit under: used[key] + amount <= ceiling, decided in the same statement that adds to it.

    Attributes:
        key: names the counter, like ``payout:0xToken…:20771`` or ``budget:key-7:2026-W47``.
        ceiling: nanocredits.
        model: of what is captured, only what this model answered stays counted. None: whichever did.
    """

    key: str
    ceiling: NanoCredits
    until: Ending
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Facts of one hold; its status is derived from them and ``now``."""

    id: RequestId
    account: AccountId
    amount: NanoCredits
    placed_at: datetime
    lease_until: datetime
    dispatched_at: datetime | None = None
    captured: NanoCredits | None = None
    released_for: ReleaseReason | None = None

    def status_at(self, now: datetime) -> HoldStatus:
        if self.captured is not None:
            return HoldStatus.CAPTURED
        if self.released_for is not None:
            return HoldStatus.RELEASED
        if self.dispatched_at is None:
            return HoldStatus.HELD
        return HoldStatus.DISPATCHED if now < self.lease_until else HoldStatus.UNRESOLVED


@dataclass(frozen=True, slots=True)
class Capture:
    """captured + released == the hold's amount."""

    hold: RequestId
    captured: NanoCredits
    released: NanoCredits
    at: datetime


def capture(hold: Hold, cost: NanoCredits, now: datetime) -> Capture:
    """Charge ``cost`` against an open hold and release the rest.

    A hold whose lease lapsed may still be captured: the evidence came late, but it came.

    Raises:
        HoldNotOpen: the hold was never dispatched, or has ended.
        CaptureExceedsHold: ``cost`` is more than was held.
    """
    status = hold.status_at(now)
    if status not in {HoldStatus.DISPATCHED, HoldStatus.UNRESOLVED}:
        raise HoldNotOpen(hold.id, status)
    if cost > hold.amount:
        raise CaptureExceedsHold(hold.id, cost=cost, held=hold.amount)
    return Capture(hold.id, captured=cost, released=NanoCredits(hold.amount - cost), at=now)
