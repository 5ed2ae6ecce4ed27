"""What a gateway sells of itself: models kept for members, more requests a minute, an earlier place in the queue.

An *offer* is what may be bought, for one call or for a month. A *membership* is an account's standing order of one, by the
month; its *standing* is what all that it has bought lets it do now.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from mintery.domain.model import Endpoint, Model
from mintery.domain.rates import UNLIMITED, Rates
from mintery.domain.voucher import AccountId, Kind
from mintery.errors import MembershipNeeded, MembershipNotSold, UnknownMembership

OWN_KEY = "own-key"
"""Names the gateway's fee for a request that its caller's own key of a provider pays for there; no offer has this name."""
RENEWAL_GRACE = timedelta(minutes=10)
"""A month lasts so much longer: time to charge the next one."""


class Period(StrEnum):
    """What an offer is sold by; ends its SKU."""

    REQUEST = "request"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Offer:
    """Attributes:
    name: what a model's ``needs`` names.
    rates: of an account that has it.
    priority: places in the queue; 0 is everybody's.
    """

    name: str
    sold_by: frozenset[Period]
    rates: Rates
    priority: int = 0


class Standing(NamedTuple):
    """What an account may do now.

    Attributes:
        opens: offers that it has, for a month or for this call.
        pays: the one that this call pays for; empty for none.
    """

    opens: frozenset[str] = frozenset()
    rates: Rates = UNLIMITED
    priority: int = 0
    pays: str = ""

    def having(self, offer: Offer) -> "Standing":
        return Standing(
            self.opens | {offer.name},
            self.rates.raised_to(offer.rates),
            max(self.priority, offer.priority),
            self.pays,
        )


ANYBODY = Standing()


@dataclass(frozen=True, slots=True)
class Seller:
    """The gateway as the ProviderRegistry knows it; a provider has one kind, so one that sells both is there twice."""

    name: str
    provider_id: int
    kind: Kind

    def fee(self, offer: Offer, period: Period) -> Model:
        """What its SKU is of: ``mintery/membership.pro:month`` for a month, ``mintery/pro:request`` for a call."""
        return self._sold(f"membership.{offer.name}" if period is Period.MONTH else offer.name, period)

    def own_key_fee(self) -> Model:
        """``mintery/own-key:request``."""
        return self._sold(OWN_KEY, Period.REQUEST)

    def _sold(self, name: str, period: Period) -> Model:
        return Model(
            id=f"{self.name}/{name}",
            upstream=name,
            provider=self.name,
            provider_id=self.provider_id,
            kind=self.kind,
            endpoint=Endpoint.CHAT,
            units=frozenset({period.value}),
            max_output_tokens=0,
            context_tokens=0,
        )


@dataclass(frozen=True, slots=True)
class Offers:
    """Everything that the gateway sells of itself.

    Attributes:
        without: what an account has that bought nothing.
    """

    sellers: tuple[Seller, ...] = ()
    offers: Mapping[str, Offer] = field(default_factory=dict)
    without: Standing = ANYBODY
    _fees: dict[tuple[Kind, str, Period], Model] = field(default_factory=dict)
    _own_key_fees: dict[Kind, Model] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for seller in self.sellers:
            self._own_key_fees[seller.kind] = seller.own_key_fee()
            for offer in self.offers.values():
                self._fees.update({(seller.kind, offer.name, by): seller.fee(offer, by) for by in offer.sold_by})

    @property
    def fees(self) -> tuple[Model, ...]:
        """Each has one SKU, which needs a price."""
        return tuple(self._fees.values())

    def offer(self, name: str) -> Offer:
        """Raises UnknownMembership."""
        if (found := self.offers.get(name)) is None:
            raise UnknownMembership(name, tuple(self.offers))
        return found

    def fee(self, kind: Kind, name: str, period: Period) -> Model:
        """What is charged for it, of credits of that kind. Raises UnknownMembership, MembershipNotSold."""
        if (found := self._fees.get((kind, self.offer(name).name, period))) is None:
            raise MembershipNotSold(name, period.value, kind.value)
        return found

    def fees_of(self, name: str, kind: Kind | None) -> tuple[Model, ...]:
        """All that an offer is sold as, for credits of one kind or (None) of either."""
        return tuple(fee for (of, named, _), fee in self._fees.items() if named == name and kind in {None, of})

    def own_key_fee(self, kind: Kind) -> Model | None:
        """What is charged for a request with the caller's own key; None where the gateway sells nothing of that kind."""
        return self._own_key_fees.get(kind)

    def check_open(self, model: Model, standing: Standing, kind: Kind) -> None:
        """Raises MembershipNeeded: the model is kept for those who have what it needs."""
        if model.needs and model.needs not in standing.opens:
            sold = [by.value for by in Period if (kind, model.needs, by) in self._fees]
            raise MembershipNeeded(model.id, model.needs, sold)


@dataclass(frozen=True, slots=True)
class PaidMonth:
    """``ends_at`` is the first instant that is not paid."""

    account: AccountId
    name: str
    starts_at: datetime
    ends_at: datetime

    def covers(self, now: datetime) -> bool:
        return self.starts_at <= now < self.ends_at + RENEWAL_GRACE


def standing_of(offers: Offers, months: Iterable[PaidMonth], now: datetime) -> Standing:
    """What the account's paid months come to. Of what is no longer offered, nothing."""
    standing = offers.without
    for month in months:
        if month.covers(now) and (offer := offers.offers.get(month.name)) is not None:
            standing = standing.having(offer)
    return standing


def month_after(began: datetime, anchor: int) -> datetime:
    """The same time in the following month, on day ``anchor`` or the month's last: the 31st, then the 28th, then the 31st.

    So each calendar month (UTC) has at most one month that begins in it.
    """
    began = began.astimezone(UTC)
    year, month = (began.year + 1, 1) if began.month == 12 else (began.year, began.month + 1)
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    last = (datetime(*following, 1, tzinfo=UTC) - timedelta(days=1)).day
    return began.replace(year=year, month=month, day=min(anchor, last))


def calendar_month(instant: datetime) -> str:
    """``2026-11``, UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m")
