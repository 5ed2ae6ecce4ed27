"""What the gateway sells of itself, as the ``gateway`` table of the providers file writes it down::

    [gateway]
    requests_per_minute = 60            # of an account without a membership; left out: no limit, nor has anybody else one
    tokens_per_minute = 100000          # what the text is estimated at, and the most that may come back

    [[gateway.sellers]]                 # the gateway's own names in the ProviderRegistry: one for each kind of credits
    name = "mintery"                    # its SKUs begin with it, and need a price: mintery/membership.pro:month
    registry_id = 2                     # a project's terms must name it, or its credits buy no membership
    kind = "routed"

    [[gateway.memberships]]
    name = "pro"                        # a model that says needs = "pro" is kept for it
    sold_by = ["month", "request"]      # a month at mintery/membership.pro:month, one request at mintery/pro:request
    requests_per_minute = 600           # left out: as without; likewise tokens
    priority = 1                        # places further ahead in the queue, 0 to 9

    [[gateway.memberships]]
    name = "priority"                   # a place further ahead alone, for one request: mintery/priority:request
    sold_by = ["request"]
    priority = 2

A request with its caller's own key of a provider, where a channel takes one, costs ``mintery/own-key:request``. Without a
membership an account has what the table itself says, and a model that needs none.
"""

from pydantic import BaseModel, ConfigDict, Field

from mintery.domain.membership import OWN_KEY, Offer, Offers, Period, Seller, Standing
from mintery.domain.rates import Rates
from mintery.domain.voucher import Kind
from mintery.errors import MalformedFile

_NAME = r"^[a-z0-9][a-z0-9_-]{0,39}$"


class _SellerIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[^\s/:]+$")
    registry_id: int = Field(ge=1)
    kind: Kind


class _MembershipIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=_NAME)
    sold_by: frozenset[Period] = Field(min_length=1)
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)
    priority: int = Field(default=0, ge=0, le=9)


class GatewayIn(BaseModel):
    """The table as it is written."""

    model_config = ConfigDict(extra="forbid")

    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)
    sellers: tuple[_SellerIn, ...] = ()
    memberships: tuple[_MembershipIn, ...] = ()


def offers_of(table: GatewayIn, where: str) -> Offers:
    """Raises MalformedFile: a name or a kind is there twice, or what is sold has no seller."""
    _refuse_doubles("membership", [each.name for each in table.memberships], where)
    if any(each.name == OWN_KEY for each in table.memberships):
        raise MalformedFile(where, f"gateway: {OWN_KEY} is no membership: it names the fee for a caller's own key")
    _refuse_doubles("seller", [each.name.lower() for each in table.sellers], where)
    _refuse_doubles("kind", [each.kind.value for each in table.sellers], where)
    if table.memberships and not table.sellers:
        raise MalformedFile(where, "gateway: memberships need gateway.sellers, whose SKUs price them")
    usual = Rates(table.requests_per_minute, table.tokens_per_minute)
    return Offers(
        sellers=tuple(Seller(each.name, each.registry_id, each.kind) for each in table.sellers),
        offers={each.name: _offer(each, usual) for each in table.memberships},
        without=Standing(rates=usual),
    )


def _offer(membership: _MembershipIn, usual: Rates) -> Offer:
    """Never less than what everybody has."""
    own = Rates(membership.requests_per_minute or usual.requests, membership.tokens_per_minute or usual.tokens)
    return Offer(membership.name, membership.sold_by, usual.raised_to(own), membership.priority)


def _refuse_doubles(what: str, names: list[str], where: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise MalformedFile(where, f"gateway: {what} {name} is there twice")
