"""What a holder signed for deposits, top-ups and refunds that is not used yet: what each may do, until when, and its end.

Taken back, nothing of this gateway sends it any more. Whoever has seen it before (a transaction that had left shows it) can send it
until it runs out or the holder cancels its nonce on chain (``cancelAuthorization``), and what it then does still counts: the
call stays watched until a final block says how its nonce ended.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from mintery.domain.authority import Authority, AuthorityKind
from mintery.domain.chain_call import Authority as ChainAuthority
from mintery.domain.chain_call import CallKind, ChainCall
from mintery.domain.order import Order, OrderId
from mintery.domain.voucher import Address
from mintery.errors import MalformedRequest
from mintery.ledger.commands_postponed import GoOn
from mintery.ledger.commands_withdrawn import WithdrawSignature
from mintery.units import CreditUnits, NanoCredits, nanocredits_down
from mintery.usecases.give_up_calls import valid_before
from mintery.usecases.order_desk import OrderDesk
from mintery.usecases.parts import GatewayParts
from mintery.usecases.signed_texts import read_deposit

_LABELS = {
    CallKind.TOP_UP: "a top-up that you signed",
    CallKind.DEPOSIT: "credits that you bought go into your account",
    CallKind.COLLECT: "credits go back for a refund",
}
_ONCE = ("once",)


class Signatures:
    kinds = (AuthorityKind.SIGNATURE,)

    def of(self, parts: GatewayParts, holder: Address) -> Iterator[Authority]:
        if (desk := parts.desk) is None:
            return
        for call in desk.ledger.chain_calls.signed_by(holder):
            yield _of_call(desk, call)
        for order in desk.ledger.orders.signed_unplanned(holder):
            if (found := _of_order(desk, order, parts.clock())) is not None:
                yield found

    def revoke(self, parts: GatewayParts, holder: Address, authority: Authority) -> None:
        """The transaction that carries it, if one left, is not called back by that."""
        if (desk := parts.desk) is None:
            return
        _, kind, subject = authority.id.split(":")
        call = next((each for each in desk.ledger.chain_calls.of(subject) if each.kind == kind), None)
        order = desk.ledger.orders.order(OrderId(subject))
        signed = call.authority if call is not None else None if order is None else deposit_authority(order)
        if signed is not None and signed.authorizer == holder:
            again = () if call is None else (call.id,)
            desk.ledger.commit([WithdrawSignature(signed, parts.clock()), GoOn(again)])


def deposit_authority(order: Order) -> ChainAuthority | None:
    """What the holder signed with the order for its deposit. None where that is nothing, or cannot be read."""
    if order.signed is None:
        return None
    try:
        signed = read_deposit(order.signed, order.account).authorization
    except MalformedRequest:
        return None
    return ChainAuthority(order.account.token, order.account.holder, signed.nonce)


def _of_call(desk: OrderDesk, call: ChainCall) -> Authority:
    lapses = valid_before(desk, call)
    order = desk.ledger.orders.order(OrderId(call.subject))
    project = call.to if call.kind is CallKind.COLLECT else None if order is None else order.account.token
    return Authority(
        _name(call.kind, call.subject),
        AuthorityKind.SIGNATURE,
        _LABELS[call.kind],
        call.planned_at,
        token=project,
        most=_credits(desk, call),
        terms=_ONCE,
        until=None if lapses is None else _moment(lapses),
    )


def _credits(desk: OrderDesk, call: ChainCall) -> NanoCredits | None:
    """None of a top-up: it spends the stablecoin."""
    match call.kind:
        case CallKind.DEPOSIT:
            function, name = desk.chain.escrow.abi.functions["depositWithAuthorization"], "credits"
        case CallKind.COLLECT:
            function, name = desk.chain.token(call.to).abi.functions["transferWithAuthorization"], "value"
        case _:
            return None
    return nanocredits_down(CreditUnits(int(function.decode_inputs(call.calldata[4:])[name])))


def _of_order(desk: OrderDesk, order: Order, now: datetime) -> Authority | None:
    authority = deposit_authority(order)
    if authority is None or desk.ledger.chain_calls.is_withdrawn(authority):
        return None
    signed = read_deposit(str(order.signed), order.account).authorization
    until = _moment(signed.valid_before)
    if until is not None and until <= now:
        return None
    return Authority(
        _name(CallKind.DEPOSIT, order.id),
        AuthorityKind.SIGNATURE,
        _LABELS[CallKind.DEPOSIT],
        order.placed_at,
        token=order.account.token,
        most=nanocredits_down(CreditUnits(signed.amount)),
        terms=_ONCE,
        until=until,
    )


def _name(kind: CallKind, subject: str) -> str:
    return f"{AuthorityKind.SIGNATURE}:{kind}:{subject}"


def _moment(seconds: int) -> datetime | None:
    """None for what no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
