"""The cookie that a signed-in browser keeps, and the token beside it without which a call changes nothing."""

import hashlib
import hmac
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from mintery.domain.sign_in import SignIn, Site
from mintery.errors import ForgedCall, SignInRefused
from mintery.gateway.sites import check_origin, site_of

Role = Literal["holder", "operator"]
CSRF_HEADER = "mintery-csrf"
_NAMES: dict[Role, str] = {"holder": "mintery", "operator": "mintery-operator"}
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_of(request: Request, role: Role) -> str | None:
    """By the name of this site's scheme alone. On https only this site can have set ``__Host-``; the plain name may come from a
    neighbour under the same domain, with a sign-in of its own. Where no wallet can be, nobody is signed in.
    """
    try:
        site = site_of(request)
    except SignInRefused:
        return None
    return request.cookies.get(_name(site, role))


def set_cookie(response: Response, site: Site, role: Role, token: str, begun: SignIn) -> None:
    response.set_cookie(
        _name(site, role),
        token,
        max_age=int((begun.expires_at - begun.began_at).total_seconds()),
        path="/",
        secure=site.secure,
        httponly=True,
        samesite="strict",
    )


def drop_cookie(response: Response, site: Site, role: Role) -> None:
    response.delete_cookie(_name(site, role), path="/", secure=site.secure, httponly=True, samesite="strict")


def csrf_of(token: str) -> str:
    """What a page must send beside the cookie: derived from it, so it ends with it."""
    return hashlib.sha256(b"mintery csrf " + token.encode()).hexdigest()


def check_not_forged(request: Request, token: str) -> None:
    """For a call that the cookie ``token`` came with.

    Raises:
        ForgedCall, SignInRefused
    """
    if request.method in _READS:
        return
    check_origin(request)
    if not hmac.compare_digest(request.headers.get(CSRF_HEADER, ""), csrf_of(token)):
        raise ForgedCall(f"the header {CSRF_HEADER} is missing or another sign-in's")


def _name(site: Site, role: Role) -> str:
    return f"__Host-{_NAMES[role]}" if site.secure else _NAMES[role]
