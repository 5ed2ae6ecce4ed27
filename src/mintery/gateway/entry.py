"""Who may come in: apps by their voucher key, the operator by the operator's key."""

import hashlib
import hmac

from starlette.requests import Request

from mintery.domain.market import Market
from mintery.errors import (
    ChainError,
    CredentialMissing,
    CredentialRefused,
    ForgedCall,
    KeyMayNot,
    MalformedRequest,
    MalformedVoucher,
    NotOperator,
    NotSignedIn,
    RailNotOffered,
)
from mintery.gateway.cookies import check_not_forged, cookie_of
from mintery.gateway.errors import ErrorTable, Shown
from mintery.providers.calls import ProviderKey
from mintery.usecases.order_desk import OrderDesk
from mintery.usecases.pay_for_request import Till
from mintery.usecases.quote_request import OWN_KEY_FIELD
from mintery.usecases.sign_in import operator_signed_in
from mintery.usecases.verify_credential import Credential, check_key_open, refresh_credential, verify_credential

RAISED_HEADER = "mintery-voucher"
SESSION_HEADER = "mintery-session"
MEMBERSHIP_HEADER = "mintery-membership"
"""Buys one call's worth of an offer."""
PROVIDER_KEY_HEADER = "mintery-provider-key"
"""The caller's own key of the provider: it pays there, and the gateway's fee is all that is charged."""
LONGEST_PROVIDER_KEY = 1_024

ERRORS: ErrorTable = {
    CredentialRefused: Shown(401, "authentication_error"),
    MalformedVoucher: Shown(401, "authentication_error", "invalid_api_key"),
    NotOperator: Shown(403, "permission_error"),
    ForgedCall: Shown(403, "permission_error"),
    KeyMayNot: Shown(403, "permission_error", attributes=("asked",)),
    ChainError: Shown(
        503, "service_unavailable", "chain_unavailable", retry=True, instead="the chain cannot be read now", wait=5
    ),
}

OPERATOR = "operator"
"""Who acts by the operator's key and does not say who that is."""


def desk_of(request: Request) -> OrderDesk:
    """Raises RailNotOffered: this process takes no orders."""
    if (desk := till_of(request).parts.desk) is None:
        raise RailNotOffered("top-ups", "this gateway takes no orders")
    return desk


def till_of(request: Request) -> Till:
    till: Till = request.app.state.till
    return till


def credential_of(request: Request, market: Market) -> Credential:
    """With what its holder allows now, which is read each time: only a hold would find out that it has changed.

    Raises what ``verify_credential`` raises, and KeyRevoked, KeyExpired.
    """
    parts = till_of(request).parts
    known = verify_credential(parts, market, bearer(request), request.headers.get(RAISED_HEADER))
    credential = refresh_credential(parts, market, known)
    check_key_open(parts, credential)
    return credential


def is_operator(request: Request) -> bool:
    key = bearer(request)
    wanted = till_of(request).parts.operator_key_hash
    return key is not None and hmac.compare_digest(hashlib.sha256(key.encode()).digest(), wanted)


def require_operator(request: Request) -> None:
    """By the operator key, or by the cookie of the operator's browser.

    Raises:
        CredentialMissing, NotOperator, NotSignedIn, ForgedCall
    """
    if bearer(request) is not None:
        if not is_operator(request):
            raise NotOperator
        return
    if (token := cookie_of(request, "operator")) is None:
        raise CredentialMissing
    if operator_signed_in(till_of(request).parts, token) is None:
        raise NotSignedIn
    check_not_forged(request, token)


def operator_named(request: Request, said: str | None) -> str:
    """Who acts as the operator, for what keeps that. Whoever comes by the operator's key says so; of whoever is signed in it is
    known: by the address, or by the sign-in where the operator key opened it.

    Raises:
        MalformedRequest: somebody who is signed in says to be another.
    """
    token = None if bearer(request) is not None else cookie_of(request, "operator")
    found = None if token is None else operator_signed_in(till_of(request).parts, token)
    if found is None:
        return said or OPERATOR
    if said is not None:
        raise MalformedRequest("who is signed in is known", field="by")
    return found.holder or found.id


def provider_key(text: str | None) -> ProviderKey | None:
    """Raises MalformedRequest, which does not repeat it."""
    if text is None:
        return None
    if not 1 <= len(text) <= LONGEST_PROVIDER_KEY or not all("!" <= each <= "~" for each in text):
        raise MalformedRequest(f"{OWN_KEY_FIELD} is no key", field=OWN_KEY_FIELD)
    return ProviderKey(text)


def bearer(request: Request) -> str | None:
    return bearer_key(request.headers.get("authorization", ""))


def bearer_key(authorization: str) -> str | None:
    """The key of an Authorization header's value."""
    scheme, _, key = authorization.partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None
