"""Not now: what would be needed does not stand, or has no room."""

from collections.abc import Sequence

from mintery.errors.base import MinteryError, no_route


class NotAvailable(MinteryError):
    """Right, but not now. ``retry_after`` is seconds, or None when waiting does not help."""

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RelayMissing(NotAvailable):
    def __init__(self) -> None:
        super().__init__("this gateway sends nothing on chain for its holders: it has no relayer key")


class TooManyMoves(NotAvailable):
    """The gateway pays for no more of them now. ``limit`` of them ``per``: "at once", or "a day"."""

    def __init__(self, limit: int, per: str, *, retry_after: int) -> None:
        super().__init__(f"the gateway carries out {limit} moves {per}; try again later", retry_after=retry_after)
        self.limit = limit
        self.per = per


class RelayerSpent(NotAvailable):
    """The key that pays for what holders sign has paid for as much as it may, or blocks cost more than it pays."""

    def __init__(self, why: str, *, retry_after: int) -> None:
        super().__init__(f"the gateway pays for nothing on chain now: {why}", retry_after=retry_after)
        self.why = why


class ModelUnpriced(NotAvailable):
    def __init__(self, model: str, sku: str) -> None:
        super().__init__(f"{model} cannot be sold: no price in force for {sku}")
        self.model = model
        self.sku = sku


class SkuUnroutable(NotAvailable):
    """The price sources contradict each other, or say what can be no price."""

    def __init__(self, sku: str, why: str, *, retry_after: int) -> None:
        super().__init__(f"{sku} is not for sale: {why}")
        self.sku = sku
        self.why = why
        self.retry_after = retry_after


class PriceStale(NotAvailable):
    def __init__(self, sku: str, *, age: int, limit: int, retry_after: int) -> None:
        super().__init__(
            f"the price of {sku} was last seen {age} s ago; the limit is {limit} s", retry_after=retry_after
        )
        self.sku = sku
        self.age = age
        self.limit = limit


class PriceQueued(NotAvailable):
    def __init__(self, sku: str, *, retry_after: int) -> None:
        super().__init__(f"a new price of {sku} waits for confirmation", retry_after=retry_after)
        self.sku = sku


class HoldAboveStaleLimit(NotAvailable):
    """Prices are soft-stale, and only small holds are taken. Amounts are 1e-18 USD."""

    def __init__(self, sku: str, *, required: int, limit: int, retry_after: int) -> None:
        super().__init__(
            f"the price of {sku} is stale; holds up to {limit} (1e-18 USD) are taken, not {required}",
            retry_after=retry_after,
        )
        self.sku = sku
        self.required = required
        self.limit = limit


class MarketUnread(NotAvailable):
    """The chain could not be read for longer than the gateway may sell by an old reading. Seconds."""

    def __init__(self, age: int, limit: int) -> None:
        super().__init__(f"the chain was last read {age} s ago; the limit is {limit} s", retry_after=5)
        self.age = age
        self.limit = limit


class LedgerBehind(NotAvailable):
    """The ledger has not followed the chain for longer than the gateway may sell by its balances. Seconds."""

    def __init__(self, age: int, limit: int) -> None:
        super().__init__(f"the ledger has been behind the chain for {age} s; the limit is {limit} s", retry_after=30)
        self.age = age
        self.limit = limit


class NoRouteNow(NotAvailable):
    """Of the routes that go by the name, none can answer now, and some may later."""

    def __init__(self, asked: str, rejected: Sequence[tuple[str, MinteryError]]) -> None:
        waits = [wait for _, reason in rejected if (wait := getattr(reason, "retry_after", None)) is not None]
        super().__init__(no_route(asked, rejected), retry_after=min(waits, default=None))
        self.asked = asked
        self.rejected = tuple(rejected)

    @property
    def reasons(self) -> dict[str, str]:
        return {route: str(reason) for route, reason in self.rejected}


class RouteBroken(NotAvailable):
    """It failed too often in a row, and is left alone for a while."""

    def __init__(self, route: str, failures: int, *, retry_after: int) -> None:
        super().__init__(
            f"{route} failed {failures} times in a row and is tried again in {retry_after} s", retry_after=retry_after
        )
        self.route = route
        self.failures = failures


class RouteOnTrial(NotAvailable):
    """It had failed, and another request is finding out whether it answers again."""

    def __init__(self, route: str) -> None:
        super().__init__(f"{route} had failed, and another request is trying it", retry_after=1)
        self.route = route


class ResaleForbidden(NotAvailable):
    def __init__(self, provider: str) -> None:
        super().__init__(f"{provider} does not let its models be sold on")
        self.provider = provider


