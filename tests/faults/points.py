"""Where a gateway may die: right before and right after every durable step, in the order of a request's life."""

from dataclasses import dataclass
from enum import StrEnum

from mintery.ledger.commands import (
    AbandonBatch,
    AppendBlock,
    BatchSettledSeen,
    CaptureHold,
    Command,
    DropAnswers,
    FormBatch,
    MarkBroadcast,
    MarkDelivered,
    MarkFinal,
    PlaceHold,
    RaiseHalt,
    RecordReconciliation,
    ReleaseHold,
    RollBackBlock,
    SaveAttempt,
    SealRows,
)


class Step(StrEnum):
    """What becomes durable, or leaves this process for good."""

    HOLD_PLACED = "hold placed"
    """Marked dispatched in the same commit."""
    UPSTREAM_CALLED = "upstream called"
    FIRST_BYTE = "first upstream byte"
    USAGE_READ = "usage read"
    CAPTURE_COMMITTED = "capture committed"
    HOLD_RELEASED = "hold released"
    ANSWER_BEGUN = "answer begun"
    ANSWER_PIECE = "answer piece"
    ANSWER_SENT = "answer sent"
    DELIVERED_MARKED = "delivered marked"
    HOLD_EXPIRED = "hold expired"
    BATCH_FORMED = "batch formed"
    ATTEMPT_SAVED = "attempt saved"
    BROADCAST = "broadcast"
    BROADCAST_MARKED = "broadcast marked"
    BATCH_ABANDONED = "batch abandoned"
    BLOCK_APPENDED = "block appended"
    BATCH_FINAL = "batch final"
    """The block with the batch's event is recorded: confirmed and final are one step."""
    BLOCK_ROLLED_BACK = "block rolled back"
    FINAL_MARKED = "final block marked"
    RECONCILED = "reconciliation recorded"
    HALT_RAISED = "halt raised"
    ANSWERS_DROPPED = "answers dropped"
    SEALED = "seal written"


class Stage(StrEnum):
    BEFORE = "before"
    """A ledger step: its statements have run and COMMIT has not. Another: nothing of it has begun."""
    AFTER = "after"
    """A ledger step: COMMIT has returned and the caller knows nothing yet. Another: it is done."""
    TOLD = "told"
    """A ledger step: the caller knows, and has done nothing with it."""


@dataclass(frozen=True, slots=True)
class Point:
    step: Step
    stage: Stage

    def __str__(self) -> str:
        return f"{self.stage.value} {self.step.value}"


ELSEWHERE = frozenset(
    {
        Step.UPSTREAM_CALLED,
        Step.FIRST_BYTE,
        Step.USAGE_READ,
        Step.ANSWER_BEGUN,
        Step.ANSWER_PIECE,
        Step.ANSWER_SENT,
        Step.BROADCAST,
    }
)
"""Steps that are no commit of the ledger."""

POINTS: tuple[Point, ...] = tuple(
    Point(step, stage) for step in Step for stage in Stage if stage is not Stage.TOLD or step not in ELSEWHERE
)
NUMBER_OF = {point: number for number, point in enumerate(POINTS)}


def step_of(command: Command) -> Step | None:  # noqa: C901, PLR0911, PLR0912 -- one flat table
    """The durable step that a ledger command is; None for those that no gateway gives."""
    match command:
        case PlaceHold():
            return Step.HOLD_PLACED
        case CaptureHold():
            return Step.CAPTURE_COMMITTED
        case ReleaseHold(receipt=None, reason="provider_failed"):
            return Step.HOLD_RELEASED
        case ReleaseHold():
            return Step.HOLD_EXPIRED
        case MarkDelivered():
            return Step.DELIVERED_MARKED
        case FormBatch():
            return Step.BATCH_FORMED
        case SaveAttempt():
            return Step.ATTEMPT_SAVED
        case MarkBroadcast():
            return Step.BROADCAST_MARKED
        case AbandonBatch():
            return Step.BATCH_ABANDONED
        case AppendBlock(events=events) if any(isinstance(event, BatchSettledSeen) for _, event in events):
            return Step.BATCH_FINAL
        case AppendBlock():
            return Step.BLOCK_APPENDED
        case RollBackBlock():
            return Step.BLOCK_ROLLED_BACK
        case MarkFinal():
            return Step.FINAL_MARKED
        case RecordReconciliation():
            return Step.RECONCILED
        case RaiseHalt():
            return Step.HALT_RAISED
        case DropAnswers():
            return Step.ANSWERS_DROPPED
        case SealRows():
            return Step.SEALED
        case _:
            return None
