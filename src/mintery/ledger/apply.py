"""Which function writes which command."""

from collections.abc import Sequence

from mintery.ledger.apply_batches import abandon_batch, form_batch, mark_broadcast, save_attempt
from mintery.ledger.apply_chain import append_block
from mintery.ledger.apply_endings import capture_hold, drop_answers, mark_delivered, release_hold
from mintery.ledger.apply_halts import clear_halt, lift_halt, raise_halt, record_reconciliation
from mintery.ledger.apply_holds import dispatch_hold, extend_lease, place_hold
from mintery.ledger.apply_seals import seal_rows
from mintery.ledger.commands import (
    AbandonBatch,
    AppendBlock,
    CaptureHold,
    ClearHalt,
    Command,
    DispatchHold,
    DropAnswers,
    ExtendLease,
    FormBatch,
    LiftHalt,
    MarkBroadcast,
    MarkDelivered,
    PlaceHold,
    RaiseHalt,
    RecordReconciliation,
    ReleaseHold,
    Result,
    SaveAttempt,
    SealRows,
)
from mintery.ledger.work import Work


def apply_all(work: Work, commands: Sequence[Command]) -> list[Result]:
    """One result for each command, in order. An exception is no refusal: the whole list is to be rolled back."""
    return [_apply(work, command) for command in commands]


def _apply(work: Work, command: Command) -> Result:  # noqa: C901, PLR0911, PLR0912 -- one flat table, exhaustive for mypy
    match command:
        case PlaceHold():
            return place_hold(work, command)
        case CaptureHold():
            return capture_hold(work, command)
        case MarkDelivered():
            return mark_delivered(work, command)
        case ReleaseHold():
            return release_hold(work, command)
        case DispatchHold():
            return dispatch_hold(work, command)
        case ExtendLease():
            return extend_lease(work, command)
        case DropAnswers():
            return drop_answers(work, command)
        case AppendBlock():
            return append_block(work, command)
        case FormBatch():
            return form_batch(work, command)
        case SaveAttempt():
            return save_attempt(work, command)
        case MarkBroadcast():
            return mark_broadcast(work, command)
        case AbandonBatch():
            return abandon_batch(work, command)
        case RaiseHalt():
            return raise_halt(work, command)
        case LiftHalt():
            return lift_halt(work, command)
        case ClearHalt():
            return clear_halt(work, command)
        case RecordReconciliation():
            return record_reconciliation(work, command)
        case SealRows():
            return seal_rows(work, command)
