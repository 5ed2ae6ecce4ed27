"""A request whose hold is durable, on its way from one route to the next."""

from typing import NamedTuple

from mintery.domain.attempt import RouteAttempt
from mintery.domain.hold import Hold, RequestId
from mintery.domain.quote import Quote
from mintery.domain.rates import RatesLeft
from mintery.providers.calls import ProviderKey
from mintery.usecases.attempts import Attempt
from mintery.usecases.meters import Meters
from mintery.usecases.parts import GatewayParts
from mintery.usecases.plan_request import Plan
from mintery.usecases.shaped import ShapedRequest
from mintery.usecases.verify_credential import Credential


class Dispatched(NamedTuple):
    """The provider of ``quote`` may be called.

    Attributes:
        request, quote: of the route whose turn it is.
        tried: calls that failed before it.
        stands: some route is still to be called.
        left: of the account's rates.
        provider_key: the caller's own, in place of the gateway's.
    """

    parts: GatewayParts
    meters: Meters
    attempt: Attempt
    credential: Credential
    plan: Plan
    request: ShapedRequest
    quote: Quote
    hold: Hold
    tried: tuple[RouteAttempt, ...] = ()
    stands: bool = True
    left: RatesLeft | None = None
    provider_key: ProviderKey | None = None

    @property
    def is_backup(self) -> bool:
        """Another route than the first was called, or the one that was chosen is there to stand in for others."""
        return bool(self.tried) or (self.plan.asked is not None and self.quote.model.backup > 0)

    @property
    def id(self) -> RequestId:
        return self.hold.id
