"""The port of a card rail: a page that is opened for an order, what became of it, and money that goes back.

Whatever is asked may be asked again: the rail knows an order's page by the order's id, and a refund by the refund's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mintery.domain.dispute import Dispute, OutsideRefund
from mintery.domain.order import Order, Payment, Refund


@dataclass(frozen=True, slots=True)
class Checkout:
    """A page as it stands at the rail.

    Attributes:
        reference: the rail's name of it.
        page: where the payer goes; None once it is closed.
        open: it may still be paid.
        payment: what was paid on it.
    """

    reference: str
    page: str | None
    open: bool
    payment: Payment | None


@dataclass(frozen=True, slots=True)
class Claims:
    """What payers' banks ask back, and what the operator gave back at the rail by hand. ``unclear``: payments of which something is
    told that is not in dollars; one account at the rail may serve others as well.
    """

    disputes: Sequence[Dispute] = ()
    refunds: Sequence[OutsideRefund] = ()
    unclear: Sequence[str] = ()


class CardRail(Protocol):
    """Every method may raise RailUnavailable, RailRefused, RailNonsense."""

    def open(self, order: Order) -> Checkout:
        """The order's page; the same one each time."""

    def read(self, reference: str) -> Checkout:
        """What became of it."""

    def close(self, reference: str) -> Checkout:
        """Nobody may pay on it from now on; what was paid before shows."""

    def refund(self, refund: Refund) -> str | None:
        """Pay it back. The rail's name of it, None while it is not done; the same one each time."""

    def claims_on(self, payment: str) -> Claims:
        """All that there is of one payment."""

    def claims_since(self, disputes: datetime, refunds: datetime) -> Claims:
        """All disputes, and all refunds by hand, that began since then, of whichever payment."""

    def subject_of(self, payload: bytes, signature: str) -> str | None:
        """The page's reference, or the payment, that a webhook is about; None where it concerns neither.

        Raises:
            WebhookForged
        """
