"""Calls of every route there is, by whoever shows what."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import httpx2
from tests.gateway.rig import Rig

from mintery.domain.market import Market
from mintery.errors import MarketUnread

CLOSED = frozenset({401, 403})
_NEEDED: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("GET", "/v1/generation"): {"params": {"id": "gen-x"}},
    ("POST", "/v1/memberships"): {"json": {"membership": "pro"}},
}
"""What a call has to say before it is asked who it is of."""


class Unread:
    """The public side of a chain that nobody has read."""

    is_test = False

    def market(self) -> tuple[Market, datetime]:
        raise MarketUnread(120, 60)

    def __getattr__(self, name: str) -> Any:
        raise MarketUnread(120, 60)


def routes(gateway: Rig) -> Iterator[tuple[str, str]]:
    """Method and path of each; HEAD goes with GET."""
    for included in gateway.app.routes:
        for route in getattr(getattr(included, "original_router", None), "routes", [included]):
            for method in sorted(route.methods - {"HEAD"}):
                yield method, route.path


def concrete(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "x", path)


def called(gateway: Rig, method: str, path: str, **options: Any) -> httpx2.Response:
    """By a stranger, unless ``headers`` say otherwise."""
    fields = {**({} if method == "GET" else {"json": {}}), **_NEEDED.get((method, path), {}), **options}
    return gateway.http.request(method, gateway.base_url + concrete(path), follow_redirects=False, **fields)


def opened_by(gateway: Rig, headers: Mapping[str, str]) -> set[str]:
    """What is closed to strangers and open to whoever sends these."""
    return {
        f"{method} {path}"
        for method, path in routes(gateway)
        if gateway.app.open_routes.bound_of(method, concrete(path)) is None
        and called(gateway, method, path, headers=headers).status_code not in CLOSED
    }
