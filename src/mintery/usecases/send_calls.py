"""The outbox of orders and refunds: each call is planned, signed and saved before it leaves, and sent until it has its effect.

====  ===================================  ==========================================================================
step  durable                              what resumes it
====  ===================================  ==========================================================================
1     intent: the call (``PlanCalls``)     the next run signs it
2     signed attempt (``SaveCallAttempt``) the same bytes are sent again; where its account nonce went to another
                                           transaction, a fresh attempt is signed
3     broadcast (``MarkCallBroadcast``)    in no block after ``bump_after``: the same nonce for an eighth more
4     effect, final (``EndCall``)          the next run reads it from the chain again
====  ===================================  ==========================================================================

A call with an authority takes effect once, whoever sends it and however often: the token counts the authority's nonce. One
without (a release) is signed anew only when no attempt of it can take effect any more: their nonces are used in a final block.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from mintery.chain.delivery import Delivery
from mintery.chain.rpc import BlockRef, Call
from mintery.chain.sender import Sender, SignedTransaction
from mintery.domain.chain_call import Authority, CallAttempt, CallId, CallKind, ChainCall
from mintery.errors import ChainError, FinalBlockReplaced, RpcUnavailable, TransactionReverted
from mintery.ledger.commands import Command, NotWritten
from mintery.ledger.commands_calls import EndCall, FailCall, MarkCallBroadcast, SaveCallAttempt
from mintery.ledger.commands_postponed import GoOn, Postpone
from mintery.usecases.alarms import Alarm
from mintery.usecases.call_effects import Foreign, dead_of, effect_of, foreign_use, used
from mintery.usecases.give_up_calls import LACKS_CREDITS, is_late, refused_for_good, tell_given_up
from mintery.usecases.order_desk import OrderDesk

log = logging.getLogger(__name__)

_IN_TURN = (
    (CallKind.MINT, CallKind.RELEASE),
    (CallKind.DEPOSIT,),
    (CallKind.TOP_UP, CallKind.COLLECT),
)


_STUCK_BUMPS = 10
"""Fees could have been raised this often, in time, and it is in no block: someone should look."""


class Sent(StrEnum):
    """What one run did of a call."""

    ENDED = "ended"
    FAILED = "failed"
    WAITS = "waits"
    LEFT = "left"


def send_calls(desk: OrderDesk, now: datetime) -> dict[str, Sent]:
    """Every open call that is due one step further; by its id. First what is owed to holders and needs nothing of theirs.

    What the chain answers to one of them stops none of the others: it is tried again after a pause, a longer one each time.

    Raises:
        RpcUnavailable, FinalBlockReplaced: there is no chain to ask for any of them.
    """
    sent: dict[str, Sent] = {}
    for kinds in _IN_TURN:
        after: CallId | None = None
        while listed := desk.ledger.chain_calls.due(now, *kinds, after=after):
            sent.update({call.id: _sent(desk, call, now) for call in listed})
            after = listed[-1].id
    tell_given_up(desk, now)
    return sent


def _sent(desk: OrderDesk, call: ChainCall, now: datetime) -> Sent:
    try:
        return send_call(desk, call, now)
    except (RpcUnavailable, FinalBlockReplaced):
        raise
    except ChainError as error:
        return _postponed(desk, call, str(error), now)


def send_call(desk: OrderDesk, call: ChainCall, now: datetime) -> Sent:
    """Raises what the chain's connection does; what is durable stays, and the next run goes on from there."""
    attempts = desk.ledger.chain_calls.attempts_of(call.id)
    final = desk.chain.finalized_block()
    if (effect := effect_of(desk, call, attempts, final)) is not None:
        return _commit(desk, call, EndCall(call.id, effect), Sent.ENDED)
    if call.after is not None and (waits := _prior(desk, call, now)) is not None:
        return waits
    if call.authority is not None and (held := _held(desk, call, call.authority, final, now)) is not None:
        return held
    return _send(desk, call, attempts, final, now)


