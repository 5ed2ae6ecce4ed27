"""Where the wallet is, as a browser sees it; and whether a call comes from there."""

import re
from urllib.parse import urlsplit

from starlette.requests import Request

from mintery.domain.sign_in import Site
from mintery.errors import ForgedCall, SignInRefused

_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.ASCII)


def site_of(request: Request) -> Site:
    """As the settings say. Where they say nothing, this machine by its own names: any other name may be one that somebody
    had point here.

    Raises:
        SignInRefused
    """
    url: str | None = request.app.state.till.parts.public_url
    if url is not None:
        parts = urlsplit(url)
        return Site(parts.scheme, parts.netloc)
    host = request.headers.get("host", "")
    if not _LOOPBACK.fullmatch(host):
        raise SignInRefused("signing in by another name than this machine's own needs MINTERY_PUBLIC_URL")
    return Site("http", host)


def check_origin(request: Request) -> None:
    """A browser says where a call comes from; programs say nothing.

    Raises:
        ForgedCall, SignInRefused
    """
    origin = request.headers.get("origin")
    if origin is not None and origin != site_of(request).origin:
        raise ForgedCall(f"it comes from {origin[:100]}")
