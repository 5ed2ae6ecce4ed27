"""Who calls: a holder who signed in, or an app with a key of one of the holder's accounts.

A sign-in may do everything of the holder's. A key may read what is its account's, and change nothing.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends
from starlette.requests import Request

from mintery.domain.keys import KeyId
from mintery.domain.sign_in import SignIn
from mintery.domain.voucher import AccountId, Address
from mintery.errors import KeyMayNot, NotSignedIn
from mintery.gateway.cookies import check_not_forged, cookie_of
from mintery.gateway.entry import bearer, credential_of, till_of
from mintery.usecases.sign_in import TOKEN_PREFIX, signed_in


@dataclass(frozen=True, slots=True)
class Caller:
    """Attributes:
    holder: whose wallet it is.
    by: how the caller showed that.
    accounts: those that the caller may see: all of the holder's at this gateway, or the key's one.
    sign_in: None for a key.
    key: of a gateway key, which may see what it spent itself and no other app's doings.
    """

    holder: Address
    by: Literal["sign_in", "key"]
    accounts: tuple[AccountId, ...]
    sign_in: SignIn | None = None
    key: KeyId | None = None

    def may_see(self, account: AccountId) -> bool:
        return account in self.accounts


def caller_of(request: Request) -> Caller | None:
    """None where nobody says who calls. By a header before the cookie: whoever sends both means the header.

    Raises:
        CredentialRefused, NotAvailable
    """
    key = bearer(request)
    if key is not None and not key.startswith(TOKEN_PREFIX):
        parts = till_of(request).parts
        market, _ = parts.reading()
        credential = credential_of(request, market)
        return Caller(credential.signed.voucher.holder, "key", (credential.account,), key=credential.key_id)
    found = sign_in_of(request)
    if found is None or found.holder is None:
        return None
    return Caller(found.holder, "sign_in", _accounts(request, found.holder), found)


def sign_in_of(request: Request) -> SignIn | None:
    """By the header or the cookie of a holder.

    Raises:
        NotSignedIn: what is shown opens nothing.
        ForgedCall: the cookie came with a call that another site could have made the browser send.
    """
    parts = till_of(request).parts
    key = bearer(request)
    token = key or cookie_of(request, "holder")
    if token is None:
        return None
    found = signed_in(parts, token)
    if found is None:
        raise NotSignedIn
    if key is None:
        check_not_forged(request, token)
    return found


def _accounts(request: Request, holder: Address) -> tuple[AccountId, ...]:
    parts = till_of(request).parts
    balances = parts.ledger.accounts(holder=holder)
    return tuple(each.id for each in balances if each.key.gateway == parts.gateway)


def require_caller(request: Request) -> Caller:
    """Raises NotSignedIn, CredentialRefused, ForgedCall."""
    if (caller := caller_of(request)) is None:
        raise NotSignedIn
    return caller


def require_holder(request: Request) -> Caller:
    """For what only the holder may do. Raises NotSignedIn, ForgedCall."""
    caller = require_caller(request)
    if caller.by != "sign_in":
        raise NotSignedIn
    return caller


def require_whole_account(request: Request) -> Caller:
    """For what shows all of an account: whoever holds it, or a voucher of it. Raises KeyMayNot, and as ``require_caller``."""
    caller = require_caller(request)
    if caller.key is not None:
        raise KeyMayNot("a gateway key sees what it spent itself, not all of its holder's account", "account")
    return caller


CallerDep = Annotated[Caller, Depends(require_caller)]
HolderDep = Annotated[Caller, Depends(require_holder)]
WholeAccountDep = Annotated[Caller, Depends(require_whole_account)]
