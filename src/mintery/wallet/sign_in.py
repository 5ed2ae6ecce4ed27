"""``/v1/wallet/sign-in``: with Ethereum (EIP-4361), or with a dev chain's key."""

from datetime import datetime
from functools import partial
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from mintery.chain.wallet_signatures import MOST_SIGNATURE_BYTES
from mintery.crypto.hashing import parse_address
from mintery.domain.sign_in import LONGEST_MESSAGE, STATEMENT, SignInMessage, format_sign_in
from mintery.errors import ForgedCall, NotSignedIn, SignInRefused, TooManyTries, WalletNotDeployed
from mintery.gateway.cookies import cookie_of, csrf_of, drop_cookie
from mintery.gateway.entry import bearer, till_of
from mintery.gateway.errors import ErrorTable, Problems, Shown
from mintery.gateway.sites import check_origin, site_of
from mintery.gateway.tries import Tries
from mintery.usecases import sign_in as usecase
from mintery.wallet.callers import HolderDep, sign_in_of
from mintery.wallet.keeping import SignInOut, keep

ERRORS: ErrorTable = {
    TooManyTries: Shown(429, "rate_limit_error", retry=True),
    WalletNotDeployed: Shown(401, "authentication_error", attributes=("wallet",)),
}
LONGEST_SIGNATURE = 2 + 2 * MOST_SIGNATURE_BYTES
_TEXT = Field(min_length=1, max_length=LONGEST_MESSAGE)


class NonceOut(BaseModel):
    nonce: str
    expires_at: datetime
    domain: str
    chain_id: int
    message: str | None = Field(None, description="Ready to be signed, where the call named an address.")


class SignInIn(BaseModel):
    message: str = _TEXT
    signature: str = Field(max_length=LONGEST_SIGNATURE, description="A key's, or what a contract wallet accepts.")
    keep: Literal["cookie", "token"] = Field(
        "cookie", description="A browser keeps a cookie that no script reads; a program asks for the token."
    )


class DevSignInIn(BaseModel):
    key: str = _TEXT
    keep: Literal["cookie", "token"] = "cookie"


def sign_in_router(problems: Problems) -> APIRouter:
    router = APIRouter(
        tags=["wallet: sign-in"],
        responses=problems.responses(SignInRefused, WalletNotDeployed, ForgedCall, TooManyTries),
    )
    asked = Tries(12, in_all=120)  # each asks the chain what a stranger's contract says

    @router.post("/v1/wallet/sign-in/nonce")
    def post_nonce(request: Request, address: str | None = None) -> NonceOut:
        """A nonce for one message, and the message itself for an ``address``."""
        parts, site = till_of(request).parts, site_of(request)
        nonce = usecase.offer_nonce(parts)
        message = None
        if address is not None:
            address = parse_address(address)
            message = format_sign_in(
                SignInMessage(
                    domain=site.host,
                    address=address,
                    uri=site.origin,
                    chain_id=parts.domain.chain_id,
                    nonce=nonce.text,
                    issued_at=parts.clock().replace(microsecond=0),
                    expires_at=nonce.expires_at.replace(microsecond=0),
                    statement=STATEMENT,
                )
            )
        return NonceOut(
            nonce=nonce.text,
            expires_at=nonce.expires_at,
            domain=site.host,
            chain_id=parts.domain.chain_id,
            message=message,
        )

    @router.post("/v1/wallet/sign-in")
    def post_sign_in(request: Request, response: Response, body: SignInIn) -> SignInOut:
        """Begin a sign-in with a signed message: of twelve hours by a key, of thirty minutes as a contract wallet (ERC-1271), whose
        owners may change.
        """
        check_origin(request)
        parts, site = till_of(request).parts, site_of(request)
        begun = usecase.sign_in(parts, site, body.message, body.signature, before_asking=partial(asked.count, request))
        return keep(request, response, begun, "holder", token=body.keep == "token")

    @router.post("/v1/wallet/sign-in/dev")
    def post_dev_sign_in(request: Request, response: Response, body: DevSignInIn) -> SignInOut:
        """Begin one as the holder of a local dev chain, with the key that ``mintery up`` prints."""
        check_origin(request)
        begun = usecase.sign_in_as_dev(till_of(request).parts, body.key)
        return keep(request, response, begun, "holder", token=body.keep == "token")

    @router.get("/v1/wallet/sign-in", responses=problems.responses(NotSignedIn))
    def get_sign_in(request: Request, caller: HolderDep) -> SignInOut:
        """Who is signed in."""
        assert caller.sign_in is not None  # noqa: S101 -- of a holder
        token = None if bearer(request) is not None else cookie_of(request, "holder")
        return SignInOut(
            holder=caller.holder,
            expires_at=caller.sign_in.expires_at,
            token=None,
            csrf=None if token is None else csrf_of(token),
        )

    @router.delete("/v1/wallet/sign-in", status_code=204)
    def delete_sign_in(request: Request) -> Response:
        """Sign out: here and now, in every process."""
        response = Response(status_code=204)
        drop_cookie(response, site_of(request), "holder")
        try:
            found = sign_in_of(request)
        except NotSignedIn:
            return response
        if found is not None:
            usecase.sign_out(till_of(request).parts, found)
        return response

    return router
