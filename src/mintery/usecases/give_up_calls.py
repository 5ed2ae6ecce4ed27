"""When a call of the outbox is given up: when it surely never takes effect any more, and never because it was refused once.

What anybody may still send takes effect whether or not we believe in it: a collection that was given up would bring the
treasury credits that nobody owes money for. So a call with an authority is given up when a final block says that its time is
over, or that its nonce went to something else. A release has none: it is refused for good when the final block refuses it, has
all that was there when it was planned, and none of its attempts can be mined any more. Everything else waits and is tried again.
"""

from datetime import datetime, timedelta

from mintery.chain.rpc import BlockRef, Call
from mintery.domain.chain_call import CallKind, ChainCall
from mintery.errors import TransactionReverted
from mintery.usecases.alarms import Alarm
from mintery.usecases.order_desk import OrderDesk

SHOWN_FOR = timedelta(days=7)
"""How long what was given up stands as an alarm; it stays in its order's or refund's status."""
LACKS_CREDITS = "ReleaseAboveBalance"


def valid_before(desk: OrderDesk, call: ChainCall) -> int | None:
    """When its authorization lapses, in the chain's seconds. None for what has none."""
    match call.kind:
        case CallKind.TOP_UP:
            function = desk.chain.escrow.abi.functions["topUp"]
        case CallKind.DEPOSIT:
            function = desk.chain.escrow.abi.functions["depositWithAuthorization"]
        case CallKind.COLLECT:
            function = desk.chain.token(call.to).abi.functions["transferWithAuthorization"]
        case CallKind.MINT | CallKind.RELEASE:
            return None
    return int(function.decode_inputs(call.calldata[4:])["validBefore"])


def is_late(desk: OrderDesk, call: ChainCall, final: BlockRef) -> bool:
    """No block after the final one takes it, whatever words its token refuses it with."""
    lapses = valid_before(desk, call)
    return lapses is not None and final.timestamp >= lapses


def refused_for_good(desk: OrderDesk, call: ChainCall, asked: Call, final: BlockRef) -> bool:
    """Of a release none of whose attempts can be mined any more: the account has not enough, and had not at the final block."""
    if call.kind is not CallKind.RELEASE or final.number < call.first_block:
        return False
    sender = desk.settler or desk.paying().sender
    try:
        sender.simulate(asked, at=final)
    except TransactionReverted as refused:
        return refused.error == LACKS_CREDITS
    return False


def tell_given_up(desk: OrderDesk, now: datetime) -> None:
    """An alarm for each order or refund whose call was given up of late, in whichever process and before whatever restart.

    A top-up that was given up cost nobody anything: nothing was paid.
    """
    lately = [each for each in desk.ledger.chain_calls.failed(since=now - SHOWN_FOR) if _matters(each)]
    for call in lately:
        desk.alarms.sound(Alarm.CALL_GIVEN_UP, f"{call.id}: {call.failed_why}", now, subject=call.subject)
    subjects = {call.subject for call in lately}
    for standing in desk.alarms.standing():
        if standing.alarm is Alarm.CALL_GIVEN_UP and standing.subject not in subjects:
            desk.alarms.clear(Alarm.CALL_GIVEN_UP, subject=standing.subject)


def _matters(call: ChainCall) -> bool:
    return call.kind is not CallKind.TOP_UP
