"""Place a top-up order: what is asked for, by which rail, and how the credits come into the account."""

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mintery.chain.rpc import Call
from mintery.crypto.authorizations import deposit_nonce, top_up_nonce
from mintery.domain.chain_call import Authority, CallId, CallKind, ChainCall
from mintery.domain.order import PENDING_FOR, Order, OrderId, Rail
from mintery.domain.voucher import AccountKey
from mintery.errors import (
    CardCapReached,
    IdempotencyConflict,
    MalformedRequest,
    MinteryError,
    RailNotOffered,
    TopUpOutOfRange,
    TransactionReverted,
    UnknownProject,
    WrongGateway,
)
from mintery.ledger.commands import Command
from mintery.ledger.commands_calls import PlaceTopUp
from mintery.ledger.commands_orders import CapReached, NameOrder, OrderTold, PlaceOrder
from mintery.units import AssetUnits, UnixSeconds, cents, credit_units, format_assets, nanocredits_of_assets_down
from mintery.usecases.check_mintable import check_mintable
from mintery.usecases.order_desk import OrderDesk
from mintery.usecases.signed_texts import read_deposit, read_top_up

_REFERENCE_BYTES = 5
LONGEST_SIGNED = timedelta(hours=1)
"""How long an authorization of a top-up may be good for: its order is pending as long."""


@dataclass(frozen=True, slots=True)
class OrderAsked:
    """``signed``: for the chain a signed top-up, for the other rails a signed deposit or nothing, as JSON (``signed_texts``)."""

    account: AccountKey
    rail: Rail
    assets: AssetUnits
    signed: str | None = None
    idempotency_key: str | None = None


def place_order(desk: OrderDesk, asked: OrderAsked, now: datetime) -> Order:
    """The order; one asked for again with its idempotency key is the same one. A card's order has the page to pay on.

    Raises:
        RailNotOffered, TopUpOutOfRange, NotWholeCents, WrongGateway, UnknownProject
        MintNotOffered, MintRoomShort, AssetDepegged: the credits could not be created now.
        CardCapReached: more by card than is taken within a day.
        MalformedRequest: what was signed is not for this.
        TransactionReverted: the chain would refuse the top-up.
        IdempotencyConflict: the key, or the authorization, is another order's.
        RailUnavailable, RailRefused, RailNonsense: there is no page now; ask again with the idempotency key.
    """
    order = Order(
        id=OrderId(f"ord_{secrets.token_hex(16)}"),
        account=asked.account,
        rail=asked.rail,
        assets=asked.assets,
        placed_at=now,
        expires_at=now + PENDING_FOR[asked.rail],
        idempotency_key=asked.idempotency_key,
        signed=asked.signed,
        reference=_bank_reference() if asked.rail is Rail.BANK else None,
    )
    if (known := _known(desk, order)) is not None:
        return open_page(desk, known, now)
    try:
        command = _checked(desk, asked, order, now)
    except MinteryError:
        # Asked twice at once, the other one is placed by now, and what it changed on chain may be why this one is refused.
        if (known := _known(desk, order)) is not None:
            return open_page(desk, known, now)
        raise
    (told,) = desk.ledger.commit([command])
    if isinstance(told, CapReached):
        raise CardCapReached(told.whose, actual=told.actual, limit=told.limit, shown=format_assets(told.limit))
    if not isinstance(told, OrderTold):
        raise IdempotencyConflict(order.idempotency_key or order.id)
    return open_page(desk, told.order, now)


def _checked(desk: OrderDesk, asked: OrderAsked, order: Order, now: datetime) -> Command:
    check_asked(desk, asked.account, asked.rail, asked.assets)
    if asked.rail is Rail.CHAIN:
        return _on_chain(desk, order, now)
    check_mintable(desk, asked.account.token, asked.assets)
    if asked.signed is not None:
        _check_deposit(desk, asked, asked.signed)
    return PlaceOrder(order, desk.card_caps)


def _known(desk: OrderDesk, order: Order) -> Order | None:
    """What was placed with the same key. Asked before anything else is: whatever is refused now, it was taken then.

    Raises:
        IdempotencyConflict
    """
    if order.idempotency_key is None:
        return None
    known = desk.ledger.orders.by_key(order.account.holder, order.idempotency_key)
    if known is not None and not known.asks_as(order):
        raise IdempotencyConflict(order.idempotency_key)
    return known


def open_page(desk: OrderDesk, order: Order, now: datetime) -> Order:
    """With the page that a card's order is paid on. The rail makes one for each order, however often it is asked.

    Raises:
        RailUnavailable, RailRefused, RailNonsense
    """
    if order.rail is not Rail.CARD or order.reference is not None:
        return order
    checkout = desk.card_rail().open(order)
    (told,) = desk.ledger.commit([NameOrder(order.id, checkout.reference, checkout.page, now)])
    return told.order if isinstance(told, OrderTold) else order


