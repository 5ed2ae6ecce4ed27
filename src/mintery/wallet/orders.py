"""``/v1/wallet/orders``: top-ups, by card, bank or chain. ``/v1/wallet/lots``: what each brought, and which requests used it."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from mintery.crypto.hashing import parse_address
from mintery.crypto.vouchers import account_id
from mintery.domain.hold import RequestId
from mintery.domain.order import Order, OrderId, Rail
from mintery.domain.voucher import AccountKey
from mintery.errors import (
    AssetDepegged,
    CardCapReached,
    IdempotencyConflict,
    KeyMayNot,
    MalformedInput,
    MintNotOffered,
    MintRoomShort,
    NotSignedIn,
    OrderTransitionRefused,
    RailNotOffered,
    RailUnavailable,
    TooManyTries,
    TransactionReverted,
    UnknownOrder,
    UnknownProject,
)
from mintery.gateway.entry import desk_of, till_of
from mintery.gateway.errors import Problems
from mintery.gateway.tries import Tries
from mintery.ledger.queries_lots import Lot
from mintery.units import NANO_DECIMALS, NanoCredits, parse_assets, parse_decimal
from mintery.usecases.contract_wallets import check_returns_by_key, check_signer
from mintery.usecases.place_order import OrderAsked, place_order
from mintery.usecases.refund_lot import RefundAsked, offer_refund, order_of_lot, refund_lot
from mintery.usecases.show_orders import lot_json, lot_refund_json, order_in_full, order_json, use_json
from mintery.usecases.watch_orders import cancel_order, look_at_order
from mintery.wallet.callers import Caller, CallerDep, HolderDep, WholeAccountDep
from mintery.wallet.holdings import token_of

_ORDERS_A_MINUTE = 10
_LOOKS_A_MINUTE = 30
_REFUNDS_A_MINUTE = 10
_ADDRESS = r"^0x[0-9a-fA-F]{40}$"
_MOST_LISTED = 200


class RefundIn(BaseModel):
    """``wallet``: the credits come to the holder's wallet, to be redeemed. ``rail``: the money goes back to the card or bank that
    it came from; that needs ``signed``, as the offer gave it, with ``signature``.
    """

    model_config = ConfigDict(extra="forbid")

    way: Literal["wallet", "rail"]
    credits: str = Field(max_length=40, description="Plain digits, like 12.5; at most what the lot has left.")
    signed: dict[str, Any] | None = None


class OrderIn(BaseModel):
    """``signer`` is the account's; the holder where left out. ``signed``: what ``/v1/wallet/top-ups/offer`` gave, with the
    holder's ``signature``; for the chain the top-up itself, else that the bought credits go on into the account.
    """

    model_config = ConfigDict(extra="forbid")

    rail: Literal["card", "bank", "chain"]
    token: str = Field(pattern=_ADDRESS)
    signer: str | None = Field(None, pattern=_ADDRESS)
    usd: str = Field(max_length=40, description="Plain digits, like 20 or 12.50.")
    signed: dict[str, Any] | None = None


def orders_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["wallet: top-ups"], responses=problems.responses(NotSignedIn, KeyMayNot))
    tries = Tries(_ORDERS_A_MINUTE, in_all=50 * _ORDERS_A_MINUTE)
    refusals = problems.responses(
        MintNotOffered,
        MintRoomShort,
        CardCapReached,
        AssetDepegged,
        RailNotOffered,
        RailUnavailable,
        UnknownProject,
        MalformedInput,
        IdempotencyConflict,
        TransactionReverted,
        TooManyTries,
    )

    @router.get("/v1/wallet/rails")
    def get_rails(request: Request, _caller: CallerDep) -> dict[str, Any]:
        """How money can be brought in here."""
        parts = till_of(request).parts
        return {"object": "list", "data": [] if parts.desk is None else [rail.value for rail in parts.desk.rails]}

    @router.post("/v1/wallet/orders", responses=refusals)
    def post_order(
        request: Request,
        caller: HolderDep,
        body: OrderIn,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> dict[str, Any]:
        """Place an order. With an Idempotency-Key, the same one as often as it is asked for."""
        desk, now = desk_of(request), till_of(request).parts.clock()
        asked = OrderAsked(
            account=_account(request, caller, body),
            rail=Rail(body.rail),
            assets=parse_assets(body.usd),
            signed=None if body.signed is None else orjson.dumps(body.signed, option=orjson.OPT_SORT_KEYS).decode(),
            idempotency_key=idempotency_key,
        )
        tries.count_one(caller.holder, now)
        return order_in_full(
            desk.ledger, place_order(desk, asked, now), now, bank_details=desk.bank_details, card_hold=desk.card_hold
        )

    @router.get("/v1/wallet/orders")
    def get_orders(
        request: Request, caller: WholeAccountDep, limit: Annotated[int, Query(ge=1, le=_MOST_LISTED)] = 50
    ) -> dict[str, Any]:
        """The holder's orders, newest first. A voucher key sees its own account's."""
        desk, now = desk_of(request), till_of(request).parts.clock()
        only = None if caller.by == "sign_in" else caller.accounts[0]
        listed = desk.ledger.orders.of_holder(caller.holder, account=only, limit=limit)
        return {"object": "list", "data": [order_json(order, now) for order in listed]}

    _add_one_order(router, problems)
    _add_lots(router, problems)
    _add_refunds(router, problems)
    return router


def _add_one_order(router: APIRouter, problems: Problems) -> None:
    looks = Tries(_LOOKS_A_MINUTE, in_all=50 * _LOOKS_A_MINUTE)

    @router.get("/v1/wallet/orders/{order_id}", responses=problems.responses(UnknownOrder))
    def get_order(request: Request, caller: WholeAccountDep, order_id: str) -> dict[str, Any]:
        """One order with all that happened to it, and the lot that it brought."""
        desk, now = desk_of(request), till_of(request).parts.clock()
        order = _own(request, caller, order_id)
        return order_in_full(desk.ledger, order, now, bank_details=desk.bank_details, card_hold=desk.card_hold)

    @router.post(
        "/v1/wallet/orders/{order_id}/check",
        responses=problems.responses(UnknownOrder, RailNotOffered, RailUnavailable, TooManyTries),
    )
    def post_check(request: Request, caller: HolderDep, order_id: str) -> dict[str, Any]:
        """Ask the rail now whether it was paid, without waiting for its news."""
        desk, now = desk_of(request), till_of(request).parts.clock()
        own = _own(request, caller, order_id)
        looks.count_one(caller.holder, now)
        order = look_at_order(desk, own, now)
        return order_in_full(desk.ledger, order, now, bank_details=desk.bank_details, card_hold=desk.card_hold)

    @router.post(
        "/v1/wallet/orders/{order_id}/cancel",
        responses=problems.responses(UnknownOrder, OrderTransitionRefused, RailUnavailable, TooManyTries),
    )
    def post_cancel(request: Request, caller: HolderDep, order_id: str) -> dict[str, Any]:
        """The holder will not pay. What was paid meanwhile counts."""
        desk, now = desk_of(request), till_of(request).parts.clock()
        own = _own(request, caller, order_id)
        looks.count_one(caller.holder, now)
        order = cancel_order(desk, own.id, now)
        return order_in_full(desk.ledger, order, now, bank_details=desk.bank_details, card_hold=desk.card_hold)


def _add_lots(router: APIRouter, problems: Problems) -> None:
    @router.get("/v1/wallet/lots")
    def get_lots(
        request: Request, caller: WholeAccountDep, limit: Annotated[int, Query(ge=1, le=_MOST_LISTED)] = 50
    ) -> dict[str, Any]:
        """Each top-up and deposit with what is left of it, newest first."""
        lots = desk_of(request).ledger.lots.of_accounts(caller.accounts, limit=limit)
        return {"object": "list", "data": [lot_json(lot) for lot in lots]}

    @router.get("/v1/wallet/lots/{lot_id}/requests", responses=problems.responses(UnknownOrder))
    def get_uses(
        request: Request,
        caller: WholeAccountDep,
        lot_id: int,
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=_MOST_LISTED)] = 100,
    ) -> dict[str, Any]:
        """Which requests used this top-up, oldest first; ``after`` is the last id of the page before, of this top-up's own."""
        lot, _ = _own_lot(request, caller, lot_id)
        if after and not desk_of(request).ledger.lots.is_use_of(after, lot.id):
            raise UnknownOrder(f"use {after} of lot {lot.id}")
        uses = desk_of(request).ledger.lots.uses_of(lot.id, after=after, limit=limit)
        return {**_lot_header(lot), "data": [use_json(use) for use in uses], "has_more": len(uses) == limit}

    @router.get("/v1/wallet/requests/{request_id}/lots")
    def get_lots_of_request(request: Request, caller: WholeAccountDep, request_id: str) -> dict[str, Any]:
        """Which top-ups this request used."""
        uses = desk_of(request).ledger.lots.of_request(RequestId(request_id))
        return {"object": "list", "data": [use_json(use) for use in uses if caller.may_see(use.account)]}


