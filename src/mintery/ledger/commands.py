"""What the ledger can be asked to write, and what it answers: one result for each command, in order.

``ledger.commit(commands)`` writes many in one transaction. A refusal is a result, never an exception, and never
disturbs the commands beside it. Amounts are nanocredits. A command carries its own ids, so that one whose commit was
ambiguous is found again by id: every command here may be given twice and takes effect once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mintery.domain.channel import Subject
from mintery.domain.hold import Capture
from mintery.ledger.commands_batches import AbandonBatch, FormBatch, MarkBroadcast, SaveAttempt, WriteOff
from mintery.ledger.commands_calls import CallCommand
from mintery.ledger.commands_chain import (
    AppendBlock,
    BatchSettledSeen,
    Block,
    BlockAppended,
    ChainEvent,
    DepositSeen,
    ExitCancelledSeen,
    ExitExecutedSeen,
    ExitStartedSeen,
    MarkFinal,
    NotNext,
    ReleasedSeen,
    RollBackBlock,
)
from mintery.ledger.commands_disputes import DisputeCommand
from mintery.ledger.commands_halts import (
    ClearHalt,
    Difference,
    FlowSums,
    KeepFlowSums,
    LiftHalt,
    ObserveReserve,
    RaiseHalt,
    RecordReconciliation,
)
from mintery.ledger.commands_long_jobs import AcceptLongJob, CloseLongJob, NoteLongJob, OpenLongJob, RerouteLongJob
from mintery.ledger.commands_lots import LotCommand
from mintery.ledger.commands_memberships import MembershipCommand
from mintery.ledger.commands_orders import OrderCommand, OrderResult
from mintery.ledger.commands_postponed import PostponedCommand
from mintery.ledger.commands_refunds import RefundCommand
from mintery.ledger.commands_relayed import RelayedCommand
from mintery.ledger.commands_requests import (
    Answer,
    CaptureHold,
    DispatchHold,
    DropAnswers,
    ExtendLease,
    HoldNotEnding,
    HoldPlaced,
    HoldRefused,
    HoldReleased,
    MarkDelivered,
    PlaceHold,
    RateReached,
    RecordRefusals,
    ReleaseHold,
    RequestCommand,
    RequestKey,
    RequestKnown,
)
from mintery.ledger.commands_wallet import WalletCommand
from mintery.ledger.commands_withdrawn import WithdrawnCommand

__all__ = [
    "AbandonBatch",
    "AcceptLongJob",
    "Answer",
    "AppendBlock",
    "BatchSettledSeen",
    "Block",
    "BlockAppended",
    "CaptureHold",
    "ChainEvent",
    "ChangeChannel",
    "ClearHalt",
    "CloseLongJob",
    "Command",
    "DepositSeen",
    "Difference",
    "DispatchHold",
    "Done",
    "DropAnswers",
    "ExitCancelledSeen",
    "ExitExecutedSeen",
    "ExitStartedSeen",
    "ExtendLease",
    "FlowSums",
    "FormBatch",
    "HoldNotEnding",
    "HoldPlaced",
    "HoldRefused",
    "HoldReleased",
    "KeepFlowSums",
    "LiftHalt",
    "MarkBroadcast",
    "MarkDelivered",
    "MarkFinal",
    "NotNext",
    "NotWritten",
    "NoteLongJob",
    "ObserveReserve",
    "OpenLongJob",
    "PlaceHold",
    "RaiseHalt",
    "RateReached",
    "RecordReconciliation",
    "RecordRefusals",
    "ReleaseHold",
    "ReleasedSeen",
    "RequestCommand",
    "RequestKey",
    "RequestKnown",
    "RerouteLongJob",
    "Result",
    "Results",
    "RollBackBlock",
    "SaveAttempt",
    "SealRows",
    "WriteOff",
]


@dataclass(frozen=True, slots=True)
class Done:
    """``changed`` counts rows; 0 when it had been done before."""

    changed: int


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
    | WithdrawnCommand
    | RelayedCommand
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
