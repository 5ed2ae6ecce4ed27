"""What the ledger can be asked to write, and what it answers: one result for each command, in order.

``ledger.commit(commands)`` writes many in one transaction. A refusal is a result, never an exception, and never
disturbs the commands beside it. Amounts are nanocredits. A command carries its own ids, so that one whose commit was
ambiguous is found again by id: every command here may be given twice and takes effect once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mintery.domain.attempt import Refusal, RouteAttempt
from mintery.domain.batch import Batch, LineOutcome
from mintery.domain.channel import Subject
from mintery.domain.hold import Capture, Constraint, Hold, ReleaseReason, RequestId
from mintery.domain.long_job import JobFailure, JobQuote, NewJob
from mintery.domain.quoted import Quoted
from mintery.domain.rates import RatesLeft, RateUse
from mintery.domain.receipt import Receipt
from mintery.domain.reserve import ReserveObservation
from mintery.domain.voucher import AccountId, AccountKey, SignedVoucher
from mintery.ledger.commands_calls import CallCommand
from mintery.ledger.commands_disputes import DisputeCommand
from mintery.ledger.commands_lots import LotCommand
from mintery.ledger.commands_memberships import MembershipCommand
from mintery.ledger.commands_orders import OrderCommand, OrderResult
from mintery.ledger.commands_postponed import PostponedCommand
from mintery.ledger.commands_refunds import RefundCommand
from mintery.ledger.commands_wallet import WalletCommand
from mintery.units import NanoCredits, UnixSeconds

# ── what the chain says ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class DepositSeen:
    """``Deposited``: opens the account when it is new."""

    account: AccountId
    key: AccountKey
    amount: NanoCredits


@dataclass(frozen=True, slots=True)
class ExitStartedSeen:
    """``ExitStarted``: from here on that much is not available for new holds; everything when ``closing``."""

    account: AccountId
    amount: NanoCredits
    unlock: UnixSeconds
    closing: bool


@dataclass(frozen=True, slots=True)
class ExitCancelledSeen:
    account: AccountId


@dataclass(frozen=True, slots=True)
class ExitExecutedSeen:
    """``ExitExecuted``: ``epoch`` is the account's afterwards; a higher one than before zeroes what was spent."""

    account: AccountId
    amount: NanoCredits
    epoch: int


@dataclass(frozen=True, slots=True)
class ReleasedSeen:
    """``Released`` by a settler to the holder."""

    account: AccountId
    amount: NanoCredits


@dataclass(frozen=True, slots=True)
class BatchSettledSeen:
    """``BatchSettled`` of our gateway: ``outcomes`` in the order of the batch's lines, over all its tokens."""

    batch_id: int
    receipts_root: bytes
    outcomes: tuple[LineOutcome, ...]
    tx_hash: str


ChainEvent = DepositSeen | ExitStartedSeen | ExitCancelledSeen | ExitExecutedSeen | ReleasedSeen | BatchSettledSeen


@dataclass(frozen=True, slots=True)
class Block:
    """Hashes are 32 bytes as lower-case ``0x`` hex; ``timestamp`` in unix seconds."""

    number: int
    hash: str
    parent: str
    timestamp: UnixSeconds


@dataclass(frozen=True, slots=True)
class AppendBlock:
    """A confirmed block with the events that concern this ledger, in log order, each with its log index.

    Applied once by hash; refused (NotNext) unless ``parent`` is the last block recorded, or, when blocks without
    events were left out, unless its number is higher (``parent`` is then the hash of the last one recorded).
    """

    block: Block
    events: tuple[tuple[int, ChainEvent], ...]


@dataclass(frozen=True, slots=True)
class RollBackBlock:
    """The chain no longer has the last recorded block: undo all that its events did, by transfers that say so.

    Refused (NotWritten) for any other block, and for a final one.
    """

    hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MarkFinal:
    """No block up to ``number`` is ever rolled back; a lower number than before changes nothing."""

    number: int


@dataclass(frozen=True, slots=True)
class BlockAppended:
    """``news`` is False when the block was already there. ``undone``: receipts whose write-off it undid, by settling them."""

    news: bool
    undone: tuple[RequestId, ...] = ()


@dataclass(frozen=True, slots=True)
class NotNext:
    last: Block | None


# ── the life of a request ────────────────────────────────────────────────────────────────────────────────────────


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


@dataclass(frozen=True, slots=True)
class Done:
    """``changed`` counts rows; 0 when it had been done before."""

    changed: int


