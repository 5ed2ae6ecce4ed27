"""``/v1/memberships``: what the gateway sells of itself by the month, to whoever has a key of the account that pays."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from mintery.errors import (
    CredentialRefused,
    MalformedRequest,
    MembershipEnded,
    MembershipNotSold,
    ModelNotCovered,
    MonthAboveAgreed,
    OutOfFunds,
    PriceStale,
    UnknownMembership,
)
from mintery.gateway.entry import bearer, credential_of, till_of
from mintery.gateway.errors import ErrorTable, Problems, Shown, respond
from mintery.units import MAX_NANOCREDITS, NanoCredits
from mintery.usecases.explain_shortfall import shortfall
from mintery.usecases.hold_memberships import begin_membership, check_may_end, end_membership
from mintery.usecases.show_memberships import membership_json, show_memberships, show_offers, show_standing

ERRORS: ErrorTable = {
    MonthAboveAgreed: Shown(409, "conflict", attributes=("membership", "actual", "limit")),
    MembershipEnded: Shown(404, "invalid_request_error", attributes=("membership",)),
}


class MembershipIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    membership: str = Field(max_length=80)
    most_nanocredits_a_month: str | None = Field(
        None,
        pattern=r"^[0-9]{1,19}$",
        description="A month that costs more is not charged, and the membership is late. Left out: what it costs now.",
    )


def memberships_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["memberships"])

    @router.get("/v1/memberships", responses=problems.responses(CredentialRefused))
    def get_memberships(request: Request) -> dict[str, Any]:
        """What is sold; with a key, what its credits pay for it, and what its account has. Open to everyone."""
        parts = till_of(request).parts
        market, _ = parts.reading()
        if bearer(request) is None:
            return {"object": "list", "data": show_offers(parts, market, None)}
        credential = credential_of(request, market)
        project = market.projects[credential.signed.voucher.token]
        return {
            "object": "list",
            "data": show_offers(parts, market, project),
            "standing": show_standing(parts, credential.account),
            "memberships": show_memberships(parts, parts.ledger.memberships.of(account=credential.account)),
        }

    @router.post(
        "/v1/memberships",
        responses=problems.responses(
            *(CredentialRefused, MalformedRequest, UnknownMembership, MembershipNotSold, ModelNotCovered),
            *(MonthAboveAgreed, OutOfFunds, PriceStale),
        ),
    )
    def post_membership(request: Request, body: MembershipIn) -> Any:
        """Begin a membership: this month is charged now, and each that follows when the last one is over, for as long as the
        key's voucher allows and nobody ends it. One that is paid already is not charged again.
        """
        parts = till_of(request).parts
        market = parts.market()
        credential = credential_of(request, market)
        text = body.most_nanocredits_a_month
        most = None if text is None else NanoCredits(min(int(text), MAX_NANOCREDITS))
        try:
            begin_membership(
                parts, market, credential, body.membership, most, only_of=credential.signed.voucher.key_hash
            )
        except OutOfFunds as error:
            return respond(problems.of(error, beside=shortfall(market, credential, error, month=True)))
        [begun] = [
            each for each in parts.ledger.memberships.of(account=credential.account) if each.name == body.membership
        ]
        return membership_json(parts, begun)

    @router.delete("/v1/memberships/{membership}", responses=problems.responses(CredentialRefused, MembershipEnded))
    def delete_membership(request: Request, membership: str) -> dict[str, Any]:
        """Charge no further month. The one that is paid runs to its end. For the key that began it, or one of the same secret;
        its holder ends any at ``/v1/wallet/memberships``.
        """
        parts = till_of(request).parts
        market, _ = parts.reading()
        credential = credential_of(request, market)
        check_may_end(credential, membership)
        key_hash = credential.signed.voucher.key_hash
        ended = end_membership(parts, credential.account, membership, only_of=key_hash)
        return membership_json(parts, ended)

    return router
