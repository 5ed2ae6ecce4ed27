"""What everyone may ask without showing who they are, and how often; and the body that a call may have before anybody has looked
at who calls.

Every route that answers a stranger stands in ``OPEN``; all others answer 401 or 403. A test calls each of them to find out.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.routing import compile_path
from starlette.types import Message, Receive, Scope

from mintery.domain.peer import ForwardedHeader
from mintery.gateway.bodies import receive_body
from mintery.gateway.entry import till_of
from mintery.gateway.tries import Tries
from mintery.usecases.parts import GatewayLimits

LOG = logging.getLogger(__name__)

SMALL_BODY_BYTES = 128 * 1024
"""Of every call but those whose bodies are prompts, which are read where their key has been looked at."""
_PROMPTS = frozenset({"/v1/quote", "/v1/route/explain"})
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Bound:
    """Of several routes together.

    Attributes:
        most: calls of one peer in a minute; once there were ``in_all`` of all peers, each has its share of that alone (``Tries``).
    """

    name: str
    most: int
    in_all: int


@dataclass(frozen=True, slots=True)
class Uncounted:
    """Of routes that no number of calls closes to anybody, and which are cheap for that."""

    name: str


PAGES = Bound("pages", 3_000, 60_000)
"""A page asks for some twenty files."""
HEALTH = Uncounted("health")
"""One report a second, which serves all who ask: a load balancer must not hear 429 because somebody else asked, and behind a proxy
that nobody named all are one peer.
"""
READS = Bound("reads", 1_200, 30_000)
NONCES = Bound("nonces", 120, 12_000)
"""None is written before somebody signs in by it."""
SIGN_INS = Bound("sign-ins", 60, 600)
OPERATOR_KEYS = Uncounted("operator's sign-ins")
"""One hash each. The route itself counts the wrong keys, once it knows them."""
OPERATORS = Bound("operator's sign-outs", 60, 600)
WEBHOOKS = Bound("webhooks", 600, 6_000)

OPEN: Mapping[tuple[str, str], Bound | Uncounted] = {
    ("GET", "/"): PAGES,
    ("GET", "/wallet"): PAGES,
    ("GET", "/wallet/{page}"): PAGES,
    ("GET", "/wallet/files/{name}"): PAGES,
    ("GET", "/reserve"): PAGES,
    ("GET", "/openapi.json"): PAGES,
    ("GET", "/healthz"): HEALTH,
    ("GET", "/v1/models"): READS,
    ("GET", "/v1/models/{model:path}"): READS,
    ("GET", "/v1/memberships"): READS,
    ("GET", "/v1/reserve"): READS,
    ("GET", "/v1/reserve/{token}/history"): READS,
    ("GET", "/v1/deployment"): READS,
    ("GET", "/v1/prices/{sku:path}"): READS,
    ("GET", "/v1/why/{request_id}"): READS,
    ("POST", "/v1/wallet/sign-in/nonce"): NONCES,
    ("POST", "/v1/wallet/sign-in"): SIGN_INS,
    ("POST", "/v1/wallet/sign-in/dev"): SIGN_INS,
    ("DELETE", "/v1/wallet/sign-in"): SIGN_INS,
    ("POST", "/v1/operator/sign-in"): OPERATOR_KEYS,
    ("DELETE", "/v1/operator/sign-in"): OPERATORS,
    ("POST", "/v1/webhooks/stripe"): WEBHOOKS,
}


class OpenRoutes:
    """Counts the calls of strangers, each process for itself."""

    def __init__(self) -> None:
        self.tries = {
            bound: Tries(bound.most, in_all=bound.in_all)
            for bound in dict.fromkeys(OPEN.values())
            if isinstance(bound, Bound)
        }
        self._told = False
        self._whole = {key: bound for key, bound in OPEN.items() if "{" not in key[1]}
        self._patterns: list[tuple[str, re.Pattern[str], Bound | Uncounted]] = [
            (method, compile_path(path)[0], bound) for (method, path), bound in OPEN.items() if "{" in path
        ]

    def bound_of(self, method: str, path: str) -> Bound | Uncounted | None:
        """None where a call must show who it is of."""
        asked = "GET" if method == "HEAD" else method
        if (bound := self._whole.get((asked, path))) is not None:
            return bound
        fitting = (bound for of, pattern, bound in self._patterns if of == asked and pattern.match(path))
        return next(fitting, None)

    def count(self, scope: Scope) -> None:
        """Raises TooManyTries."""
        if (bound := self.bound_of(scope["method"], scope["path"])) is not None:
            request = Request(scope)
            self._tell_of_proxy(request)
            if isinstance(bound, Bound):
                self.tries[bound].count(request)

    def _tell_of_proxy(self, request: Request) -> None:
        """Once: behind a proxy that nobody named, one guesser locks everybody out."""
        if self._told or till_of(request).parts.proxies.networks:
            return
        if any(header in request.headers for header in ForwardedHeader):
            self._told = True
            LOG.warning("proxy_not_named all its callers are counted as one: see MINTERY_TRUSTED_PROXIES")


async def small_body(scope: Scope, receive: Receive, limits: GatewayLimits) -> Receive:
    """The call's body, read before anything else is, to be received once more.

    Raises:
        BodyTooLarge, BodyTooSlow, MalformedRequest
        ClientDisconnect: nobody waits for an answer any more.
    """
    if scope["method"] not in _WRITES or scope["path"] in _PROMPTS:
        return receive
    declared = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"content-length"), None)
    small = replace(limits, body_bytes=min(limits.body_bytes, SMALL_BODY_BYTES))
    whole: list[Message] = [{"type": "http.request", "body": await receive_body(receive, declared, small)}]

    async def again() -> Message:
        return whole.pop() if whole else await receive()

    return again
