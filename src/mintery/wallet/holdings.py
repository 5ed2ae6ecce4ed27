"""``/v1/wallet``: the balances; ``/v1/wallet/moves``: credits out of the holder's own wallet by one signature."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from mintery.crypto.hashing import parse_address
from mintery.domain.voucher import Address
from mintery.errors import (
    KeyMayNot,
    MalformedInput,
    MoveRefused,
    NotSignedIn,
    OwnTransactionNeeded,
    ReceiverRefused,
    RelayerSpent,
    RelayMissing,
    SignerNeeded,
    TooManyMoves,
    TooManyTries,
    UnknownProject,
)
from mintery.gateway.entry import till_of
from mintery.gateway.errors import ErrorTable, Problems, Shown
from mintery.gateway.tries import Tries
from mintery.units import NANO_DECIMALS, NanoCredits, UnixSeconds, format_nanocredits, parse_decimal
from mintery.usecases.move_credits import Move, Moved, MoveKind, Offer, offer_move, relay_move
from mintery.usecases.parts import GatewayParts
from mintery.usecases.relay import Relay
from mintery.usecases.show_wallet import show_wallet
from mintery.wallet.callers import HolderDep, WholeAccountDep

ERRORS: ErrorTable = {
    MoveRefused: Shown(409, "invalid_request_error", attributes=("why",)),
    OwnTransactionNeeded: Shown(409, "invalid_request_error", attributes=("why", "calls")),
    SignerNeeded: Shown(422, "invalid_request_error"),
    ReceiverRefused: Shown(422, "invalid_request_error", attributes=("receiver", "why")),
    RelayMissing: Shown(503, "service_unavailable"),
    TooManyMoves: Shown(429, "rate_limit_error", retry=True, attributes=("limit", "per")),
    RelayerSpent: Shown(503, "service_unavailable", retry=True, attributes=("why",)),
    UnknownProject: Shown(404, "invalid_request_error"),
}
_MOVES_A_MINUTE = 20
_ADDRESS = Field(pattern=r"^0x[0-9a-fA-F]{40}$")


class MoveIn(BaseModel):
    kind: Literal["send", "make_spendable"]
    token: str = _ADDRESS
    to: str | None = Field(
        None, pattern=r"^0x[0-9a-fA-F]{40}$", description="Whom to send to; the holder where left out."
    )
    credits: str = Field(max_length=40, description="Plain digits, like 12.5; at most nine after the point.")
    signer: str | None = Field(
        None,
        pattern=r"^0x[0-9a-fA-F]{40}$",
        description="For a contract wallet that makes credits spendable: the key whose vouchers may spend them.",
    )


class SignedMoveIn(MoveIn):
    salt: str = Field(pattern=r"^0x[0-9a-f]{64}$")
    valid_before: int = Field(ge=0, lt=2**48)
    signature: str = Field(max_length=132)


def holdings_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["wallet: balances"], responses=problems.responses(NotSignedIn, KeyMayNot))
    tries = Tries(_MOVES_A_MINUTE, in_all=50 * _MOVES_A_MINUTE)
    refusals = problems.responses(
        MoveRefused,
        OwnTransactionNeeded,
        ReceiverRefused,
        RelayMissing,
        RelayerSpent,
        SignerNeeded,
        TooManyMoves,
        TooManyTries,
        UnknownProject,
        MalformedInput,
    )

    @router.get("/v1/wallet")
    def get_wallet(request: Request, caller: WholeAccountDep) -> dict[str, Any]:
        """The holder's balances: one for each project, official and routed apart. A voucher key sees its own account's."""
        return show_wallet(till_of(request).parts, caller.holder, caller.accounts)

    @router.post("/v1/wallet/moves/offer", responses=refusals)
    def post_offer(request: Request, caller: HolderDep, body: MoveIn) -> dict[str, Any]:
        """What the holder's wallet is asked to sign: to send credits to somebody, or to make them spendable here."""
        parts = till_of(request).parts
        offer = offer_move(
            relay_of(parts),
            parts.gateway,
            kind=MoveKind(body.kind),
            holder=caller.holder,
            token=token_of(parts, body.token),
            to=_receiver(body, caller.holder),
            amount=_amount(body.credits),
            signer=None if body.signer is None else parse_address(body.signer),
        )
        return _offer_json(offer)

    @router.post("/v1/wallet/moves", responses=refusals)
    def post_move(request: Request, caller: HolderDep, body: SignedMoveIn) -> dict[str, Any]:
        """Carry out what was signed. The gateway pays what the chain takes for it."""
        parts = till_of(request).parts
        tries.count_one(caller.holder, parts.clock())
        move = Move(
            MoveKind(body.kind),
            caller.holder,
            token_of(parts, body.token),
            _receiver(body, caller.holder),
            _amount(body.credits),
            bytes.fromhex(body.salt[2:]),
            UnixSeconds(body.valid_before),
        )
        return moved_json(relay_move(relay_of(parts), parts.gateway, move, body.signature), "move")

    return router


def relay_of(parts: GatewayParts) -> Relay:
    if parts.relay is None:
        raise RelayMissing
    return parts.relay


def token_of(parts: GatewayParts, text: str) -> Address:
    market, _ = parts.reading()
    token = parse_address(text)
    if token not in market.projects:
        raise UnknownProject(token, [f"{each.symbol} {each.token}" for each in market.projects.values()])
    return token


def _receiver(body: MoveIn, holder: Address) -> Address:
    if body.kind == MoveKind.MAKE_SPENDABLE.value:
        return holder
    if body.to is None:
        raise MalformedInput("say whom to send to")
    return parse_address(body.to)


def _amount(text: str) -> NanoCredits:
    return NanoCredits(parse_decimal(text, NANO_DECIMALS))


def _offer_json(offer: Offer) -> dict[str, Any]:
    move = offer.move
    return {
        "object": "move_offer",
        "kind": move.kind.value,
        "token": move.token,
        "to": move.to,
        "credits": format_nanocredits(move.amount),
        "salt": "0x" + move.salt.hex(),
        "valid_before": move.valid_before,
        "typed_data": offer.typed_data,
    }


def moved_json(moved: Moved, what: str) -> dict[str, Any]:
    return {"object": what, "status": "done" if moved.block is not None else "under_way", "tx_hash": moved.tx_hash}
