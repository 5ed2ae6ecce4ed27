"""What the ledger can be asked to write of memberships."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mintery.domain.voucher import AccountId, SignedVoucher
from mintery.units import NanoCredits

if TYPE_CHECKING:
    from mintery.ledger.commands import CaptureHold, PlaceHold


@dataclass(frozen=True, slots=True)
class AgreeMembership:
    """From now on, months of ``name`` may be charged to the account by this voucher, at ``most`` nanocredits each.

    In place of what was agreed before; refused (NotWritten) where that stands by another voucher key than ``only_of``.

    Attributes:
        only_of: the hash of the voucher key that asks; None for the holder, who replaces what any key agreed to.
    """

    account: AccountId
    name: str
    signed: SignedVoucher
    digest: bytes
    most: NanoCredits
    at: datetime
    only_of: bytes | None = None


@dataclass(frozen=True, slots=True)
class EndMembership:
    """No month is charged any more; one that is paid runs to its end. Done(0) where nothing stands.

    ``only_of`` as of ``AgreeMembership``.
    """

    account: AccountId
    name: str
    why: str
    at: datetime
    only_of: bytes | None = None


@dataclass(frozen=True, slots=True)
class ChargeMonth:
    """Hold and capture the price of one month, and record the month: all of it in one transaction, or nothing.

    Refused (NotWritten) unless the account's agreement stands as this is written, or ``agrees`` to it with the charge, and
    may. A month that is paid already is answered RequestKnown, with the request that paid it.

    Attributes:
        month: the calendar month in which it begins, which is charged once.
        anchor: the day on which months begin.
    """

    name: str
    month: str
    starts_at: datetime
    ends_at: datetime
    anchor: int
    hold: "PlaceHold"
    capture: "CaptureHold"
    agrees: AgreeMembership | None = None


MembershipCommand = AgreeMembership | EndMembership | ChargeMonth