class ChannelDisabled(NotAvailable):
    def __init__(self, channel: str) -> None:
        super().__init__(f"{channel} is switched off by the gateway's operator")
        self.channel = channel


class AssetDepegged(NotAvailable):
    def __init__(self) -> None:
        super().__init__("the reserve asset does not hold its par; open requests finish, new ones wait")


class MintNotOffered(NotAvailable):
    """No credits of this project are created for what a holder pays."""

    def __init__(self, token: str, why: str) -> None:
        super().__init__(f"no credits of {token} can be bought: {why}")
        self.token = token
        self.why = why


class MintRoomShort(NotAvailable):
    """The supply may not grow by so much today. Credit base units."""

    def __init__(self, token: str, *, actual: int, limit: int) -> None:
        super().__init__(
            f"{actual} credit units of {token} are asked for; its mint cap leaves {limit} until the UTC day ends"
        )
        self.token = token
        self.actual = actual
        self.limit = limit


class CardCapReached(NotAvailable):
    """More by card than may become credits within 24 hours, of one holder (``whose`` is "holder") or of all ("whole"). Asset base
    units.
    """

    def __init__(self, whose: str, *, actual: int, limit: int, shown: str) -> None:
        of = "your top-ups by card" if whose == "holder" else "all top-ups by card here"
        super().__init__(f"{of} may come to {shown} dollars more within 24 hours; nothing was charged to the card")
        self.whose = whose
        self.actual = actual
        self.limit = limit


class ReserveShort(NotAvailable):
    def __init__(self, assets: int, claims: int) -> None:
        super().__init__(f"the vault holds {assets} asset units against claims of {claims}")
        self.assets = assets
        self.claims = claims


class Draining(NotAvailable):
    def __init__(self, why: str) -> None:
        super().__init__(f"no new requests: {why}", retry_after=30)


class PayoutCapReached(NotAvailable):
    """What this gateway may pay out of the project in this window is committed. Amounts are nanocredits."""

    def __init__(self, token: str, *, required: int, available: int, retry_after: int) -> None:
        super().__init__(
            f"this window's payouts of {token} have room for {available} nanocredits, not {required}",
            retry_after=retry_after,
        )
        self.token = token
        self.required = required
        self.available = available


class Overloaded(NotAvailable):
    def __init__(self) -> None:
        super().__init__("too many requests are waiting", retry_after=1)


class StatementsBusy(NotAvailable):
    """As many statements are being written as may be at once, in all or for this holder."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} statements are being written already", retry_after=5)
        self.limit = limit


class StatementTooSlow(NotAvailable):
    """Its reader took too long; what was written of it is not whole."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"the statement was not read within {seconds} s", retry_after=60)
        self.seconds = seconds


class AccountBusy(NotAvailable):
    """One account has as many requests in flight as it may, so that others have room."""

    def __init__(self, account: str, limit: int) -> None:
        super().__init__(f"this account has {limit} requests in flight, as many as it may", retry_after=1)
        self.account = account
        self.limit = limit


class TooManyTries(NotAvailable):
    """One client tries what could be guessed more often than a person would."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many tries; wait a moment", retry_after=retry_after)


class RateLimited(NotAvailable):
    """The account asks more of this minute than it may: ``by`` is ``requests`` or ``tokens``, ``limit`` a minute of them.

    ``retry_after`` in seconds. ``left`` of requests and of tokens: limit, what remains, and microseconds until all of it does.
    """

    def __init__(
        self, by: str, limit: int, *, retry_after: int, left: Sequence[tuple[int, int, int] | None] = ()
    ) -> None:
        super().__init__(
            f"this account may ask for {limit} {by} a minute; a membership allows more (GET /v1/memberships)",
            retry_after=retry_after,
        )
        self.by = by
        self.limit = limit
        self.left = tuple(left)


class RateAboveLimit(NotAvailable):
    """One request counts as more than a whole minute may bring: waiting does not help."""

    def __init__(self, by: str, *, actual: int, limit: int, left: Sequence[tuple[int, int, int] | None] = ()) -> None:
        super().__init__(f"this request counts as {actual} {by}, and this account may ask for {limit} a minute")
        self.by = by
        self.actual = actual
        self.limit = limit
        self.left = tuple(left)


class ClientGone(NotAvailable):
    """It left while its request waited for room. Nobody reads this."""

    def __init__(self) -> None:
        super().__init__("the client left before its turn")


class HoldTooLong(NotAvailable):
    """No hold outlives the exit delay less one settlement interval. Seconds."""

    def __init__(self, actual: int, limit: int) -> None:
        super().__init__(f"a hold of {actual} s is longer than the {limit} s that an exit leaves")
        self.actual = actual
        self.limit = limit