def check_asked(desk: OrderDesk, account: AccountKey, rail: Rail, assets: AssetUnits) -> None:
    """Whether such an order is taken here at all.

    Raises:
        RailNotOffered, TopUpOutOfRange, NotWholeCents, WrongGateway, UnknownProject
    """
    if rail not in desk.rails:
        raise RailNotOffered(rail.value, "this gateway takes no money by it")
    if not desk.least <= assets <= desk.most:
        raise TopUpOutOfRange(actual=assets, least=desk.least, limit=desk.most)
    if rail is not Rail.CHAIN:
        cents(assets)
    if account.gateway != desk.gateway:
        raise WrongGateway(account.gateway, desk.gateway)
    if not desk.chain.vault.is_project(account.token):
        raise UnknownProject(account.token, ())


def _on_chain(desk: OrderDesk, order: Order, now: datetime) -> PlaceTopUp:
    """The order is pending as long as its authorization is good, so that no payment of it is ever late."""
    chain, key = desk.chain, order.account
    if order.signed is None:
        raise MalformedRequest("a top-up on chain needs the holder's signature", field="signed")
    signed = read_top_up(order.signed, key)
    authorization = signed.authorization
    nonce = top_up_nonce(key, signed.min_credits, signed.salt)
    wanted = (key.holder, chain.vault.address, order.assets, nonce)
    if (authorization.sender, authorization.receiver, authorization.amount, authorization.nonce) != wanted:
        raise MalformedRequest("the signature is for another top-up", field="signed")
    least = credit_units(nanocredits_of_assets_down(order.assets, chain.vault.project_of(key.token).par))
    if signed.min_credits != least:
        raise MalformedRequest(
            f"the signature asks for {signed.min_credits} credits; these are {least}", field="signed"
        )
    expires_at = _moment(authorization.valid_before)
    if not now < expires_at <= now + LONGEST_SIGNED:
        raise MalformedRequest("the signature is good for an hour at most, and not yet over", field="signed")

    call = chain.escrow.top_up_call(key, signed.salt, authorization, min_credits=signed.min_credits)
    desk.paying().sender.simulate(call)
    named = Order(
        id=order.id,
        account=key,
        rail=order.rail,
        assets=order.assets,
        placed_at=now,
        expires_at=expires_at,
        idempotency_key=order.idempotency_key,
        signed=order.signed,
        reference="0x" + nonce.hex(),
    )
    authority = Authority(chain.asset.address, key.holder, nonce)
    planned = planned_call(desk, order.id, CallKind.TOP_UP, call, authority=authority, now=now)
    return PlaceTopUp(named, (planned,))


def planned_call(
    desk: OrderDesk,
    subject: str,
    kind: CallKind,
    call: Call,
    *,
    authority: Authority | None,
    now: datetime,
    after: CallId | None = None,
) -> ChainCall:
    """What the outbox keeps of ``call``."""
    if call.to is None:
        raise ValueError(call.action)
    # A reorganisation may bring the effect into a lower block than the newest. A release is looked for by its own attempts, and
    # not refused for good before all that it stands on is final.
    first = desk.chain.rpc.block() if authority is None else desk.chain.finalized_block()
    return ChainCall(
        subject=subject,
        kind=kind,
        to=call.to,
        calldata=call.calldata,
        authority=authority,
        first_block=first.number,
        planned_at=now,
        after=after,
    )


def _check_deposit(desk: OrderDesk, asked: OrderAsked, text: str) -> None:
    """It takes exactly the credits that the order buys into exactly its account."""
    key = asked.account
    signed = read_deposit(text, key)
    authorization = signed.authorization
    bought = credit_units(nanocredits_of_assets_down(asked.assets, desk.chain.vault.project_of(key.token).par))
    wanted = (key.holder, desk.chain.escrow.address, bought, deposit_nonce(key, bought, signed.salt))
    if (authorization.sender, authorization.receiver, authorization.amount, authorization.nonce) != wanted:
        raise MalformedRequest(f"the signature is not for a deposit of these {bought} credits", field="signed")
    try:
        desk.paying().sender.simulate(desk.chain.escrow.authorized_deposit_call(key, signed.salt, authorization))
    except TransactionReverted as refused:
        # The credits are not there yet; whatever else is wrong with it will not come right.
        if refused.error != "ERC20InsufficientBalance":
            raise


def _moment(seconds: UnixSeconds) -> datetime:
    """Raises MalformedRequest for what no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise MalformedRequest("the signature is good for an hour at most", field="signed") from None


def _bank_reference() -> str:
    """What a transfer must say: short enough to be typed, of letters and digits that are told apart."""
    text = base64.b32encode(secrets.token_bytes(_REFERENCE_BYTES)).decode()
    return f"MINT-{text[:4]}-{text[4:]}"
