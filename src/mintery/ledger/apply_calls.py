"""The outbox of calls that orders and refunds make on chain."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import bindparam, func, select, update

from mintery.domain import order as domain
from mintery.domain.chain_call import CallAttempt, CallKind, ChainCall, Effect
from mintery.domain.order import OrderId
from mintery.ledger.apply_orders import change_order, lock_order, place_order
from mintery.ledger.card_caps import over_cap_if_minted
from mintery.ledger.commands import Done, NotWritten
from mintery.ledger.commands_calls import (
    EndCall,
    FailCall,
    MarkCallBroadcast,
    MintOrder,
    PlaceTopUp,
    PlanCalls,
    SaveCallAttempt,
)
from mintery.ledger.commands_orders import CapReached, OrderTold, PlaceOrder
from mintery.ledger.freezing import claim_order, is_claimed, lock_mark, refreeze_lot_of
from mintery.ledger.refund_marks import refund_failed
from mintery.ledger.schema_calls import call_attempts, chain_calls
from mintery.ledger.stating import CHAIN_CALLS, state
from mintery.ledger.work import Statement, Work, insert_of, micros

_insert_call = Statement(insert_of(chain_calls).on_conflict_do_nothing())
_planned = Statement(
    select(chain_calls.c.calldata, chain_calls.c.tx_hash, chain_calls.c.failed_at)
    .where(chain_calls.c.id == bindparam("id"))
    .with_for_update()
)
_IS_OPEN = chain_calls.c.tx_hash.is_(None) & chain_calls.c.failed_at.is_(None)
_EFFECT = ("tx_hash", "block_hash", "block_number", "log_index", "effect_at", "credits")
_end = Statement(
    update(chain_calls)
    .where(chain_calls.c.id == bindparam("its_id"), _IS_OPEN)
    .values({name: bindparam(f"new_{name}") for name in _EFFECT})
)
_fail = Statement(
    update(chain_calls)
    .where(chain_calls.c.id == bindparam("its_id"), _IS_OPEN)
    .values(failed_at=bindparam("at"), failed_why=bindparam("why"))
)
_attempts = Statement(
    select(func.count())
    .select_from(call_attempts)
    .where(call_attempts.c.call_id == bindparam("call"), call_attempts.c.tx_hash != bindparam("but"))
)
_insert_attempt = Statement(insert_of(call_attempts).on_conflict_do_nothing())
_broadcast = Statement(
    update(call_attempts)
    .where(call_attempts.c.tx_hash == bindparam("its_hash"), call_attempts.c.broadcast_at.is_(None))
    .values(broadcast_at=bindparam("at"))
)


def plan_calls(work: Work, command: PlanCalls) -> Done | NotWritten:
    with work.undoable() as undo:
        planned = 0
        for call in command.calls:
            if work.run(_insert_call, **_call_row(call)):
                state(work, CHAIN_CALLS, call.id)
                planned += 1
                continue
            known = work.row(_planned, id=call.id)
            if known is None or bytes(known[0]) != call.calldata:
                undo.undo()
                return NotWritten(f"{call.id} was planned otherwise, or another call uses its authorization")
    return Done(planned)


def place_top_up(work: Work, command: PlaceTopUp) -> OrderTold | CapReached | NotWritten:
    with work.undoable() as undo:
        told = place_order(work, PlaceOrder(command.order))
        if isinstance(told, OrderTold) and told.news:
            planned = plan_calls(work, PlanCalls(command.calls))
            if isinstance(planned, NotWritten):
                undo.undo()
                return planned
    return told


def mint_order(work: Work, command: MintOrder) -> OrderTold | CapReached | NotWritten:
    with work.undoable() as undo:
        told = change_order(
            work,
            command.order,
            lambda order: domain.minting(order, command.at),
            "minting",
            actor="gateway",
            at=command.at,
        )
        if isinstance(told, OrderTold) and told.news:
            if (over := over_cap_if_minted(work, told.order, command.at, command.caps)) is not None:
                undo.undo()
                return over
            planned = plan_calls(work, PlanCalls(command.calls))
            if isinstance(planned, NotWritten):
                undo.undo()
                return planned
    return told


def save_call_attempt(work: Work, command: SaveCallAttempt) -> Done | NotWritten:
    attempt = command.attempt
    row = work.row(_planned, id=attempt.call)
    if row is None or row[1] is not None or row[2] is not None:
        return NotWritten(f"call {attempt.call} is not open")
    counted = work.row(_attempts, call=attempt.call, but=attempt.tx_hash)
    if counted is not None and counted[0] != command.known:
        return NotWritten(f"call {attempt.call} has {counted[0]} attempts, not {command.known}")
    return Done(work.run(_insert_attempt, **_attempt_row(attempt)))


def mark_call_broadcast(work: Work, command: MarkCallBroadcast) -> Done:
    return Done(work.run(_broadcast, its_hash=command.tx_hash, at=micros(command.at)))


def end_call(work: Work, command: EndCall) -> Done | NotWritten:
    if changed := work.run(_end, its_id=command.call, **_effect_row(command.effect)):
        state(work, CHAIN_CALLS, command.call)
        subject = command.call.partition("/")[0]
        if lock_order(work, OrderId(subject)) is not None and is_claimed(work, subject):
            claim_order(work, subject)
        return Done(changed)
    row = work.row(_planned, id=command.call)
    if row is not None and row[1] == command.effect.tx_hash:
        return Done(0)
    return NotWritten(f"call {command.call} ended otherwise")


def fail_call(work: Work, command: FailCall) -> Done | NotWritten:
    if changed := work.run(_fail, its_id=command.call, why=command.why, at=micros(command.at)):
        state(work, CHAIN_CALLS, command.call)
        subject, _, kind = command.call.partition("/")
        if kind == CallKind.RELEASE:
            # No hold gets in between what becomes free and what of it is claimed.
            lock_mark(work)
            refund_failed(work, subject, command.why, micros(command.at))
            refreeze_lot_of(work, subject)
        return Done(changed)
    row = work.row(_planned, id=command.call)
    if row is not None and row[2] is not None:
        return Done(0)
    return NotWritten(f"call {command.call} ended otherwise")


def _call_row(call: ChainCall) -> dict[str, Any]:
    authority = call.authority
    return {
        "id": call.id,
        "subject": call.subject,
        "kind": call.kind.value,
        "recipient": call.to,
        "calldata": call.calldata,
        "authority": None if authority is None else authority.token,
        "authorizer": None if authority is None else authority.authorizer,
        "nonce": None if authority is None else authority.nonce,
        "first_block": call.first_block,
        "planned_at": micros(call.planned_at),
        "after_call": call.after,
        "failed_at": None,
        "failed_why": None,
        **dict.fromkeys(_EFFECT),
    }


def _effect_row(effect: Effect) -> dict[str, Any]:
    return {
        "new_tx_hash": effect.tx_hash,
        "new_block_hash": effect.block_hash,
        "new_block_number": effect.block_number,
        "new_log_index": effect.log_index,
        "new_effect_at": micros(effect.at),
        "new_credits": str(effect.credits),
    }


def _attempt_row(attempt: CallAttempt) -> dict[str, Any]:
    return {
        "tx_hash": attempt.tx_hash,
        "call_id": attempt.call,
        "sender": attempt.sender,
        "nonce": attempt.nonce,
        "raw": attempt.raw,
        "signed_at": micros(attempt.signed_at),
        "broadcast_at": None,
    }


CALL_WRITERS: Mapping[type, Callable[[Work, Any], Done | OrderTold | CapReached | NotWritten]] = {
    PlanCalls: plan_calls,
    PlaceTopUp: place_top_up,
    MintOrder: mint_order,
    SaveCallAttempt: save_call_attempt,
    MarkCallBroadcast: mark_call_broadcast,
    EndCall: end_call,
    FailCall: fail_call,
}