def _held(desk: OrderDesk, call: ChainCall, authority: Authority, final: BlockRef, now: datetime) -> Sent | None:
    """None where what was signed for it is still good, and meant to be used."""
    if used(desk, call, final):
        return _spent(desk, call, final, now)
    if used(desk, call, None):
        return Sent.WAITS
    if is_late(desk, call, final):
        return _commit(desk, call, FailCall(call.id, _lapsed(desk, call), now), Sent.FAILED)
    if desk.ledger.chain_calls.is_withdrawn(authority):
        return _postponed(desk, call, "its holder took the signature back", now)
    return None


def _lapsed(desk: OrderDesk, call: ChainCall) -> str:
    met = desk.ledger.postponed.of([call.id]).get(call.id)
    return "its authorization ran out" if met is None else f"its authorization ran out; before that: {met.why}"


def _prior(desk: OrderDesk, call: ChainCall, now: datetime) -> Sent | None:
    """None where the call before it has taken effect, if not for good."""
    before = desk.ledger.chain_calls.call(call.after) if call.after is not None else None
    if before is None or before.failed_at is not None:
        why = "what it needs failed" if before is None else f"what it needs failed: {before.failed_why}"
        return _commit(desk, call, FailCall(call.id, why, now), Sent.FAILED)
    if before.effect is not None or (before.authority is not None and used(desk, before, None)):
        return None
    return Sent.WAITS


def _spent(desk: OrderDesk, call: ChainCall, final: BlockRef, now: datetime) -> Sent:
    """A final block has its authority's nonce used, and not by the call. A mint whose nonce the treasury signed for something
    else waits for a person.
    """
    foreign = foreign_use(desk, call, final)
    if foreign is Foreign.CANCELLED or (foreign is not None and call.kind is not CallKind.MINT):
        return _commit(desk, call, FailCall(call.id, foreign.value, now), Sent.FAILED)
    # An index that lags shows no event. What cannot be explained is waited for, never taken for a failure.
    why = "its authorization was used, and no event says how"
    desk.alarms.sound(Alarm.ORDERS_WAIT, f"{call.id}: {why}", now, subject=call.subject)
    return _postponed(desk, call, why, now)


def _send(desk: OrderDesk, call: ChainCall, attempts: Sequence[CallAttempt], final: BlockRef, now: datetime) -> Sent:
    sender = _sender(desk, call)
    free_from = desk.chain.rpc.nonce(sender.address)
    ours = [attempt for attempt in attempts if attempt.sender == sender.address]
    if live := [attempt for attempt in ours if attempt.nonce >= free_from]:
        return _send_again(desk, call, live[-1], attempts, now)
    if call.authority is None and len(dead_of(desk, attempts, final)) < len(attempts):
        # Its nonce is used, and not in a final block yet; or another settler signed it, before the key was changed.
        _tell_if_long(desk, call, attempts, now)
        return Sent.WAITS
    asked = Call(f"order.{call.kind.value}", call.to, call.calldata)
    try:
        gas = sender.gas_limit(asked)
    except TransactionReverted as refused:
        if refused_for_good(desk, call, asked, final):
            return _commit(desk, call, FailCall(call.id, str(refused), now), Sent.FAILED)
        return _refused(desk, call, refused, now)
    fees = sender.fees_within(desk.max_fee)
    if fees is None:
        return Sent.WAITS
    with sender.turn() as nonce:
        signed = sender.sign(asked, gas=gas, nonce=nonce, fees=fees)
        return _save_and_send(desk, call, signed, len(attempts), now)


def _sender(desk: OrderDesk, call: ChainCall) -> Sender:
    """Only a settler releases; the rest is the treasury's to send."""
    if call.kind is CallKind.RELEASE and desk.settler is not None:
        return desk.settler
    return desk.paying().sender


def _refused(desk: OrderDesk, call: ChainCall, refused: TransactionReverted, now: datetime) -> Sent:
    """What the holder signed is the holder's to make right, for as long as it is good; the rest waits for a person."""
    if call.kind is CallKind.MINT or (call.kind is CallKind.RELEASE and refused.error != LACKS_CREDITS):
        desk.alarms.sound(Alarm.ORDERS_WAIT, f"{call.id}: {refused}", now, subject=call.subject)
    return _postponed(desk, call, str(refused), now)


