"""``/v1/wallet/sign-in/dev``: what the dev holder's wallet app would sign and send, where there is none."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from mintery.crypto.hashing import parse_address
from mintery.crypto.typed_data import digest_of
from mintery.errors import MalformedInput, MoveRefused, NotSignedIn, RelayMissing, SignInRefused
from mintery.gateway.entry import till_of
from mintery.gateway.errors import Problems
from mintery.usecases.parts import DevHolder, GatewayParts
from mintery.usecases.take_out import send_as
from mintery.wallet.callers import Caller, HolderDep
from mintery.wallet.holdings import moved_json, relay_of


class ToSignIn(BaseModel):
    typed_data: dict[str, Any]


class SignatureOut(BaseModel):
    signature: str


class ToSendIn(BaseModel):
    """As an offer's ``transaction`` has it."""

    to: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$")
    data: str = Field(pattern=r"^0x([0-9a-f]{2})*$", max_length=10_000)


def dev_signing_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["wallet: sign-in"], responses=problems.responses(NotSignedIn, SignInRefused))

    @router.post("/v1/wallet/sign-in/dev/signature", responses=problems.responses(MalformedInput))
    def post_signature(request: Request, caller: HolderDep, body: ToSignIn) -> SignatureOut:
        """Sign as the dev holder, whose key everybody knows, on a local chain alone."""
        dev = _dev_holder(till_of(request).parts, caller)
        return SignatureOut(signature="0x" + dev.holder.sign_digest(digest_of(body.typed_data)).long.hex())

    @router.post(
        "/v1/wallet/sign-in/dev/transaction", responses=problems.responses(MalformedInput, MoveRefused, RelayMissing)
    )
    def post_transaction(request: Request, caller: HolderDep, body: ToSendIn) -> dict[str, Any]:
        """Send as the dev holder, likewise."""
        parts = till_of(request).parts
        dev = _dev_holder(parts, caller)
        sent = send_as(relay_of(parts), dev.holder, parse_address(body.to), bytes.fromhex(body.data[2:]))
        return moved_json(sent, "transaction")

    return router


def _dev_holder(parts: GatewayParts, caller: Caller) -> DevHolder:
    """Raises SignInRefused."""
    if parts.dev_holder is None or caller.holder != parts.dev_holder.holder.address:
        raise SignInRefused("only the dev holder of a local chain signs here")
    return parts.dev_holder
