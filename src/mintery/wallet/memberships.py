"""``/v1/wallet/memberships``: what the holder's accounts agreed to pay by the month, each with its end."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from mintery.domain.keys import StandingVoucher
from mintery.domain.voucher import AccountId, Address
from mintery.errors import (
    CredentialRefused,
    MalformedRequest,
    MembershipEnded,
    MembershipNotSold,
    ModelNotCovered,
    MonthAboveAgreed,
    NotSignedIn,
    OutOfFunds,
    PriceStale,
    UnknownMembership,
)
from mintery.gateway.entry import till_of
from mintery.gateway.errors import Problems, respond
from mintery.units import NANO_DECIMALS, NanoCredits, parse_decimal
from mintery.usecases.explain_shortfall import shortfall
from mintery.usecases.hold_memberships import begin_membership, end_membership
from mintery.usecases.parts import GatewayParts
from mintery.usecases.show_memberships import membership_json, show_memberships, show_offers
from mintery.usecases.verify_credential import Credential
from mintery.wallet.callers import HolderDep
from mintery.wallet.projects import project_of


class BeginIn(BaseModel):
    token: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$", description="Whose credits pay.")
    membership: str = Field(max_length=80)
    most_credits_a_month: str | None = Field(
        None, max_length=40, description="Plain digits, like 12.5. Left out: what a month costs now."
    )


def memberships_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["wallet: memberships"], responses=problems.responses(NotSignedIn))
    refusals = problems.responses(
        *(CredentialRefused, MalformedRequest, UnknownMembership, MembershipNotSold, ModelNotCovered),
        *(MonthAboveAgreed, OutOfFunds, PriceStale),
    )

    @router.get("/v1/wallet/memberships")
    def get_memberships(request: Request, caller: HolderDep, token: str | None = None) -> dict[str, Any]:
        """Each standing authority to charge a month: by which account, how much at most, when next. With ``token``, what is sold
        for its credits too.
        """
        parts = till_of(request).parts
        market, _ = parts.reading()
        mine = [each for each in parts.ledger.memberships.of(holder=caller.holder) if caller.may_see(each.account)]
        told: dict[str, Any] = {"object": "list", "data": show_memberships(parts, mine)}
        if token is not None:
            told["offers"] = show_offers(parts, market, project_of(parts, token))
        return told

    @router.post("/v1/wallet/memberships", responses=refusals)
    def post_membership(request: Request, caller: HolderDep, body: BeginIn) -> Any:
        """Begin a membership, paid by the newest voucher that stands for the holder's keys of these credits."""
        parts = till_of(request).parts
        market, text = parts.market(), body.most_credits_a_month
        most = None if text is None else NanoCredits(parse_decimal(text, NANO_DECIMALS))
        credential = _standing(parts, caller.holder, project_of(parts, body.token).token)
        try:
            begin_membership(parts, market, credential, body.membership, most, only_of=None)
        except OutOfFunds as error:
            return respond(problems.of(error, beside=shortfall(market, credential, error, month=True)))
        begun = parts.ledger.memberships.of(account=credential.account)
        return membership_json(parts, next(each for each in begun if each.name == body.membership))

    @router.delete("/v1/wallet/memberships/{account}/{membership}", responses=problems.responses(MembershipEnded))
    def delete_membership(request: Request, caller: HolderDep, account: str, membership: str) -> dict[str, Any]:
        """Charge no further month. The one that is paid runs to its end."""
        parts = till_of(request).parts
        if not caller.may_see(AccountId(account)):
            raise MembershipEnded(membership)
        ended = end_membership(parts, AccountId(account), membership, only_of=None)
        return membership_json(parts, ended)

    return router


def _standing(parts: GatewayParts, holder: Address, token: Address) -> Credential:
    """Raises MalformedRequest."""
    revoked = parts.ledger.revoked_vouchers(holder)
    for voucher in parts.ledger.standing_vouchers(holder):
        if voucher.signed.voucher.token == token and (voucher.account, _key_hash(voucher)) not in revoked:
            signed, digest = voucher.signed, voucher.digest
            return Credential(signed, voucher.account, signed, digest, None, identity=digest, name=digest)
    raise MalformedRequest("no voucher of yours stands for these credits; make a key first", field="token")


def _key_hash(voucher: StandingVoucher) -> bytes:
    return voucher.signed.voucher.key_hash
