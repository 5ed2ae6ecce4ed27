"""What the ledger can be asked to write of paid requests, and what it answers. Amounts are nanocredits."""

from dataclasses import dataclass
from datetime import datetime

from mintery.domain.attempt import Refusal, RouteAttempt
from mintery.domain.hold import Constraint, Hold, ReleaseReason, RequestId
from mintery.domain.quoted import Quoted
from mintery.domain.rates import RatesLeft, RateUse
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import AccountId, SignedVoucher
from mintery.units import NanoCredits


@dataclass(frozen=True, slots=True)
class RequestKey:
    """How a request is known again. Bytes are 32-byte hashes.

    Attributes:
        credential: hash of the credential that sent it.
        body: hash of method, path and body.
        idempotency_key: the client's own, unique for the credential.
        raised: digest of the raised voucher that admits exactly this request, unique for the account: the digest leaves
            the signer out.
    """

    credential: bytes
    body: bytes
    idempotency_key: str | None = None
    raised: bytes | None = None


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """Set credits aside, if everything admits it: balance less pending exits, the voucher's own room, every constraint.

    Attributes:
        signed: the voucher that admits the hold: spent + open holds + amount <= its maxSpend; refused once the account
            is in another epoch than its own.
        quoted: what it is for: all that its receipt says when no evidence of its end ever comes.
        dispatch: mark it dispatched in the same commit.
        repeats_since: the request says that it was sent before: one with the same credential, body and raised voucher that was
            placed since then and not delivered is what it repeats. None for a request that is new. Without an idempotency
            key, either joins a declared retry that was placed at ``placed_at`` or later: its own, which overtook it.
        rate: what it counts as against the account's rates; None where it has none.
        authority: the number of the holder's last change that ``constraints`` and the credential were read by.
    """

    request: RequestId
    key: RequestKey
    account: AccountId
    signed: SignedVoucher
    digest: bytes
    quoted: Quoted
    amount: NanoCredits
    placed_at: datetime
    lease_until: datetime
    constraints: tuple[Constraint, ...] = ()
    dispatch: bool = True
    repeats_since: datetime | None = None
    rate: RateUse | None = None
    authority: int = 0


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """``left`` of the account's rates, where it was counted against them just now."""

    hold: Hold
    left: RatesLeft | None = None


@dataclass(frozen=True, slots=True)
class HoldRefused:
    """``rule`` is ``balance``, ``voucher``, ``epoch``, ``account`` (unknown), ``authority`` (what the holder allows has changed:
    read it again), or the key of a constraint.

    ``available`` is what that rule would still have admitted.
    """

    rule: str
    required: NanoCredits
    available: NanoCredits


@dataclass(frozen=True, slots=True)
class RateReached:
    """The account asks too much of this minute: ``by`` is ``requests`` or ``tokens``.

    ``wait`` in microseconds; None where no waiting helps, as the request alone is above the limit.
    """

    by: str
    left: RatesLeft
    wait: int | None


@dataclass(frozen=True, slots=True)
class RequestKnown:
    """The raised voucher or the idempotency key was used before, by ``request``, with this body hash; or it is what a retry
    repeats.
    """

    request: RequestId
    by: str
    """``raised``, ``idempotency_key`` or ``retry``."""
    body: bytes


@dataclass(frozen=True, slots=True)
class DispatchHold:
    request: RequestId
    at: datetime


@dataclass(frozen=True, slots=True)
class ExtendLease:
    request: RequestId
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client is sent: kept until delivered, or 24 h where an idempotency key asks for it."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class CaptureHold:
    """Charge ``receipt.cost``, return the rest, record the receipt and the answer: one commit.

    ``attempts`` are the request's calls to providers where the first one did not deliver.
    """

    request: RequestId
    receipt: Receipt
    answer: Answer | None
    attempts: tuple[RouteAttempt, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Return the whole hold. With UNRESOLVED, ``receipt`` records the operator's loss (cost 0)."""

    request: RequestId
    reason: ReleaseReason
    at: datetime
    receipt: Receipt | None = None
    attempts: tuple[RouteAttempt, ...] = ()


@dataclass(frozen=True, slots=True)
class HoldNotEnding:
    """Capture or release of a hold that is not there or has ended; ``status`` as of the commit."""

    request: RequestId
    status: str


@dataclass(frozen=True, slots=True)
class HoldReleased:
    request: RequestId
    amount: NanoCredits


@dataclass(frozen=True, slots=True)
class MarkDelivered:
    """The client has the last byte; a kept answer goes, unless an idempotency key still asks for it.

    ``opened``: what it has is a job's opening, which comes before the request's end. Refused otherwise until then.
    """

    request: RequestId
    at: datetime
    opened: bool = False


@dataclass(frozen=True, slots=True)
class DropAnswers:
    """Answers captured before ``before`` are no longer kept."""

    before: datetime


@dataclass(frozen=True, slots=True)
class RecordRefusals:
    """Requests that were refused before they had a hold. The newest are kept; ``changed`` counts these."""

    refusals: tuple[Refusal, ...]


RequestCommand = PlaceHold | DispatchHold | ExtendLease | CaptureHold | ReleaseHold | MarkDelivered
"""What paid requests ask for; many of them are decided at once."""