def _add_refunds(router: APIRouter, problems: Problems) -> None:
    tries = Tries(_REFUNDS_A_MINUTE, in_all=50 * _REFUNDS_A_MINUTE)
    refusals = problems.responses(UnknownOrder, OrderTransitionRefused, RailNotOffered, MalformedInput, TooManyTries)

    @router.get("/v1/wallet/lots/{lot_id}/refunds", responses=problems.responses(UnknownOrder))
    def get_refunds(request: Request, caller: WholeAccountDep, lot_id: int) -> dict[str, Any]:
        """What of this top-up was asked back, and where it is."""
        _own_lot(request, caller, lot_id)
        ledger = desk_of(request).ledger
        return {"object": "list", "data": [lot_refund_json(ledger, each) for each in ledger.lot_refunds.of_lot(lot_id)]}

    @router.post("/v1/wallet/lots/{lot_id}/refund/offer", responses=refusals)
    def post_refund_offer(request: Request, caller: HolderDep, lot_id: int, body: RefundIn) -> dict[str, Any]:
        """What the holder's wallet is asked to sign for a refund over the rail."""
        lot, key = _own_lot(request, caller, lot_id)
        desk, now = desk_of(request), till_of(request).parts.clock()
        tries.count_one(caller.holder, now)
        check_returns_by_key(desk.chain, key.holder, order_of_lot(desk, lot).rail)
        asked, signed = offer_refund(desk, key, _nanocredits(body), now)
        return {"object": "refund_offer", "typed_data": asked, "signed": signed}

    @router.post("/v1/wallet/lots/{lot_id}/refund", responses=refusals)
    def post_refund(request: Request, caller: HolderDep, lot_id: int, body: RefundIn) -> dict[str, Any]:
        """Take back what is left of a top-up. It is set aside at once: no request gets it any more."""
        _, key = _own_lot(request, caller, lot_id)
        desk, now = desk_of(request), till_of(request).parts.clock()
        signed = None if body.signed is None else orjson.dumps(body.signed, option=orjson.OPT_SORT_KEYS).decode()
        asked = RefundAsked(lot_id, _nanocredits(body), body.way, signed)
        tries.count_one(caller.holder, now)
        return lot_refund_json(desk.ledger, refund_lot(desk, key, asked, now))


