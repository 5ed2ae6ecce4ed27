"""The cookie that a signed-in browser keeps, and the token beside it without which a call changes nothing."""

import hashlib
import hmac
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from mintery.domain.sign_in import LONGEST_SIGN_IN, Site
from mintery.errors import ForgedCall
from mintery.gateway.sites import check_origin

Role = Literal["holder", "operator"]
CSRF_HEADER = "mintery-csrf"
_NAMES: dict[Role, str] = {"holder": "mintery", "operator": "mintery-operator"}
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_of(request: Request, role: Role) -> str | None:
    """By either name: only this site can have set the one, and on a loopback name there is no other."""
    name = _NAMES[role]
    return request.cookies.get(f"__Host-{name}") or request.cookies.get(name)


def set_cookie(response: Response, site: Site, role: Role, token: str) -> None:
    response.set_cookie(
        _name(site, role),
        token,
        max_age=int(LONGEST_SIGN_IN.total_seconds()),
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
