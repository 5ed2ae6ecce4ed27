"""What the ledger can be asked to write of refunds of what is left of a lot. Amounts are nanocredits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mintery.domain.chain_call import ChainCall
from mintery.domain.order import Refund
from mintery.units import NanoCredits


@dataclass(frozen=True, slots=True)
class AskRefund:
    """Set ``amount`` of the lot's account aside, and plan the calls that bring it back: no hold gets it from then on. Refused
    (NotWritten) beyond what the lot has left, or what of the account is free.
    """

    id: str
    lot: int
    amount: NanoCredits
    way: Literal["wallet", "rail"]
    calls: tuple[ChainCall, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class OweUnused:
    """The credits are the treasury's: the money is owed back over the rail, once."""

    id: str
    refund: Refund


RefundCommand = AskRefund | OweUnused
