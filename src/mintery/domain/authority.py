"""What may act for a holder without asking again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mintery.domain.voucher import Address
from mintery.units import NanoCredits


class AuthorityKind(StrEnum):
    VOUCHER = "voucher"
    """An app holds a voucher's secret, or keys spend by it."""
    KEY = "key"
    BUDGET = "budget"
    """A key that carries limits of its own."""
    MEMBERSHIP = "membership"
    """Paid by the month."""
    SIGNATURE = "signature"
    """For one deposit, top-up or refund, which is not done yet."""
    SIGN_IN = "sign_in"
    """A browser or program that may do all of this."""


@dataclass(frozen=True, slots=True)
class Authority:
    """One standing permission.

    Attributes:
        id: names it among all of them, kind first: ``key:key_0123…``.
        label: what its holder knows it by.
        token: whose credits it may spend; None where it spends none by itself.
        most: nanocredits that it may spend in all, or in each period that ``terms`` name; None: as much as what it stands on.
        terms: further words, like a model's name or a period.
        until: when it ends by itself.
    """

    id: str
    kind: AuthorityKind
    label: str
    since: datetime | None
    token: Address | None = None
    most: NanoCredits | None = None
    terms: tuple[str, ...] = ()
    until: datetime | None = None
