"""``/v1/wallet/memberships``: what the holder's accounts agreed to pay by the month, each with its end."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from mintery.crypto.hashing import parse_address
from mintery.domain.keys import StandingVoucher
from mintery.domain.voucher import AccountId, AccountKey, Address
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
from mintery.ledger.queries_memberships import Membership
from mintery.units import NANO_DECIMALS, NanoCredits, parse_decimal
from mintery.usecases.explain_shortfall import shortfall
from mintery.usecases.hold_memberships import begin_membership, end_membership
from mintery.usecases.offer_membership import MOST_MONTHS, offer_membership
from mintery.usecases.parts import GatewayParts
from mintery.usecases.show_memberships import membership_json, show_offers
from mintery.usecases.verify_credential import Credential
from mintery.wallet.amounts import amount_json
from mintery.wallet.callers import HolderDep
from mintery.wallet.keys import VoucherIn, offered_json, stand_voucher
from mintery.wallet.projects import project_if_known, project_of


class BeginIn(BaseModel):
    token: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$", description="Whose credits pay.")
    membership: str = Field(max_length=80)
    most_credits_a_month: str | None = Field(
        None, max_length=40, description="Plain digits, like 12.5. Left out: what a month costs now."
    )
    voucher: VoucherIn | None = Field(
        None, description="As it was offered, and signed. Left out: the newest that stands."
    )


class MembershipOfferIn(BaseModel):
    token: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$", description="Whose credits pay.")
    membership: str = Field(max_length=80)
    months: int = Field(12, ge=1, le=MOST_MONTHS)
    signer: str | None = Field(
        None, pattern=r"^0x[0-9a-fA-F]{40}$", description="The session key; the holder if left out."
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
        told: dict[str, Any] = {"object": "list", "data": [_own_json(parts, each) for each in mine]}
        if token is not None:
            told["offers"] = show_offers(parts, market, project_of(parts, token))
        return told

    @router.post("/v1/wallet/memberships/offer", responses=refusals)
    def post_offer(request: Request, caller: HolderDep, body: MembershipOfferIn) -> dict[str, Any]:
        """What the holder's wallet is asked to sign for so many months: a voucher, which the beginning then takes."""
        parts = till_of(request).parts
        project = project_of(parts, body.token)
        signer = caller.holder if body.signer is None else parse_address(body.signer)
        account = AccountKey(project.token, parts.gateway, caller.holder, signer)
        offer = offer_membership(parts, parts.market(), account, project, body.membership, months=body.months)
        return {
            "object": "membership_offer",
            "membership": body.membership,
            "months": body.months,
            **amount_json("month", offer.month, project),
            **offered_json(offer.voucher, project),
        }

    @router.post("/v1/wallet/memberships", responses=refusals)
    def post_membership(request: Request, caller: HolderDep, body: BeginIn) -> Any:
        """Begin a membership, paid by the voucher that comes with it, or by the newest that stands for these credits."""
        parts = till_of(request).parts
        market, text = parts.market(), body.most_credits_a_month
        most = None if text is None else NanoCredits(parse_decimal(text, NANO_DECIMALS))
        credential = _credential(parts, caller.holder, project_of(parts, body.token).token, body.voucher)
        try:
            begin_membership(parts, market, credential, body.membership, most, only_of=None)
        except OutOfFunds as error:
            return respond(problems.of(error, beside=shortfall(market, credential, error, month=True)))
        begun = parts.ledger.memberships.of(account=credential.account)
        return _own_json(parts, next(each for each in begun if each.name == body.membership))

    @router.delete("/v1/wallet/memberships/{account}/{membership}", responses=problems.responses(MembershipEnded))
    def delete_membership(request: Request, caller: HolderDep, account: str, membership: str) -> dict[str, Any]:
        """Charge no further month. The one that is paid runs to its end."""
        parts = till_of(request).parts
        if not caller.may_see(AccountId(account)):
            raise MembershipEnded(membership)
        ended = end_membership(parts, AccountId(account), membership, only_of=None)
        return _own_json(parts, ended)

    return router


def _own_json(parts: GatewayParts, membership: Membership) -> dict[str, Any]:
    """With what people know the credits by, and dollars."""
    project = project_if_known(parts, membership.key.token)
    return {
        **membership_json(parts, membership),
        "symbol": None if project is None else project.symbol,
        "kind": None if project is None else project.kind.value,
        "usable_until": membership.signed.voucher.deadline - parts.exit_delay,
        "most_usd_a_month": amount_json("most", membership.most, project)["most_usd"],
    }


def _credential(parts: GatewayParts, holder: Address, token: Address, given: VoucherIn | None) -> Credential:
    """Raises MalformedRequest, CredentialRefused."""
    standing = _newest(parts, holder, token) if given is None else stand_voucher(parts, holder, given)
    signed, digest = standing.signed, standing.digest
    if signed.voucher.token != token:
        raise MalformedRequest("the voucher is for other credits", field="voucher")
    return Credential(signed, standing.account, signed, digest, None, identity=digest, name=digest)


def _newest(parts: GatewayParts, holder: Address, token: Address) -> StandingVoucher:
    """Raises MalformedRequest."""
    revoked = parts.ledger.revoked_vouchers(holder)
    for voucher in parts.ledger.standing_vouchers(holder):
        if voucher.signed.voucher.token == token and (voucher.account, _key_hash(voucher)) not in revoked:
            return voucher
    raise MalformedRequest("no voucher of yours stands for these credits; make a key first", field="token")


def _key_hash(voucher: StandingVoucher) -> bytes:
    return voucher.signed.voucher.key_hash
