"""Accepted payments become credits: the treasury pays the reserve and the credits go to the holder, once for each order.

The treasury's authorization names the order in its nonce. It is the same one however often it is made, and the asset takes
it once: no crash, no race and no second process mints twice. Where the holder signed for it, the credits go on into the
account; otherwise they wait in the holder's wallet.
"""

import logging
from datetime import datetime

from mintery.chain.rpc import Call
from mintery.crypto.authorizations import mint_nonce
from mintery.crypto.hashing import keccak
from mintery.domain.chain_call import Authority, CallKind, ChainCall
from mintery.domain.order import Order, OrderId
from mintery.errors import ChainError, FinalBlockReplaced, MalformedRequest, RpcUnavailable
from mintery.ledger.commands import NotWritten
from mintery.ledger.commands_calls import MintOrder
from mintery.ledger.commands_orders import CapReached
from mintery.ledger.commands_postponed import GoOn, Postpone
from mintery.units import CreditUnits, UnixSeconds, credit_units, format_assets, nanocredits_of_assets_down
from mintery.usecases.alarms import Alarm
from mintery.usecases.order_desk import OrderDesk
from mintery.usecases.place_order import planned_call
from mintery.usecases.signed_texts import read_deposit

log = logging.getLogger(__name__)

ALWAYS = UnixSeconds(2**40)
"""The treasury's authorization does not lapse: while its order is owed credits, nothing else could be done instead."""


def mint_orders(desk: OrderDesk, now: datetime) -> int:
    """Plan what creates the credits of every accepted order; how many were planned. ``send_calls`` does it.

    One that the vault would refuse now is left as it is, with an alarm: its payment may still be returned.
    """
    if desk.treasury is None:
        return 0
    planned = 0
    after: OrderId | None = None
    while listed := desk.ledger.orders.to_mint(now, after=after):
        planned += sum(_planned(desk, order, now) for order in listed)
        after = listed[-1].id
    return planned


def _planned(desk: OrderDesk, order: Order, now: datetime) -> bool:
    """What the chain answers to one order stops none of the others."""
    try:
        return _plan(desk, order, now)
    except (RpcUnavailable, FinalBlockReplaced):
        raise
    except ChainError as refused:
        desk.alarms.sound(Alarm.ORDERS_WAIT, f"credits of order {order.id}: {refused}", now, subject=order.id)
        desk.ledger.commit([Postpone(order.id, str(refused), now)])
        return False


def _plan(desk: OrderDesk, order: Order, now: datetime) -> bool:
    begins = order.credits_from(desk.card_hold)
    if begins is not None and now < begins:
        return False
    mint, authority = _mint(desk, order)
    desk.paying().sender.simulate(mint)
    calls = [planned_call(desk, order.id, CallKind.MINT, mint, authority=authority, now=now)]
    if (deposit := _deposit(desk, order, calls[0], now)) is not None:
        calls.append(deposit)
    told, _ = desk.ledger.commit([MintOrder(order.id, tuple(calls), now, desk.card_caps), GoOn((order.id,))])
    if isinstance(told, CapReached):
        why = f"credits of order {order.id}: the daily cap of cards ({told.whose}) has room for {format_assets(told.limit)} dollars"
        desk.alarms.sound(Alarm.ORDERS_WAIT, why, now, subject=order.id)
        desk.ledger.commit([Postpone(order.id, why, now)])
        return False
    if isinstance(told, NotWritten):
        log.warning("order not minted", extra={"order": order.id, "why": told.why})
        return False
    desk.alarms.clear(Alarm.ORDERS_WAIT, subject=order.id)
    log.info("order minting", extra={"order": order.id})
    return True


def mint_salt(order: OrderId) -> bytes:
    return keccak(f"mintery/order/{order}".encode())


def bought(desk: OrderDesk, order: Order) -> CreditUnits:
    """Whole nanocredits that the order's payment buys."""
    paid = order.assets if order.payment is None else order.payment.assets
    return credit_units(nanocredits_of_assets_down(paid, desk.chain.vault.project_of(order.account.token).par))


def _mint(desk: OrderDesk, order: Order) -> tuple[Call, Authority]:
    chain, treasury, key = desk.chain, desk.paying(), order.account
    paid = order.assets if order.payment is None else order.payment.assets
    credits_, salt = bought(desk, order), mint_salt(order.id)
    nonce = mint_nonce(key.token, treasury.key.address, key.holder, min_credit_base_units=credits_, salt=salt)
    signed = chain.asset.sign_authorization(
        treasury.key, chain.vault.address, paid, nonce=nonce, valid_before=ALWAYS, receive=True
    )
    call = chain.vault.authorized_mint_call(key.token, salt, signed, min_credits=credits_, to=key.holder)
    return call, Authority(chain.asset.address, treasury.key.address, nonce)


def _deposit(desk: OrderDesk, order: Order, mint: ChainCall, now: datetime) -> ChainCall | None:
    """None where the holder signed for none, for other credits than came, or took the signature back."""
    if order.signed is None:
        return None
    try:
        signed = read_deposit(order.signed, order.account)
    except MalformedRequest as error:
        log.warning("deposit not readable", extra={"order": order.id, "why": str(error)})
        return None
    authorization = signed.authorization
    authority = Authority(order.account.token, order.account.holder, authorization.nonce)
    if desk.ledger.chain_calls.is_withdrawn(authority):
        return None
    if authorization.amount != bought(desk, order):
        return None
    call = desk.chain.escrow.authorized_deposit_call(order.account, signed.salt, authorization)
    return planned_call(desk, order.id, CallKind.DEPOSIT, call, authority=authority, now=now, after=mint.id)
