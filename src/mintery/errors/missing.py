"""There is no such thing, or not for who asks."""

from collections.abc import Sequence

from mintery.errors.base import MinteryError, no_route


class NotFound(MinteryError):
    """There is no such thing."""


class UnknownModel(NotFound):
    def __init__(self, model: str) -> None:
        super().__init__(f"no model {model[:120]!r} here; GET /v1/models lists them")
        self.model = model[:120]


class ModelNotCovered(NotFound):
    """The model is here, but the terms of this project's credits do not pay for it."""

    def __init__(self, model: str, token: str, why: str) -> None:
        super().__init__(f"credits of {token} do not pay for {model}: {why}")
        self.model = model
        self.token = token
        self.why = why


class RouteExcluded(NotFound):
    """The request's own preferences leave a route out."""

    def __init__(self, route: str, why: str) -> None:
        super().__init__(f"{route} is left out: {why}")
        self.route = route
        self.why = why


class RouteTooDear(NotFound):
    """Above a limit that the request set. ``actual`` is 1e-18 USD for one ``unit``, ``markup`` basis points on top of it;
    ``limit`` is USD, on what ``of`` says.
    """

    def __init__(self, route: str, unit: str, *, actual: int, markup: int, limit: str, of: str) -> None:
        on_top = f" and {markup} basis points of markup" if markup else ""
        super().__init__(
            f"{route} is too dear: its {unit} costs {actual} (1e-18 USD){on_top}; provider.max_price.{of} is {limit} USD"
        )
        self.route = route
        self.unit = unit
        self.actual = actual
        self.markup = markup
        self.limit = limit


class NoRoute(NotFound):
    """Of the routes that go by the name, none may answer, and waiting does not help. ``rejected`` gives each with its reason."""

    def __init__(self, asked: str, rejected: Sequence[tuple[str, MinteryError]]) -> None:
        super().__init__(no_route(asked, rejected))
        self.asked = asked
        self.rejected = tuple(rejected)

    @property
    def reasons(self) -> dict[str, str]:
        return {route: str(reason) for route, reason in self.rejected}


class UnknownMembership(NotFound):
    def __init__(self, name: str, known: Sequence[str]) -> None:
        sold = f"there are {', '.join(known)}" if known else "none are sold here"
        super().__init__(f"no membership {name[:80]!r}; {sold}")
        self.membership = name[:80]


class MembershipNotSold(NotFound):
    """``period`` is ``request`` or ``month``; ``kind`` is the credits'."""

    def __init__(self, membership: str, period: str, kind: str) -> None:
        super().__init__(f"{membership} is not sold by the {period} for {kind} credits")
        self.membership = membership
        self.period = period


class MembershipNeeded(NotFound):
    """The model is kept for members. ``sold_by`` says how one becomes one: by the month, for a request, or not at all."""

    def __init__(self, model: str, membership: str, sold_by: Sequence[str]) -> None:
        how = {
            "month": f"`POST /v1/memberships` buys {membership} by the month",
            "request": f"the header `Mintery-Membership: {membership}` for one request",
        }
        ways = "; ".join(how[each] for each in sold_by) or f"{membership} is not sold for these credits"
        super().__init__(f"{model} is kept for {membership}: {ways}")
        self.model = model
        self.membership = membership
        self.sold_by = list(sold_by)


class MembershipEnded(NotFound):
    """The account has none of this name that stands."""

    def __init__(self, membership: str) -> None:
        super().__init__(f"no membership {membership[:80]!r} stands for this account")
        self.membership = membership[:80]


class UnknownRequest(NotFound):
    def __init__(self, request_id: str) -> None:
        super().__init__(f"no request {request_id[:80]!r} is known to this key")
        self.request_id = request_id


class UnknownJob(NotFound):
    def __init__(self, request_id: str) -> None:
        super().__init__(f"no job {request_id[:80]!r} is known to this key")
        self.request_id = request_id


class NothingToFetch(NotFound):
    """A completed job whose provider hands nothing over, or no longer."""

    def __init__(self, request_id: str, why: str) -> None:
        super().__init__(f"job {request_id}: {why}")
        self.request_id = request_id
        self.why = why


class UnknownGatewayKey(NotFound):
    """No open key of this holder has the id."""

    def __init__(self, key: str) -> None:
        super().__init__(f"there is no open key {key[:60]} of yours")
        self.key = key


class UnknownLimit(NotFound):
    def __init__(self, limit: str) -> None:
        super().__init__(f"there is no limit {limit[:60]} of yours")
        self.limit = limit


class UnknownAuthority(NotFound):
    def __init__(self, authority: str) -> None:
        super().__init__(f"there is nothing {authority[:80]} of yours to revoke")
        self.authority = authority


class UnknownAccount(NotFound):
    def __init__(self, account: str) -> None:
        super().__init__(f"there is no account {account[:80]!r} of yours")
        self.account = account


class UnknownOrder(NotFound):
    def __init__(self, order_id: str) -> None:
        super().__init__(f"there is no {order_id[:80]!r} here")
        self.order_id = order_id


class UnknownReceipt(NotFound):
    def __init__(self, request_id: str) -> None:
        super().__init__(f"no receipt {request_id[:80]!r}")
        self.request_id = request_id


class UnknownSku(NotFound):
    def __init__(self, sku: str) -> None:
        super().__init__(f"the oracle knows no SKU {sku!r}")
        self.sku = sku


class UnknownProvider(NotFound):
    def __init__(self, provider: str) -> None:
        super().__init__(f"the registry knows no provider {provider!r}")
        self.provider = provider


class UnknownHalt(NotFound):
    hint = "`mintery ledger halts` lists those that stand."

    def __init__(self, halt: int) -> None:
        super().__init__(f"no halt {halt} stands")
        self.halt = halt


class UnknownChannel(NotFound):
    hint = "`mintery channel list` lists channels and providers."

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no channel or provider {name[:120]!r} here")
        self.name = name[:120]


class FileMissing(NotFound):
    def __init__(self, path: str) -> None:
        super().__init__(f"there is no file {path}")
        self.path = path


class UnknownProject(NotFound):
    """``opened`` lists the projects there are, as symbol and token; ``wanted`` is None when none was named."""

    def __init__(self, wanted: str | None, opened: Sequence[str]) -> None:
        listed = ", ".join(opened) or "none"
        if wanted is None:
            why = "which project?" if opened else "no project was opened here"
        else:
            fits = sum(wanted.lower() in project.lower().split() for project in opened)
            why = f"{fits} projects are called {wanted!r}" if fits else f"no project {wanted!r} here"
        super().__init__(f"{why}; open here: {listed}" if opened else why)
        self.wanted = wanted
        self.opened = tuple(opened)
        self.hint = "Name one by its address with --token." if opened else "`mintery project open` opens one."
