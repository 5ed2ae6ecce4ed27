"""Give back what is left of a top-up: to the holder's wallet, to be redeemed at par, or over the rail it came by.

The credits are set aside at once, so that no request gets them. The gateway releases them from escrow to the holder's wallet.
For the rail, the holder has signed that they go on to the treasury; only when that is done is the money owed back over it.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mintery.crypto.authorizations import TRANSFER_TYPE
from mintery.crypto.typed_data import typed_data
from mintery.domain.chain_call import Authority, CallId, CallKind, ChainCall
from mintery.domain.order import Order, Rail, Refund, RefundKind, returnable
from mintery.domain.voucher import AccountKey
from mintery.errors import MalformedRequest, OrderTransitionRefused, RailNotOffered, UnknownOrder
from mintery.ledger.commands import NotWritten
from mintery.ledger.commands_refunds import AskRefund, OweUnused
from mintery.ledger.queries_lots import Lot
from mintery.ledger.queries_refunds import LotRefund
from mintery.units import AssetUnits, NanoCredits, UnixSeconds, assets_down, credit_units, whole_cents_down
from mintery.usecases.alarms import Alarm
from mintery.usecases.contract_wallets import check_returns_by_key
from mintery.usecases.order_desk import OrderDesk
from mintery.usecases.place_order import planned_call
from mintery.usecases.signed_texts import read_authorization

COLLECT_SECONDS = 7 * 86_400
LONGEST_COLLECT_SECONDS = COLLECT_SECONDS + 86_400
"""A day more than an offer gives, for clocks that differ: while it is good, a refund waits for its credits."""
_NONCE_BYTES = 32
Way = Literal["wallet", "rail"]
_BEFORE_OWED = frozenset({"under_way", "released"})
"""What a refund over the rail is before the money is owed."""


@dataclass(frozen=True, slots=True)
class RefundAsked:
    """``amount``: nanocredits. ``signed``: for the rail, the holder's authorization to the treasury, as JSON."""

    lot: int
    amount: NanoCredits
    way: Way
    signed: str | None = None