def _postponed(desk: OrderDesk, call: ChainCall, why: str, now: datetime) -> Sent:
    log.warning("call waits", extra={"call": call.id, "why": why})
    desk.ledger.commit([Postpone(call.id, why, now)])
    return Sent.WAITS


def _send_again(
    desk: OrderDesk, call: ChainCall, attempt: CallAttempt, attempts: Sequence[CallAttempt], now: datetime
) -> Sent:
    sender = _sender(desk, call)
    _tell_if_long(desk, call, attempts, now)
    overdue = (now - attempt.signed_at).total_seconds() >= desk.bump_after
    if overdue and not _is_anothers(desk, attempt):
        raised = sender.outbid(sender.restore(f"order.{call.kind.value}", attempt.raw), cap=desk.max_fee)
        if raised is not None:
            return _save_and_send(desk, call, raised, len(attempts), now)
    return _deliver(desk, call, attempt.tx_hash, attempt.raw, now)


def _tell_if_long(desk: OrderDesk, call: ChainCall, attempts: Sequence[CallAttempt], now: datetime) -> None:
    """Since it was first signed: before that it may have waited for the holder, or for another call."""
    if (waited := int((now - attempts[0].signed_at).total_seconds())) >= _STUCK_BUMPS * desk.bump_after:
        sender = attempts[-1].sender
        why = f"{call.id}: in no block for {waited} s; do earlier transactions of {sender} wait, or do blocks cost too much?"
        desk.alarms.sound(Alarm.ORDERS_WAIT, why, now, subject=call.subject)


def _is_anothers(desk: OrderDesk, attempt: CallAttempt) -> bool:
    """Whether something else of the same key waits at its nonce: that is not to be outbid, and decides when it is mined."""
    rpc = desk.chain.rpc
    return not rpc.knows(attempt.tx_hash) and rpc.nonce(attempt.sender, "pending") > attempt.nonce


def _save_and_send(desk: OrderDesk, call: ChainCall, signed: SignedTransaction, known: int, now: datetime) -> Sent:
    """``known``: how many attempts were reckoned with. A process that lost its lead in between would send a release twice."""
    attempt = CallAttempt(signed.hash, call.id, _sender(desk, call).address, signed.nonce, signed.raw, now)
    (saved,) = desk.ledger.commit([SaveCallAttempt(attempt, known)])
    if isinstance(saved, NotWritten):
        return Sent.WAITS
    return _deliver(desk, call, signed.hash, signed.raw, now)


def _deliver(desk: OrderDesk, call: ChainCall, tx_hash: str, raw: bytes, now: datetime) -> Sent:
    delivered = _sender(desk, call).deliver(raw)
    if delivered.end is Delivery.FUNDS_MISSING:
        why = f"{call.id}: {_sender(desk, call).address} cannot pay for gas"
        desk.alarms.sound(Alarm.ORDERS_WAIT, why, now, subject=call.subject)
    if delivered.end is not Delivery.TAKEN:
        log.warning("call not taken", extra={"call": call.id, "tx_hash": tx_hash, "said": delivered.said})
        return Sent.WAITS
    desk.ledger.commit([MarkCallBroadcast(tx_hash, now)])
    log.info("call sent", extra={"call": call.id, "tx_hash": tx_hash})
    return Sent.LEFT


def _commit(desk: OrderDesk, call: ChainCall, command: Command, sent: Sent) -> Sent:
    written, _ = desk.ledger.commit([command, GoOn((call.id,))])
    if isinstance(written, NotWritten):
        log.warning("call not ended", extra={"call": call.id, "why": written.why})
        return Sent.WAITS
    desk.alarms.clear(Alarm.ORDERS_WAIT, subject=call.subject)
    log.info("call ended", extra={"call": call.id, "as": sent.value})
    return sent