def _nanocredits(body: RefundIn) -> NanoCredits:
    return NanoCredits(parse_decimal(body.credits, NANO_DECIMALS))


def _own_lot(request: Request, caller: Caller, lot_id: int) -> tuple[Lot, AccountKey]:
    """Another holder's lot is as unknown as none."""
    lot = desk_of(request).ledger.lots.lot(lot_id)
    account = None if lot is None else till_of(request).parts.ledger.account(lot.account)
    if lot is None or account is None or not caller.may_see(lot.account):
        raise UnknownOrder(f"lot {lot_id}")
    return lot, account.key


def _lot_header(lot: Lot) -> dict[str, Any]:
    return {"object": "list", "lot": lot_json(lot)}


def _account(request: Request, caller: Caller, body: OrderIn) -> AccountKey:
    parts = till_of(request).parts
    signer = caller.holder if body.signer is None else parse_address(body.signer)
    check_signer(parts.relay, caller.holder, signer)
    return AccountKey(token_of(parts, body.token), parts.gateway, caller.holder, signer)


def _own(request: Request, caller: Caller, order_id: str) -> Order:
    """Another holder's order is as unknown as none, and to a voucher key another account's."""
    order = desk_of(request).ledger.orders.order(OrderId(order_id))
    if order is None or order.account.holder != caller.holder:
        raise UnknownOrder(order_id)
    if caller.by == "key" and not caller.may_see(account_id(order.account)):
        raise UnknownOrder(order_id)
    return order