# ── long jobs ────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── settlement ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class FormBatch:
    """Intent: these receipts go into this batch. Refused (NotWritten) when one is in another batch already."""

    batch: Batch
    receipts: tuple[RequestId, ...]
    formed_at: datetime


@dataclass(frozen=True, slots=True)
class SaveAttempt:
    """A signed transaction of a batch, saved before it is broadcast. ``raw`` is as sent; ``nonce`` the settler's."""

    batch_id: int
    tx_hash: str
    raw: bytes
    nonce: int
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class MarkBroadcast:
    tx_hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AbandonBatch:
    """The batch can never settle as formed (its simulation reverts); its receipts are free for another.

    ``dead_attempts``: how many of its attempts can take effect no more, as their nonces are used in a confirmed block.
    Refused when more were saved: another process may be sending one now.
    """

    batch_id: int
    why: str
    at: datetime
    dead_attempts: int = 0


@dataclass(frozen=True, slots=True)
class WriteOff:
    """The operator gives up what a receipt charged, as it can never settle: it is the operator's loss.

    Refused (NotWritten) while a batch has the receipt.
    """

    request: RequestId
    reason: str
    at: datetime


# ── what stands in the way ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class RaiseHalt:
    """No process on this ledger settles any more. Done(0) where one of this alarm and subject stands."""

    alarm: str
    subject: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LiftHalt:
    """The check that raised it passes again."""

    alarm: str
    subject: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ClearHalt:
    """The operator's decision, with its reason. Done(0) where no such halt stands."""

    halt: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Difference:
    """``what`` names the figure, and the account where it is one's; base units of credit or asset."""

    what: str
    chain: int
    books: int


@dataclass(frozen=True, slots=True)
class ObserveReserve:
    """What a project's reserve was at a final block; kept once for each block."""

    seen: ReserveObservation


@dataclass(frozen=True, slots=True)
class RecordReconciliation:
    """All figures were compared at ``block``, and these differ; ``changed`` counts them."""

    block: Block
    differences: tuple[Difference, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class FlowSums:
    """What the contracts' events add up to, from the deployment to a final block: ``sums`` as whoever adds them writes it.
    ``anew``: how often they had been made anew, from the first event, when their last block was added.
    """

    number: int
    hash: str
    sums: str
    anew: int = 0


@dataclass(frozen=True, slots=True)
class KeepFlowSums:
    """In place of those kept before, unless these were made anew since, which ``changed`` 0 says. They say nothing that the
    chain does not: whoever loses them reads it again.
    """

    flows: FlowSums


# ── what the operator sets ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ChangeChannel:
    """A setting's next value, as JSON text. Refused (NotWritten) unless ``revision`` is the next one: somebody else changed it
    since this was decided. Done(0) where this very change was written before.
    """

    subject: Subject
    revision: int
    value: str | None
    changed_by: str
    reason: str
    at: datetime


# ── the record of it all ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SealRows:
    """Seal up to ``limit`` rows of each append-only table that are not sealed yet; ``changed`` counts them.

    Nothing is sealed twice, and another process that is sealing is not waited for.
    """

    limit: int
    at: datetime


@dataclass(frozen=True, slots=True)
class NotWritten:
    """The command does not fit what is recorded; ``why`` is for the log."""

    why: str


RequestCommand = PlaceHold | DispatchHold | ExtendLease | CaptureHold | ReleaseHold | MarkDelivered
"""What paid requests ask for; many of them are decided at once."""
Command = (
    RequestCommand
    | AppendBlock
    | RollBackBlock
    | MarkFinal
    | DropAnswers
    | FormBatch
    | SaveAttempt
    | MarkBroadcast
    | AbandonBatch
    | WriteOff
    | SealRows
    | RaiseHalt
    | LiftHalt
    | ClearHalt
    | RecordReconciliation
    | KeepFlowSums
    | RecordRefusals
    | ChangeChannel
    | WalletCommand
    | ObserveReserve
    | OpenLongJob
    | RerouteLongJob
    | AcceptLongJob
    | NoteLongJob
    | CloseLongJob
    | OrderCommand
    | DisputeCommand
    | MembershipCommand
    | CallCommand
    | LotCommand
    | RefundCommand
    | PostponedCommand
)
Result = (
    BlockAppended
    | NotNext
    | HoldPlaced
    | HoldRefused
    | RateReached
    | RequestKnown
    | Capture
    | HoldReleased
    | HoldNotEnding
    | Done
    | NotWritten
    | OrderResult
)
Results = Sequence[Result]
