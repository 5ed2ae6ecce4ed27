"""Which events on chain are a planned call's effect, whoever sent the transaction.

A nonce of an authorization says nothing of who got the money (EIP-3009): its signer may sign the same nonce for somebody else.
So an effect is the event that the call itself would make, beside the use of its authority; any other use is foreign to it.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from mintery.chain.events import Deposited, Event, Minted, Released, decode_log
from mintery.chain.rpc import BlockRef, Log, TxReceipt
from mintery.crypto.hashing import address_bytes, keccak
from mintery.crypto.vouchers import account_id
from mintery.domain.chain_call import Authority, CallAttempt, CallKind, ChainCall, Effect
from mintery.domain.order import OrderId
from mintery.domain.voucher import AccountId
from mintery.units import CreditUnits
from mintery.usecases.order_desk import OrderDesk
from mintery.usecases.signed_texts import read_deposit, read_top_up

AUTHORIZATION_USED = keccak(b"AuthorizationUsed(address,bytes32)")
AUTHORIZATION_CANCELED = keccak(b"AuthorizationCanceled(address,bytes32)")
_TRANSFER = keccak(b"Transfer(address,address,uint256)")
_LOGS_AT_ONCE = 500
_EVENTS: dict[CallKind, type[Event]] = {
    CallKind.TOP_UP: Deposited,
    CallKind.MINT: Minted,
    CallKind.DEPOSIT: Deposited,
    CallKind.RELEASE: Released,
}


class Foreign(StrEnum):
    """How an authority's nonce went, for good, to something that is not its call."""

    CANCELLED = "its authorization was cancelled"
    USED = "its authorization was used for something else"


def used(desk: OrderDesk, call: ChainCall, at: BlockRef | None) -> bool:
    """Whether the nonce of its authority is used or cancelled, by whatever; at the latest block where ``at`` is None."""
    if (authority := call.authority) is None:
        return False
    return desk.chain.token(authority.token).authorization_used(authority.authorizer, authority.nonce, at=at)


def effect_of(desk: OrderDesk, call: ChainCall, attempts: Sequence[CallAttempt], final: BlockRef) -> Effect | None:
    """From an attempt of ours, or from whoever else sent the same. Nothing of it is one endpoint's word alone: what several
    agree on of final blocks.
    """
    if call.authority is not None and not used(desk, call, final):
        return None
    for attempt in dead_of(desk, attempts, final):
        receipt = desk.chain.rpc.agreed_receipt(attempt.tx_hash, through=final.number)
        if receipt is not None and receipt.succeeded and (effect := _effect_in(desk, call, receipt)) is not None:
            return effect
    for receipt in _receipts(desk, call, final):
        return _effect_in(desk, call, receipt)
    return None


def dead_of(desk: OrderDesk, attempts: Sequence[CallAttempt], final: BlockRef) -> list[CallAttempt]:
    """Those whose nonces are used in a final block, by themselves or by another transaction: no more can come of them."""
    free_from = {
        sender: desk.chain.rpc.nonce(sender, hex(final.number)) for sender in {each.sender for each in attempts}
    }
    return [attempt for attempt in attempts if attempt.nonce < free_from[attempt.sender]]


def foreign_use(desk: OrderDesk, call: ChainCall, final: BlockRef) -> Foreign | None:
    """None while no final event says what the nonce was used by, or where that is the call's own effect."""
    if any(found.topics[0] == AUTHORIZATION_CANCELED for found in _uses(desk, call, final)):
        return Foreign.CANCELLED
    for receipt in _receipts(desk, call, final):
        return Foreign.USED if _effect_in(desk, call, receipt) is None else None
    return None


def _receipts(desk: OrderDesk, call: ChainCall, final: BlockRef) -> Iterator[TxReceipt]:
    """Of the transaction that used its authority's nonce: at most one, and none while the nodes know none."""
    for found in _uses(desk, call, final):
        if found.topics[0] != AUTHORIZATION_USED:
            continue
        if (receipt := desk.chain.rpc.agreed_receipt(found.tx_hash, through=final.number)) is not None:
            yield receipt


