"""What the ledger can be asked to write of calls on chain: intent, signed attempts, and what came of them."""

from dataclasses import dataclass
from datetime import datetime

from mintery.domain.card_caps import CardCaps
from mintery.domain.chain_call import CallAttempt, CallId, ChainCall, Effect
from mintery.domain.order import Order, OrderId


@dataclass(frozen=True, slots=True)
class PlanCalls:
    """Intent. Refused (NotWritten), all of them, where another call uses one of their authorizations."""

    calls: tuple[ChainCall, ...]


@dataclass(frozen=True, slots=True)
class PlaceTopUp:
    """A new order (as ``PlaceOrder``) with the calls that pay it: both or neither. For one that is known nothing is planned."""

    order: Order
    calls: tuple[ChainCall, ...]


@dataclass(frozen=True, slots=True)
class MintOrder:
    """From now on the order's credits are being created, by these calls and no others: one commit. Refused unless its payment
    was accepted and does not go back, and (CapReached) where a card's would pass ``caps``.
    """

    order: OrderId
    calls: tuple[ChainCall, ...]
    at: datetime
    caps: CardCaps | None = None


@dataclass(frozen=True, slots=True)
class SaveCallAttempt:
    """A signed transaction, saved before it leaves. Refused once the call has ended, and where it has other attempts than the
    ``known`` ones: whoever signed did not reckon with them.
    """

    attempt: CallAttempt
    known: int


@dataclass(frozen=True, slots=True)
class MarkCallBroadcast:
    tx_hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EndCall:
    """The chain has its effect for good."""

    call: CallId
    effect: Effect


@dataclass(frozen=True, slots=True)
class FailCall:
    """It will never have one."""

    call: CallId
    why: str
    at: datetime


CallCommand = PlanCalls | PlaceTopUp | MintOrder | SaveCallAttempt | MarkCallBroadcast | EndCall | FailCall
