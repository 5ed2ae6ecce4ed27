"""``/v1/wallet/sign-in/dev/signature``: what the dev holder's wallet app would sign, where there is none."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from mintery.crypto.typed_data import digest_of
from mintery.errors import MalformedInput, NotSignedIn, SignInRefused
from mintery.gateway.entry import till_of
from mintery.gateway.errors import Problems
from mintery.wallet.callers import HolderDep


class ToSignIn(BaseModel):
    typed_data: dict[str, Any]


class SignatureOut(BaseModel):
    signature: str


def dev_signing_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["wallet: sign-in"], responses=problems.responses(NotSignedIn, SignInRefused))

    @router.post("/v1/wallet/sign-in/dev/signature", responses=problems.responses(MalformedInput))
    def post_signature(request: Request, caller: HolderDep, body: ToSignIn) -> SignatureOut:
        """Sign as the dev holder, whose key everybody knows, on a local chain alone."""
        dev = till_of(request).parts.dev_holder
        if dev is None or caller.holder != dev.holder.address:
            raise SignInRefused("only the dev holder of a local chain signs here")
        return SignatureOut(signature="0x" + dev.holder.sign_digest(digest_of(body.typed_data)).long.hex())

    return router