def _uses(desk: OrderDesk, call: ChainCall, final: BlockRef) -> Iterator[Log]:
    """The events that its authority's nonce was used or cancelled by."""
    if (authority := call.authority) is None:
        return
    topics = (AUTHORIZATION_USED, AUTHORIZATION_CANCELED)
    for first in range(call.first_block, final.number + 1, _LOGS_AT_ONCE):
        last = min(first + _LOGS_AT_ONCE - 1, final.number)
        for found in desk.chain.rpc.logs(first, last, [authority.token], topics):
            if found.topics[1:] == _named(authority):
                yield found


def _named(authority: Authority) -> tuple[bytes, bytes]:
    return address_bytes(authority.authorizer).rjust(32, b"\0"), authority.nonce


def _effect_in(desk: OrderDesk, call: ChainCall, receipt: TxReceipt) -> Effect | None:
    logs: Sequence[Log] = receipt.logs
    if call.authority is not None:
        logs = _beside(call, call.authority, logs)
    if call.kind is CallKind.COLLECT:
        return _collected(desk, call, receipt, logs)
    contracts = {desk.chain.escrow.address, desk.chain.vault.address}
    for each in logs:
        event = decode_log(each) if each.address in contracts else None
        if (
            isinstance(event, Deposited | Minted | Released)
            and isinstance(event, _EVENTS[call.kind])
            and _is_asked(desk, call, event)
        ):
            return _effect(desk, receipt, each, event.credits)
    return None


def _beside(call: ChainCall, authority: Authority, logs: Sequence[Log]) -> Sequence[Log]:
    """What the use of the authority brought: whoever relays may put several calls into one transaction, so it reaches to the
    next use of another one. A top-up's deposit follows its use, a mint and a deposit are told before it.
    """
    uses = [
        i for i, each in enumerate(logs) if each.address == authority.token and each.topics[0] == AUTHORIZATION_USED
    ]
    at = next((i for i in uses if logs[i].topics[1:] == _named(authority)), None)
    if at is None:
        return ()
    if call.kind in {CallKind.TOP_UP, CallKind.COLLECT}:
        return logs[at + 1 : min((i for i in uses if i > at), default=len(logs))]
    return logs[max((i for i in uses if i < at), default=-1) + 1 : at][::-1]


def _collected(desk: OrderDesk, call: ChainCall, receipt: TxReceipt, logs: Sequence[Log]) -> Effect | None:
    """The token tells its transfer right after the use of the authority."""
    asked = desk.chain.token(call.to).abi.functions["transferWithAuthorization"].decode_inputs(call.calldata[4:])
    sender, receiver, credits_ = (asked[name] for name in ("from", "to", "value"))
    topics = (_TRANSFER, *(address_bytes(each).rjust(32, b"\0") for each in (sender, receiver)))
    for told in logs[:1]:
        if (told.address, told.topics, told.payload) == (call.to, topics, credits_.to_bytes(32)):
            return _effect(desk, receipt, told, CreditUnits(credits_))
    return None


def _is_asked(desk: OrderDesk, call: ChainCall, event: Event) -> bool:
    if not isinstance(event, Deposited):
        return True
    if (asked := _asked(desk, call)) is None:
        return False
    account, exact, least = asked
    return event.account == account and (event.credits == least if exact else event.credits >= least)


def _asked(desk: OrderDesk, call: ChainCall) -> tuple[AccountId, bool, CreditUnits] | None:
    """The account, whether the credits are exactly these, and the credits: a top-up names the least that it takes, in whole
    nanocredits rounded down, and a deposit what it is. None for no order that there is.
    """
    order = desk.ledger.orders.order(OrderId(call.subject))
    if order is None or order.signed is None:
        return None
    account = account_id(order.account)
    if call.kind is CallKind.TOP_UP:
        return account, False, read_top_up(order.signed, order.account).min_credits
    return account, True, CreditUnits(read_deposit(order.signed, order.account).authorization.amount)


def _effect(desk: OrderDesk, receipt: TxReceipt, told: Log, credits_: CreditUnits) -> Effect:
    at = datetime.fromtimestamp(desk.chain.rpc.block(receipt.block).timestamp, UTC)
    return Effect(receipt.hash, receipt.block_hash, receipt.block, told.index, at, credits_)
