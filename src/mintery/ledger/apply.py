"""Which function writes which command."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from mintery.ledger.apply_authorities import AUTHORITY_WRITERS, add_standing_voucher
from mintery.ledger.apply_batches import abandon_batch, form_batch, mark_broadcast, save_attempt
from mintery.ledger.apply_calls import CALL_WRITERS
from mintery.ledger.apply_chain import append_block
from mintery.ledger.apply_channels import change_channel
from mintery.ledger.apply_disputes import DISPUTE_WRITERS
from mintery.ledger.apply_endings import capture_hold, drop_answers, mark_delivered, release_hold
from mintery.ledger.apply_halts import clear_halt, keep_flow_sums, lift_halt, raise_halt, record_reconciliation
from mintery.ledger.apply_holds import dispatch_hold, extend_lease, place_hold
from mintery.ledger.apply_long_jobs import (
    accept_long_job,
    close_long_job,
    note_long_job,
    open_long_job,
    reroute_long_job,
)
from mintery.ledger.apply_lots import trace_lots
from mintery.ledger.apply_memberships import agree_membership, charge_month, end_membership
from mintery.ledger.apply_orders import ORDER_WRITERS
from mintery.ledger.apply_postponed import POSTPONED_WRITERS
from mintery.ledger.apply_refunds import REFUND_WRITERS
from mintery.ledger.apply_refusals import record_refusals
from mintery.ledger.apply_relayed import RELAYED_WRITERS
from mintery.ledger.apply_reserve import observe_reserve
from mintery.ledger.apply_rollback import mark_final, roll_back_block
from mintery.ledger.apply_seals import seal_rows
from mintery.ledger.apply_sign_ins import begin_sign_in, end_sign_in
from mintery.ledger.apply_withdrawn import WITHDRAWN_WRITERS
from mintery.ledger.apply_write_offs import write_off
from mintery.ledger.commands import (
    AbandonBatch,
    AcceptLongJob,
    AppendBlock,
    CaptureHold,
    ChangeChannel,
    ClearHalt,
    CloseLongJob,
    Command,
    DispatchHold,
    DropAnswers,
    ExtendLease,
    FormBatch,
    KeepFlowSums,
    LiftHalt,
    MarkBroadcast,
    MarkDelivered,
    MarkFinal,
    NoteLongJob,
    ObserveReserve,
    OpenLongJob,
    PlaceHold,
    RaiseHalt,
    RecordReconciliation,
    RecordRefusals,
    ReleaseHold,
    RequestCommand,
    RerouteLongJob,
    Result,
    RollBackBlock,
    SaveAttempt,
    SealRows,
    WriteOff,
)
from mintery.ledger.commands_calls import FailCall
from mintery.ledger.commands_lots import TraceLots
from mintery.ledger.commands_memberships import AgreeMembership, ChargeMonth, EndMembership
from mintery.ledger.commands_wallet import AddStandingVoucher, BeginSignIn, EndSignIn
from mintery.ledger.sheet import Sheet, open_sheet
from mintery.ledger.work import Work

_ON_A_SHEET: Mapping[type, Callable[[Sheet, Any], Result]] = {
    PlaceHold: place_hold,
    DispatchHold: dispatch_hold,
    ExtendLease: extend_lease,
    CaptureHold: capture_hold,
    ReleaseHold: release_hold,
    MarkDelivered: mark_delivered,
}
_ALONE: Mapping[type, Callable[[Work, Any], Result]] = {
    DropAnswers: drop_answers,
    AppendBlock: append_block,
    RollBackBlock: roll_back_block,
    MarkFinal: mark_final,
    FormBatch: form_batch,
    SaveAttempt: save_attempt,
    MarkBroadcast: mark_broadcast,
    AbandonBatch: abandon_batch,
    RaiseHalt: raise_halt,
    LiftHalt: lift_halt,
    ClearHalt: clear_halt,
    RecordReconciliation: record_reconciliation,
    KeepFlowSums: keep_flow_sums,
    RecordRefusals: record_refusals,
    WriteOff: write_off,
    SealRows: seal_rows,
    ChangeChannel: change_channel,
    BeginSignIn: begin_sign_in,
    EndSignIn: end_sign_in,
    OpenLongJob: open_long_job,
    RerouteLongJob: reroute_long_job,
    AcceptLongJob: accept_long_job,
    NoteLongJob: note_long_job,
    CloseLongJob: close_long_job,
    ObserveReserve: observe_reserve,
    **ORDER_WRITERS,
    AgreeMembership: agree_membership,
    EndMembership: end_membership,
    ChargeMonth: charge_month,
    AddStandingVoucher: add_standing_voucher,
    **AUTHORITY_WRITERS,
    **CALL_WRITERS,
    TraceLots: trace_lots,
    **REFUND_WRITERS,
    **POSTPONED_WRITERS,
    **WITHDRAWN_WRITERS,
    **DISPUTE_WRITERS,
    **RELAYED_WRITERS,
}
_BESIDE = (
    SealRows,
    DropAnswers,
    SaveAttempt,
    MarkBroadcast,
    RaiseHalt,
    LiftHalt,
    ClearHalt,
    RecordReconciliation,
    KeepFlowSums,
    RecordRefusals,
    ChangeChannel,
    BeginSignIn,
    EndSignIn,
    OpenLongJob,
    RerouteLongJob,
    AcceptLongJob,
    NoteLongJob,
    CloseLongJob,
    ObserveReserve,
    *ORDER_WRITERS,
    AgreeMembership,
    EndMembership,
    AddStandingVoucher,
    *(kind for kind in CALL_WRITERS if kind is not FailCall),
    TraceLots,
)
"""They write nothing that a sheet remembers."""


def apply_all(work: Work, lists: Sequence[Sequence[Command]]) -> list[list[Result]]:
    """One result for each command, in order. An exception is no refusal: all lists are to be rolled back.

    Commands of paid requests that follow one another are decided on one sheet; the others are written one by one.
    """
    results: list[list[Result]] = [[] for _ in lists]
    together: list[tuple[list[Result], RequestCommand]] = []
    for commands, own in zip(lists, results, strict=True):
        for command in commands:
            if type(command) in _ON_A_SHEET:
                together.append((own, cast("RequestCommand", command)))
                continue
            _apply_together(work, together)
            together = []
            if not isinstance(command, _BESIDE):
                work.memory.forget()
            own.append(_ALONE[type(command)](work, command))
    _apply_together(work, together)
    return results


def _apply_together(work: Work, together: Sequence[tuple[list[Result], RequestCommand]]) -> None:
    """Each command's result goes to its list."""
    if not together:
        return
    sheet = open_sheet(work, [command for _, command in together])
    for results, command in together:
        results.append(_ON_A_SHEET[type(command)](sheet, command))
    sheet.close()
