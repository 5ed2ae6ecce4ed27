"""What taking orders needs. Bootstrap puts it together."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from mintery.chain.sender import Sender
from mintery.crypto.keys import PrivateKey
from mintery.domain.card_caps import CardCaps
from mintery.domain.order import Rail
from mintery.domain.voucher import Address
from mintery.errors import RailNotOffered
from mintery.ledger.queries_orders import OrderLedger
from mintery.rails.cards import CardRail
from mintery.units import AssetUnits, Wei
from mintery.usecases.alarms import Alarms
from mintery.usecases.onchain import OnChain

LEAST = AssetUnits(1_000_000)
MOST = AssetUnits(10_000_000_000)


@dataclass(frozen=True, slots=True)
class Treasury:
    """The operator's own asset: it pays the reserve for what came by card or bank, and pays gas for what it relays.

    Attributes:
        key: signs what the treasury pays.
        sender: sends with the same key.
    """

    key: PrivateKey
    sender: Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDesk:
    """Attributes:
    cards: None where cards are not taken.
    bank_details: what a person needs to send a bank transfer; None where none is taken.
    settler: releases credits for refunds; the treasury where there is none.
    treasury: None where nothing can be sent to the chain: only what holders send themselves is seen.
    least, most: of one top-up.
    card_caps: of what cards bring within a day; None: no caps.
    card_hold: how long a payment by card lies before credits are created for it.
    bump_after: seconds in no block after which a call's fees rise, up to ``max_fee``, wei per gas.
    """

    chain: OnChain
    ledger: OrderLedger
    gateway: Address
    alarms: Alarms = field(default_factory=Alarms)
    cards: CardRail | None = None
    bank_details: str | None = None
    treasury: Treasury | None = None
    settler: Sender | None = None
    least: AssetUnits = LEAST
    most: AssetUnits = MOST
    card_caps: CardCaps | None = None
    card_hold: timedelta = timedelta(0)
    bump_after: int = 90
    max_fee: Wei = Wei(100 * 10**9)

    @property
    def rails(self) -> tuple[Rail, ...]:
        """That an order can be placed for here."""
        if self.treasury is None:
            return ()
        offered = {Rail.CARD: self.cards is not None, Rail.BANK: self.bank_details is not None, Rail.CHAIN: True}
        return tuple(rail for rail, taken in offered.items() if taken)

    def card_rail(self) -> CardRail:
        """Raises RailNotOffered."""
        if self.cards is None:
            raise RailNotOffered(Rail.CARD.value, "this gateway takes no cards")
        return self.cards

    def paying(self) -> Treasury:
        """Raises RailNotOffered."""
        if self.treasury is None:
            raise RailNotOffered(Rail.CHAIN.value, "this gateway has no treasury")
        return self.treasury

    def over(self, ledger: OrderLedger) -> "OrderDesk":
        """The same desk on another view of the ledger."""
        return replace(self, ledger=ledger)