def offer_refund(
    desk: OrderDesk, key: AccountKey, amount: NanoCredits, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the holder's wallet is asked to sign for a refund over the rail, and what of it is handed in with the signature."""
    contract, treasury = desk.chain.token(key.token), desk.paying().key.address
    nonce, until = secrets.token_bytes(_NONCE_BYTES), UnixSeconds(int(now.timestamp()) + COLLECT_SECONDS)
    credits_ = credit_units(amount)
    asked = typed_data(
        TRANSFER_TYPE,
        key.holder,
        treasury,
        credits_,
        0,
        until,
        nonce,
        name=contract.token_name(),
        version="1",
        chain_id=desk.chain.rpc.chain_id,
        contract=contract.address,
    )
    fields = {"from": key.holder, "to": treasury, "amount": str(credits_), "valid_after": 0, "valid_before": until}
    return asked, {**fields, "nonce": nonce.hex()}


def refund_lot(desk: OrderDesk, key: AccountKey, asked: RefundAsked, now: datetime) -> LotRefund:
    """Set it aside and begin.

    Raises:
        UnknownOrder: no such lot.
        OrderTransitionRefused: more than the lot has left, or than is free.
        RailNotOffered: it did not come over a rail that takes it back.
        MalformedRequest: what was signed is not for this.
    """
    lot = desk.ledger.lots.lot(asked.lot)
    if lot is None:
        raise UnknownOrder(f"lot {asked.lot}")
    name = f"rfd_{secrets.token_hex(16)}"
    release = desk.chain.escrow.release_call(key, credit_units(asked.amount))
    calls = [planned_call(desk, name, CallKind.RELEASE, release, authority=None, now=now)]
    if asked.way == "rail":
        order = order_of_lot(desk, lot)
        if order.disputed:
            raise OrderTransitionRefused(order.id, order.status_at(now).value, "its payment is disputed")
        check_returns_by_key(desk.chain, key.holder, order.rail)
        under_way = sum(
            each.amount
            for each in desk.ledger.lot_refunds.of_lot(lot.id)
            if each.way == "rail" and each.status in _BEFORE_OWED
        )
        if not _owed_for(desk, order, asked.amount, under_way):
            raise MalformedRequest("this is less than a cent: take it to the wallet", field="credits")
        calls.append(_collect(desk, key, asked, after=calls[0].id, now=now))
    command = AskRefund(name, asked.lot, asked.amount, asked.way, tuple(calls), now)
    (written,) = desk.ledger.commit([command])
    if isinstance(written, NotWritten):
        raise OrderTransitionRefused(f"lot {asked.lot}", "not refunded", written.why)
    found = desk.ledger.lot_refunds.refund(name)
    if found is None:
        raise UnknownOrder(name)
    return found


def order_of_lot(desk: OrderDesk, lot: Lot) -> Order:
    """The order that brought the lot, where its rail takes money back.

    Raises:
        RailNotOffered
    """
    order = None if lot.order is None else desk.ledger.orders.order(lot.order)
    if order is None or order.rail is Rail.CHAIN or order.payment is None:
        raise RailNotOffered(Rail.CHAIN.value, "this came on chain: take it back to the wallet, and redeem it there")
    return order


def _collect(desk: OrderDesk, key: AccountKey, asked: RefundAsked, *, after: CallId, now: datetime) -> ChainCall:
    if asked.signed is None:
        raise MalformedRequest("a refund over the rail needs the holder's signature", field="signed")
    signed = read_authorization(asked.signed)
    wanted = (key.holder, desk.paying().key.address, credit_units(asked.amount))
    if (signed.sender, signed.receiver, signed.amount) != wanted:
        raise MalformedRequest("the signature is for another refund", field="signed")
    if signed.valid_before > int(now.timestamp()) + LONGEST_COLLECT_SECONDS:
        raise MalformedRequest("the signature is good for a week at most", field="signed")
    call = desk.chain.token(key.token).authorized_transfer_call(signed)
    authority = Authority(key.token, key.holder, signed.nonce)
    return planned_call(
        desk, after.partition("/")[0], CallKind.COLLECT, call, authority=authority, now=now, after=after
    )


def owe_unused(desk: OrderDesk, now: datetime) -> int:
    """Owe the money of what the treasury has collected; how many refunds. Never more than the order's payment was: one for which
    nothing is left to owe stands as an alarm, as a person must see to the credits; so does one that was collected though nothing
    was released for it.
    """
    owed = 0
    after: str | None = None
    while listed := desk.ledger.lot_refunds.to_collect(after=after):
        owed += sum(_owe(desk, asked, now) for asked in listed)
        after = listed[-1].id
    for asked in desk.ledger.lot_refunds.collected_unreleased():
        _tell_unowed(desk, asked, "nothing was released for it", now)
    return owed


def _owe(desk: OrderDesk, asked: LotRefund, now: datetime) -> bool:
    lot = desk.ledger.lots.lot(asked.lot)
    if lot is None:
        raise UnknownOrder(f"lot {asked.lot}")
    order = order_of_lot(desk, lot)
    refund = Refund(
        id=f"{asked.id}_back",
        order=order.id,
        rail=order.rail,
        payment="" if order.payment is None else order.payment.id,
        kind=RefundKind.UNUSED,
        why="the holder took back what was not used",
        assets=_owed_for(desk, order, asked.amount),
        due_at=now,
    )
    why: str | None = "nothing of the payment is left to give back"
    if order.disputed:
        why = "its payment is disputed, and it waits for the end of that"
    elif refund.assets:
        (written,) = desk.ledger.commit([OweUnused(asked.id, refund)])
        why = written.why if isinstance(written, NotWritten) else None
    if why is None:
        desk.alarms.clear(Alarm.ORDERS_WAIT, subject=asked.id)
        return True
    _tell_unowed(desk, asked, why, now)
    return False


def _tell_unowed(desk: OrderDesk, asked: LotRefund, why: str, now: datetime) -> None:
    why = f"refund {asked.id}: the treasury has {asked.amount} nanocredits of lot {asked.lot}, and owes nothing for them: {why}"
    desk.alarms.sound(Alarm.ORDERS_WAIT, why, now, subject=asked.id)


def _owed_for(desk: OrderDesk, order: Order, amount: NanoCredits, under_way: int = 0) -> AssetUnits:
    """What is owed back for ``amount`` of the order's credits, in whole cents: never more than is left of its payment, when what
    ``under_way`` is backed by has gone back too.
    """
    par = desk.chain.vault.project_of(order.account.token).par
    backed, before = (assets_down(credit_units(NanoCredits(each)), par) for each in (amount, under_way))
    back = sum(each.assets for each in desk.ledger.orders.refunds_of(order.id) if each.kind is RefundKind.UNUSED)
    paid = 0 if order.payment is None else order.payment.assets
    return whole_cents_down(AssetUnits(max(0, min(backed, paid - back - before, returnable(order)))))
